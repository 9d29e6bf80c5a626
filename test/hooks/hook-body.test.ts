// The form in which hooks are told: a contract with programs of other people.
import { expect, it } from 'vitest'
import { renderBody } from '../../src/hooks/hook-body.ts'
import type { Delivery } from '../../src/media/delivery.ts'
import { aMediaId, anEntry, aPath, HOUR_MS, NOW_MS } from '../helpers/builders.ts'

const entry = anEntry({ path: 'posters/春.jpg', ageHours: 1 })
const changed: Delivery = {
  id: '0000001795334400000-x',
  hook: 'tell',
  happening: 'changed-id',
  atMs: NOW_MS,
  path: entry.path,
  mediaId: aMediaId('new'),
  oldMediaId: aMediaId('old'),
  medium: entry,
}
const read = (delivery: Delivery, nowMs = NOW_MS) =>
  JSON.parse(
    String(renderBody(delivery, { corpId: 'ww1', folder: '/srv/media', attempt: 2, nowMs })),
  )

it('is one JSON object with everything that is known', () => {
  expect(read(changed)).toEqual({
    format: 'wecom-media-mirror/event',
    version: 1,
    id: '0000001795334400000-x',
    attempt: 2,
    hook: 'tell',
    event: 'changed-id',
    at: '2026-11-22T08:00:00.000Z',
    corp_id: 'ww1',
    folder: '/srv/media',
    path: 'posters/春.jpg',
    old_path: null,
    media_id: 'new',
    safe_until: '2026-11-25T06:59:55.000Z',
    safe_for_ms: 71 * HOUR_MS - 5_000,
    old_media_id: 'old',
    type: 'image',
    created_at: '2026-11-22T07:00:00.000Z',
    expires_at: '2026-11-25T07:00:00.000Z',
    size: entry.sizeBytes,
    sha256: entry.fingerprint,
    origin: 'folder',
    reference: null,
    because: null,
  })
})

it('hands out no id that may be dead by the time of telling', () => {
  expect(read(changed, NOW_MS + 71 * HOUR_MS)).toMatchObject({
    media_id: null,
    safe_until: null,
    safe_for_ms: 0,
    old_media_id: 'old',
  })
})

it('tells a loss by the id that was, and why', () => {
  const lost: Delivery = {
    id: '1',
    hook: 'tell',
    happening: 'lost',
    atMs: NOW_MS,
    mediaId: aMediaId('dead'),
    because: 'it expired',
  }
  expect(read(lost)).toMatchObject({
    path: null,
    media_id: null,
    old_media_id: 'dead',
    type: null,
    because: 'it expired',
  })
})

it('tells what landed by the reference that asked for it', () => {
  const landed = {
    ...changed,
    happening: 'landed',
    path: aPath('in/a.jpg'),
    referenceId: aMediaId('ref'),
    from: '张三',
  } as const
  expect(read(landed)).toMatchObject({
    path: 'in/a.jpg',
    reference: { media_id: 'ref', from: '张三' },
  })
})
