import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createQuota, nextFreeAtMs, recordCall } from '../../src/wecom/quota.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const T0 = Date.UTC(2026, 10, 22, 8)

/** The moments of so many calls, each made as soon as allowed. */
function callTimes(count: number, quota: Parameters<typeof createQuota>[0]): number[] {
  const times: number[] = []
  let state = createQuota(quota)
  let nowMs = T0
  for (let made = 0; made < count; made++) {
    nowMs = nextFreeAtMs(state, nowMs)
    state = recordCall(state, nowMs)
    times.push(nowMs - T0)
  }
  return times
}

const mostWithin = (times: readonly number[], spanMs: number): number =>
  Math.max(...times.map((from) => times.filter((t) => t >= from && t < from + spanMs).length))

test('what fits goes at once, the next call waits for the minute to pass', () => {
  const times = callTimes(11, { perMinute: 10, perHour: 1000, share: 1 })
  expect(times.slice(0, 10)).toEqual(Array(10).fill(0))
  expect(times[10]).toBeGreaterThanOrEqual(MINUTE_MS)
  expect(times[10]).toBeLessThanOrEqual(MINUTE_MS + 1_000)
})

test('the hour counts too', () => {
  const times = callTimes(31, { perMinute: 10, perHour: 30, share: 1 })
  expect(times[29]).toBeLessThan(3 * MINUTE_MS)
  expect(times[30]).toBeGreaterThanOrEqual(HOUR_MS)
})

test('the share is taken of both windows, and is never nothing', () => {
  expect(mostWithin(callTimes(12, { perMinute: 10, perHour: 1000, share: 0.5 }), MINUTE_MS)).toBe(5)
  expect(mostWithin(callTimes(3, { perMinute: 10, perHour: 1000, share: 0.01 }), MINUTE_MS)).toBe(1)
})

test('no span of a minute or an hour ever holds more than its limit', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 80 })
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 9 }), (waits, perMinute) => {
      let state = createQuota({ perMinute, perHour: perMinute * 3, share: 1 })
      let nowMs = T0
      const times = waits.map((waitMs) => {
        nowMs = nextFreeAtMs(state, nowMs + waitMs)
        state = recordCall(state, nowMs)
        return nowMs
      })
      expect(mostWithin(times, MINUTE_MS)).toBeLessThanOrEqual(perMinute)
      expect(mostWithin(times, HOUR_MS)).toBeLessThanOrEqual(perMinute * 3)
    }),
  )
})

test('a clock that falls back an hour costs one minute, not one hour more', () => {
  let state = createQuota({ perMinute: 2, perHour: 1000, share: 1 })
  state = recordCall(recordCall(state, T0), T0)
  const afterMs = T0 - HOUR_MS
  expect(nextFreeAtMs(state, afterMs) - afterMs).toBeLessThanOrEqual(MINUTE_MS + 1_000)
})

test('a clock that leaps a day frees everything', () => {
  const state = recordCall(createQuota({ perMinute: 1, perHour: 1, share: 1 }), T0)
  expect(nextFreeAtMs(state, T0 + 24 * HOUR_MS)).toBe(T0 + 24 * HOUR_MS)
})

test('a full hour is kept in a handful of numbers', () => {
  let state = createQuota({ perMinute: 1e6, perHour: 1e9, share: 1 })
  for (let call = 0; call < 20_000; call++) state = recordCall(state, T0 + call * 360)
  for (const { buckets } of state) expect(buckets.length).toBeLessThanOrEqual(62)
})
