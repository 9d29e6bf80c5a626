import { expect, it } from 'vitest'
import { ManifestUnwritable } from '../../src/errors.ts'
import { describeForgotten, type MediaPath } from '../../src/media/media.ts'
import { createOffers } from '../../src/references/offers.ts'
import { forgetOldDismissals } from '../../src/references/old-dismissals.ts'
import { aFingerprint, anEntry, aPath, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'

const WHEN = { nowMs: NOW_MS, lifetimeMs: 72 * HOUR_MS }

async function setUp({ areRead = true, isBelieved = true } = {}) {
  const manifest = createMemoryManifest()
  const offers = createOffers()
  const note = async (path: string, hoursAgo: number, content = path) => {
    const about = { path: aPath(path), fingerprint: aFingerprint(content) }
    const problem = describeForgotten(about, NOW_MS - hoursAgo * HOUR_MS)
    await manifest.commit([{ kind: 'put-problem', problem }])
  }
  const there = new Set(['there', 'being-written'])
  return {
    manifest,
    offers,
    note,
    referenceFiles: { offers, areRead: () => areRead },
    folder: {
      belief: () => ({ kind: isBelieved ? ('believed' as const) : ('doubted' as const) }),
      get: (path: MediaPath) => (path === 'there' ? { path } : undefined),
      isUnsettled: (path: MediaPath) => path !== 'there' && there.has(path),
    },
    async kept() {
      const paths: string[] = []
      for await (const { path } of manifest.problems()) paths.push(path)
      return paths.sort()
    },
  }
}

it('forgets that contents were done away with when nobody has them any more, and no sooner', async () => {
  const site = await setUp()
  await site.note('young', 95)
  for (const path of ['old', 'there', 'being-written', 'offered', 'kept-elsewhere'])
    await site.note(path, 97)
  // Under whatever name: what was kept aside of two changes is told by the bytes of the other name.
  site.offers.replace('peer', [anEntry({ path: 'x', fingerprint: aFingerprint('offered') })])
  const twin = anEntry({ path: 'y', fingerprint: aFingerprint('kept-elsewhere') })
  await site.manifest.commit([
    { kind: 'put-entry', entry: twin },
    {
      kind: 'put-problem',
      problem: {
        path: aPath('lost'),
        code: 'MEDIA_LOST',
        message: 'it is lost',
        sinceMs: 0,
        fingerprint: aFingerprint('lost'),
      },
    },
  ])
  await forgetOldDismissals(site, WHEN)
  expect(await site.kept()).toEqual([
    'being-written',
    'kept-elsewhere',
    'lost',
    'offered',
    'there',
    'young',
  ])
})

it('waits for thirty days with what a host may have whose manifest nobody has read yet', async () => {
  const site = await setUp({ areRead: false })
  await site.note('old', 72 + 30 * 24 - 1)
  await site.note('ancient', 72 + 30 * 24 + 1)
  await forgetOldDismissals(site, WHEN)
  expect(await site.kept()).toEqual(['old'])
})

it('forgets nothing of a folder that is not believed, nor on a full disk', async () => {
  const away = await setUp({ isBelieved: false })
  await away.note('old', 5000)
  await forgetOldDismissals(away, WHEN)
  expect(await away.kept()).toEqual(['old'])
  const site = await setUp()
  await site.note('old', 5000)
  const failing = (error: Error) => ({
    ...site,
    manifest: { ...site.manifest, commit: () => Promise.reject(error) },
  })
  await forgetOldDismissals(failing(new ManifestUnwritable('the disk is full')), WHEN)
  await expect(forgetOldDismissals(failing(new Error('a bug')), WHEN)).rejects.toThrow('a bug')
})
