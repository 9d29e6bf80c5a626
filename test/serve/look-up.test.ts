// What is said of a path: an id only while it lives, else why there is none and when there is one again.
import { describe, expect, it } from 'vitest'
import { FileUnreadable, WecomUnreachable } from '../../src/errors.ts'
import type { ManifestEntry, Problem } from '../../src/media/media.ts'
import { lookUpAnswer } from '../../src/serve/look-up.ts'
import type { Circumstances } from '../../src/serve/prospect.ts'
import { aFile, anEntry, aPath, aProblem, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { calm } from './desk-fixture.ts'

const MINUTE_MS = 60_000
const dead = anEntry({ ageHours: 73 })
const DIED = 'its media_id expired at 2026-11-22T07:00:00.000Z: '
const { stamp } = aFile()
const UNREACHABLE = new WecomUnreachable('cannot reach WeCom: timed out', { hint: 'Wait.' })
const circuit = { error: UNREACHABLE, nextProbeAtMs: NOW_MS + 4 * MINUTE_MS }
const queue = { waiting: 30, takesMs: 90_000 }

function ask(
  known: { entry?: ManifestEntry; problem?: Problem },
  circumstances: Circumstances | undefined,
) {
  const { entry, problem } = known
  return lookUpAnswer(aPath('a.jpg'), { entry, problem }, circumstances, NOW_MS)
}
const inMs = (spanMs: number) => new Date(NOW_MS + spanMs).toISOString()

/** Of two hours, without the last seconds: WeCom's clock is known to a second or two. */
const SAFE_MS = 2 * HOUR_MS - 5000

it('a live id comes with the moment up to which it is safe, and with how long that is', () => {
  const entry = anEntry({ ageHours: 70 })
  expect(ask({ entry, problem: aProblem() }, undefined)).toMatchObject({
    kind: 'live',
    media: { media_id: 'id-a.jpg', safe_until: inMs(SAFE_MS), safe_for_ms: SAFE_MS },
    safe_until: inMs(SAFE_MS),
  })
})

it('up to five seconds before its death and no longer', () => {
  const dyingIn = (spanMs: number) =>
    anEntry({ createdAtMs: NOW_MS + spanMs - 72 * HOUR_MS, expiresAtMs: NOW_MS + spanMs })
  expect(ask({ entry: dyingIn(5_000) }, undefined).kind).toBe('not-live')
  expect(ask({ entry: dyingIn(5_001) }, undefined).kind).toBe('live')
})

describe('a path without a live id says why, and when it is back', () => {
  const there = { file: 'there' } as const
  it.each<
    [
      string,
      { entry?: ManifestEntry; problem?: Problem },
      Partial<Circumstances> | 'no daemon',
      { because: string; back: string; atMs?: number; hint?: string },
    ]
  >([
    [
      'while WeCom is not called: not before it is tried again, and then in its turn',
      { entry: dead },
      { ...there, place: 'waiting', circuit, queue },
      {
        because: `${DIED}no calls to WeCom at present: cannot reach WeCom: timed out`,
        back: 'not before WeCom is tried again, which is within about 4 min',
        atMs: 4 * MINUTE_MS + 90_000,
        hint: 'Wait.',
      },
    ],
    [
      'while WeCom is tried at this moment',
      { entry: dead },
      { ...there, place: 'waiting', circuit: { ...circuit, nextProbeAtMs: NOW_MS - 1 }, queue },
      {
        because: `${DIED}no calls to WeCom at present: cannot reach WeCom: timed out`,
        back: 'not before WeCom is tried again, which is now',
        atMs: 90_000,
        hint: 'Wait.',
      },
    ],
    [
      'in the queue: as long as all of it takes',
      { entry: dead },
      { ...there, place: 'waiting', queue },
      {
        because: `${DIED}it waits in the queue, where 30 wait`,
        back: 'within about 2 min',
        atMs: 90_000,
      },
    ],
    [
      'in flight',
      { entry: dead },
      { ...there, place: 'in-flight', queue },
      { because: `${DIED}it is being transferred`, back: 'within about 60 s', atMs: MINUTE_MS },
    ],
    [
      'postponed: with the error, at the next attempt',
      { entry: dead },
      { ...there, lastError: UNREACHABLE },
      {
        because: `${DIED}the last attempt failed: cannot reach WeCom: timed out`,
        back: 'within about 60 s',
        atMs: 20_000,
        hint: 'Wait.',
      },
    ],
    [
      'new and not uploaded yet',
      {},
      { ...there, place: 'waiting', queue },
      {
        because: 'it has not been uploaded yet: it waits in the queue, where 30 wait',
        back: 'within about 2 min',
        atMs: 90_000,
      },
    ],
    [
      'still being written',
      {},
      { file: 'unsettled' },
      {
        because: 'it has not been uploaded yet: its file is still being written',
        back: 'not before the file stands still',
      },
    ],
    [
      'unacceptable: not before the file changes',
      { problem: aProblem() },
      there,
      { because: 'cannot upload `a.jpg`: too large', back: 'not before the file changes' },
    ],
    [
      'unacceptable, and about to be judged again',
      { problem: aProblem() },
      { ...there, place: 'waiting' },
      {
        because: 'it has not been uploaded yet: it waits in the queue',
        back: 'within about 60 s',
        atMs: 0,
      },
    ],
    [
      'refused although WeCom took the same bytes once: when it is offered again',
      { entry: dead, problem: aProblem({ code: 'MEDIA_REFUSED', stamp, message: 'no' }) },
      there,
      {
        because: 'no',
        back: 'not before it is offered again within about 30 min, or the file changes',
        atMs: HOUR_MS / 2,
      },
    ],
    [
      'refused, and never taken: not before the file changes',
      { problem: aProblem({ code: 'MEDIA_REFUSED', stamp, message: 'no' }) },
      there,
      { because: 'no', back: 'not before the file changes' },
    ],
    [
      'gone and dead: never, unless put back',
      { entry: dead },
      { file: 'gone' },
      { because: `${DIED}its file is gone`, back: 'never, unless somebody puts the file back' },
    ],
    [
      'in a folder that is not believed: whatever seems to be gone there',
      { entry: dead },
      { file: 'gone', doubt: { because: 'it lost its marker', hint: 'Mount it.' } },
      {
        because: `${DIED}the folder is not believed: it lost its marker`,
        back: 'not before the folder is back',
        hint: 'Mount it.',
      },
    ],
    [
      'landed, and not kept alive',
      { entry: { ...dead, origin: 'reference', renewAtMs: undefined } },
      there,
      {
        because:
          'it was downloaded, and its media_id is not kept alive (`references.renew` is false)',
        back: 'never',
      },
    ],
    [
      'without a daemon: not before one runs',
      { entry: dead },
      'no daemon',
      {
        because: `${DIED}no daemon is running`,
        back: 'not before one runs',
        hint: 'Start it: systemctl start wecom-media-mirror, or wecom-media-mirror run',
      },
    ],
    [
      'written under a clock that was ahead',
      { entry: anEntry({ ageHours: -48 }) },
      { ...there, place: 'waiting', queue },
      {
        because:
          'nothing is known of the life of its media_id, which was made at 2026-11-24T08:00:00.000Z, a moment that is yet to come: it waits in the queue, where 30 wait',
        back: 'within about 2 min',
        atMs: 90_000,
      },
    ],
  ])('%s', (_, known, circumstances, { because, back, atMs, hint }) => {
    const answer = ask(known, circumstances === 'no daemon' ? undefined : calm(circumstances))
    expect(answer).toEqual({
      kind: 'not-live',
      path: 'a.jpg',
      because,
      hint: hint ?? null,
      expected_back: back,
      expected_back_at: atMs === undefined ? null : inMs(atMs),
    })
  })
})

describe('a path that nobody knows', () => {
  it.each([
    ['gone', 'there is no such file in the folder, nor in the manifest'],
    ['unseen', 'the manifest does not know it, and the folder is looked at for the first time'],
  ] as const)('while its file is %s is unknown', (file, because) => {
    expect(ask({}, calm({ file }))).toMatchObject({
      kind: 'unknown',
      because: expect.stringContaining(because),
      expected_back_at: null,
    })
  })

  it('without a daemon is unknown until one looks', () => {
    expect(ask({}, undefined)).toMatchObject({
      kind: 'unknown',
      expected_back: 'not before a daemon runs',
    })
  })

  it('is not what only could not be read', () => {
    const lastError = new FileUnreadable('cannot read `a.jpg`')
    expect(ask({}, calm({ file: 'there', lastError }))).toMatchObject({ kind: 'not-live' })
  })
})
