// What the verdict on a drain among faults rests on: which standing still counts as lost, and which the rules ask for.
import { expect, it } from 'vitest'
import type { MirrorError } from '../../src/errors.ts'
import { BLOCKED, FAULTS } from './service-faults.ts'
import { watchStandstill } from './standstill.ts'

const MINUTE_MS = 60_000

/** A drain of so many media, with two slots and ten calls a minute, told second by second. */
function aDrain(media: number) {
  const left = new Set(Array.from({ length: media }, (_, index) => index))
  const standstill = watchStandstill({
    startMs: 0,
    calledAtMs: [],
    windows: [{ spanMs: MINUTE_MS, limit: 10 }],
    slots: () => 2,
    backlog: { left: () => left.size, has: (index) => left.has(index) },
    diesAtMs: (index) => (index === 0 ? 30_000 : Infinity),
  })
  const end = (index: number, sentAtMs: number, endsAtMs: number, error?: MirrorError) => {
    standstill.answered({ index, sentAtMs, error }, endsAtMs)
    if (error === undefined) left.delete(index)
  }
  return {
    ...standstill,
    /** A call from one moment to another. */
    call(index: number, sentAtMs: number, endsAtMs: number, error?: MirrorError) {
      standstill.sent(index, sentAtMs)
      end(index, sentAtMs, endsAtMs, error)
    },
    /** Two calls from one moment to another. */
    pair(indexes: readonly [number, number], sentAtMs: number, endsAtMs: number) {
      for (const index of indexes) standstill.sent(index, sentAtMs)
      for (const index of indexes) end(index, sentAtMs, endsAtMs)
    },
  }
}

const faultOf = (name: string): MirrorError => {
  const fault = FAULTS.find((fault) => fault.name === name)
  if (fault === undefined) throw new Error(`there is no fault \`${name}\``)
  return fault.error
}

it('no time is lost while the slots are taken, and none when nothing is left', () => {
  const drain = aDrain(3)
  drain.call(2, 1_000, 1_500)
  drain.pair([0, 1], 1_500, 9_000)
  expect(drain.lostMs(99_000)).toBe(0)
})

it('a probe is due within a minute of the end of the outage, and what it takes longer is lost', () => {
  expect(aDrain(1).lostMs(MINUTE_MS)).toBe(0)
  expect(aDrain(1).lostMs(MINUTE_MS + 7_000)).toBe(7_000)
})

it('a free slot is lost time while one of two is taken', () => {
  const drain = aDrain(3)
  drain.call(0, 0, 1_000)
  drain.call(1, 1_000, 6_000)
  expect(drain.lostMs(6_000)).toBe(5_000)
})

it('full windows ask for a pause, until they have room', () => {
  const drain = aDrain(20)
  drain.call(0, 0, 1_000)
  for (const at of [1, 3, 5, 7]) drain.pair([at, at + 1], 1_000, 1_000)
  drain.call(9, 1_000, 1_000)
  expect(drain.lostMs(MINUTE_MS)).toBe(0)
  expect(drain.pausedMs()).toBe(MINUTE_MS - 1_000)
  expect(drain.lostMs(MINUTE_MS + 3_000)).toBe(3_000)
})

it('after "too many calls" a minute and a tenth is asked for, after a second one an hour', () => {
  const drain = aDrain(20)
  drain.call(0, 0, 1_000)
  drain.call(1, 1_000, 2_000, BLOCKED.error)
  const restedMs = 2_000 + 66_000
  const lostMs = drain.lostMs(2_000)
  expect(drain.lostMs(restedMs) - lostMs).toBeCloseTo(0)
  drain.call(2, restedMs, restedMs, BLOCKED.error)
  expect(drain.lostMs(restedMs + 66 * MINUTE_MS) - lostMs).toBeCloseTo(0)
  expect(drain.lostMs(restedMs + 67 * MINUTE_MS) - lostMs).toBeCloseTo(MINUTE_MS)
})

it.each([
  ['reset', 'the service', 20_000],
  ['refused', 'its own sake', 35 * MINUTE_MS],
])('after `%s` a medium has to wait for %s, but not for longer', (name, _, waitMs) => {
  const drain = aDrain(2)
  drain.call(1, 0, 0)
  drain.call(0, 0, 0, faultOf(name))
  expect(drain.lostMs(waitMs)).toBe(0)
  expect(drain.lostMs(waitMs + 500)).toBe(500)
})

it('a step keeps its slot for half a second before it repeats a call, and others go on in the rest', () => {
  const drain = aDrain(9)
  drain.call(1, 0, 0)
  drain.call(2, 0, 0, faultOf('reset'))
  drain.call(3, 0, 0, faultOf('reset'))
  expect(drain.lostMs(500)).toBe(0)
  expect(drain.lostMs(600)).toBe(100)
})

it('a medium that fails and dies in its pause is excused; one that is renewed in time has not died', () => {
  const drain = aDrain(2)
  drain.call(1, 0, 0)
  drain.call(0, 20_000, 20_000, faultOf('reset'))
  expect(drain.excusedDeaths(29_999)).toBe(0)
  expect(drain.excusedDeaths(30_000)).toBe(1)
  drain.call(0, 29_000, 29_500)
  expect(drain.excusedDeaths(30_000)).toBe(0)
})
