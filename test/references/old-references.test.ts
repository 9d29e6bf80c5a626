import { expect, it } from 'vitest'
import { ManifestUnwritable } from '../../src/errors.ts'
import type { Change } from '../../src/manifest/manifest.ts'
import type { MediaId, Reference } from '../../src/media/media.ts'
import { createAcceptance } from '../../src/references/acceptance.ts'
import { forgetOldReferences } from '../../src/references/old-references.ts'
import { createTurns } from '../../src/support/turns.ts'
import { aMediaId, aReference, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'

const WHEN = { nowMs: NOW_MS, lifetimeMs: 72 * HOUR_MS }
const DAYS_30 = 30 * 24

const of = (mediaId: string, hoursAgo: number, rest: Partial<Reference> = {}) =>
  aReference({ mediaId, acceptedAtMs: NOW_MS - hoursAgo * HOUR_MS, ...rest })

async function setUp(references: readonly Reference[], areRead = true) {
  const manifest = createMemoryManifest()
  await manifest.commit(references.map((reference) => ({ kind: 'put-reference', reference })))
  const referenceTurns = createTurns<MediaId>()
  const referenceFiles = {
    lists: (mediaId: MediaId) => mediaId.startsWith('listed'),
    areRead: () => areRead,
  }
  return {
    manifest,
    referenceTurns,
    referenceFiles,
    async kept() {
      const ids: string[] = []
      for await (const { mediaId } of manifest.references()) ids.push(mediaId)
      return ids.sort()
    },
  }
}

it('forgets what landed, was dismissed or lost long ago, and nothing that waits or is listed', async () => {
  const site = await setUp([
    of('landed', 97, { state: 'landed' }),
    of('landed-young', 95, { state: 'landed' }),
    of('message', 97, { state: 'landed', messageId: '1' }),
    of('listed', 5000, { state: 'landed' }),
    of('listed-dismissed', 5000, { state: 'lost', dismissedAtMs: NOW_MS }),
    of('waiting', 5000),
    of('lost', 72 + DAYS_30 + 1, { state: 'lost' }),
    of('lost-young', 72 + DAYS_30 - 1, { state: 'lost' }),
    of('dismissed', 97, { state: 'lost', dismissedAtMs: NOW_MS }),
    ...Array.from({ length: 2500 }, (_, n) => of(`many-${n}`, 200, { state: 'landed' })),
  ])
  await forgetOldReferences(site, WHEN)
  const kept = ['landed-young', 'listed', 'listed-dismissed', 'lost-young', 'waiting']
  expect(await site.kept()).toEqual(kept)
})

it('keeps for thirty days what a file may list that nobody has read yet', async () => {
  const site = await setUp(
    [
      of('landed', 72 + DAYS_30 - 1, { state: 'landed' }),
      of('dismissed', 72 + DAYS_30 - 1, { state: 'lost', dismissedAtMs: NOW_MS }),
      of('landed-old', 72 + DAYS_30 + 1, { state: 'landed' }),
      of('message', 97, { state: 'landed', messageId: '1' }),
    ],
    false,
  )
  await forgetOldReferences(site, WHEN)
  expect(await site.kept()).toEqual(['dismissed', 'landed'])
})

it('does not drop what is wanted anew at that very moment', async () => {
  const site = await setUp([of('again', 97, { state: 'landed' })])
  // Seen by nobody before it is on disk.
  const manifest = {
    ...site.manifest,
    async commit(changes: readonly Change[]) {
      await new Promise((resolve) => setImmediate(resolve))
      await site.manifest.commit(changes)
    },
  }
  const { accept } = createAcceptance({
    manifest,
    clock: createFakeClock(NOW_MS),
    requestLanding: () => {},
    emit: () => {},
    turns: site.referenceTurns,
  })
  const accepting = accept({ mediaId: aMediaId('again') }, { anew: true })
  await forgetOldReferences({ ...site, manifest }, WHEN)
  await accepting
  expect(await site.manifest.findReference(aMediaId('again'))).toMatchObject({ state: 'accepted' })
})

it('leaves them for another time when the disk is full, and breaks on what nobody foresaw', async () => {
  const site = await setUp([of('landed', 97, { state: 'landed' })])
  const failing = (error: Error) => ({
    ...site,
    manifest: { ...site.manifest, commit: () => Promise.reject(error) },
  })
  await forgetOldReferences(failing(new ManifestUnwritable('the disk is full')), WHEN)
  await expect(forgetOldReferences(failing(new Error('a bug')), WHEN)).rejects.toThrow('a bug')
})
