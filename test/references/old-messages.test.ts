import { expect, it } from 'vitest'
import { ManifestUnwritable } from '../../src/errors.ts'
import type { Reference } from '../../src/media/media.ts'
import { forgetOldMessages } from '../../src/references/old-messages.ts'
import { aReference, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'

it('forgets messages whose media landed and can come no more, and nothing else', async () => {
  const manifest = createMemoryManifest()
  const of = (mediaId: string, hoursAgo: number, rest: Partial<Reference> = {}) =>
    aReference({ mediaId, acceptedAtMs: NOW_MS - hoursAgo * HOUR_MS, messageId: '1', ...rest })
  const { messageId: _, ...pulled } = of('pulled', 1000, { state: 'landed' })
  const references = [
    of('old', 97, { state: 'landed' }),
    of('young', 95, { state: 'landed' }),
    of('waiting', 1000),
    of('lost', 1000, { state: 'lost' }),
    pulled,
  ]
  await manifest.commit(references.map((reference) => ({ kind: 'put-reference', reference })))
  const many = Array.from({ length: 2500 }, (_, n) => of(`old-${n}`, 200, { state: 'landed' }))
  await manifest.commit(many.map((reference) => ({ kind: 'put-reference', reference })))
  await forgetOldMessages(manifest, { nowMs: NOW_MS, lifetimeMs: 72 * HOUR_MS })
  const kept: string[] = []
  for await (const { mediaId } of manifest.references()) kept.push(mediaId)
  expect(kept.sort()).toEqual(['lost', 'pulled', 'waiting', 'young'])
})

it('leaves them for another time when the disk is full, and breaks on what nobody foresaw', async () => {
  const manifest = createMemoryManifest()
  const acceptedAtMs = NOW_MS - 1000 * HOUR_MS
  const reference = aReference({ acceptedAtMs, messageId: '1', state: 'landed' })
  await manifest.commit([{ kind: 'put-reference', reference }])
  const failing = (error: Error) => ({ ...manifest, commit: () => Promise.reject(error) })
  const when = { nowMs: NOW_MS, lifetimeMs: 72 * HOUR_MS }
  await forgetOldMessages(failing(new ManifestUnwritable('the disk is full')), when)
  await expect(forgetOldMessages(failing(new Error('a bug')), when)).rejects.toThrow('a bug')
})
