import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allowedRate } from '../../src/wecom/allowed-rate.ts'
import {
  createQuota,
  nextFreeAtMs,
  type QuotaShare,
  quotaUse,
  recordCall,
  settleQuota,
} from '../../src/wecom/quota.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const T0 = Date.UTC(2026, 10, 22, 8)

/** The moments of so many calls, each made as soon as allowed. */
function callTimes(count: number, quota: QuotaShare, startMs = T0): number[] {
  const times: number[] = []
  let state = createQuota(quota)
  let nowMs = startMs
  for (let made = 0; made < count; made++) {
    nowMs = nextFreeAtMs(state, nowMs)
    state = recordCall(state, nowMs)
    times.push(nowMs - startMs)
  }
  return times
}

/** Counted one by one, as no program could afford to. */
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

/** After so much time somebody calls; before that, his clock may have been set back. */
const calls = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 200_000 })),
    setBackMs: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 25 * HOUR_MS }) },
    ),
  }),
  { minLength: 1, maxLength: 120 },
)

test('no minute and no hour ever holds more than its limit, wherever it begins and however often the clock is set back', () => {
  fc.assert(
    fc.property(calls, fc.integer({ min: 1, max: 9 }), (moments, perMinute) => {
      const perHour = perMinute * 4
      let state = createQuota({ perMinute, perHour, share: 1 })
      let passedMs = 0
      let nowMs = T0
      const times = moments.map(({ waitMs, setBackMs }) => {
        passedMs += waitMs
        nowMs += waitMs - setBackMs
        state = settleQuota(state, nowMs)
        const freeAtMs = nextFreeAtMs(state, nowMs)
        expect(freeAtMs - nowMs).toBeLessThanOrEqual(HOUR_MS + MINUTE_MS)
        passedMs += freeAtMs - nowMs
        nowMs = freeAtMs
        expect(nextFreeAtMs(state, nowMs)).toBe(nowMs)
        state = recordCall(state, nowMs)
        return passedMs
      })
      expect(mostWithin(times, MINUTE_MS)).toBeLessThanOrEqual(perMinute)
      expect(mostWithin(times, HOUR_MS)).toBeLessThanOrEqual(perHour)
    }),
    { numRuns: 300 },
  )
})

test('whoever always has something to send loses at most one bucket of each span', () => {
  const quotas = fc.record({
    perMinute: fc.integer({ min: 1, max: 40 }),
    perHour: fc.integer({ min: 1, max: 400 }),
    phaseMs: fc.integer({ min: 0, max: HOUR_MS }),
  })
  fc.assert(
    fc.property(quotas, ({ perMinute, perHour, phaseMs }) => {
      const quota = { perMinute, perHour, share: 1 }
      const times = callTimes(1_000, quota, T0 + phaseMs)
      const lastMs = times.at(-1) ?? 0
      const fair = Math.min((lastMs / MINUTE_MS) * perMinute, (lastMs / HOUR_MS) * perHour)
      expect(times.length).toBeGreaterThanOrEqual(fair * (1 - 1 / 240))
      // The rate that plans are made with is never more than what is really reached.
      const { callsPerHour } = allowedRate({ quota, bandwidthBytesPerSecond: undefined })
      expect(callsPerHour).toBeLessThanOrEqual(
        Math.max(1, (times.length / Math.max(lastMs, 1)) * HOUR_MS),
      )
    }),
    { numRuns: 60 },
  )
})

test('a clock that falls back an hour costs one minute, not one hour more', () => {
  let state = createQuota({ perMinute: 2, perHour: 1000, share: 1 })
  state = recordCall(recordCall(state, T0), T0)
  const afterMs = T0 - HOUR_MS
  state = settleQuota(state, afterMs)
  const freeAtMs = nextFreeAtMs(state, afterMs)
  expect(freeAtMs - afterMs).toBeLessThanOrEqual(MINUTE_MS + 1_000)
  expect(nextFreeAtMs(settleQuota(state, freeAtMs), freeAtMs)).toBe(freeAtMs)
})

test('a clock that leaps a day frees everything', () => {
  const state = recordCall(createQuota({ perMinute: 1, perHour: 1, share: 1 }), T0)
  expect(nextFreeAtMs(state, T0 + 24 * HOUR_MS)).toBe(T0 + 24 * HOUR_MS)
})

test('a full hour is kept in a handful of numbers', () => {
  let state = createQuota({ perMinute: 1e6, perHour: 1e9, share: 1 })
  for (let call = 0; call < 200_000; call++) state = recordCall(state, T0 + call * 360)
  for (const { log } of [state.minute, state.hour]) expect(log.length).toBeLessThanOrEqual(1300)
  for (const spent of Object.values(quotaUse(state, T0 + 72_000_000)))
    expect(spent.length).toBeLessThanOrEqual(241)
})

test('another run goes on where this one stopped', () => {
  const quota = { perMinute: 10, perHour: 30, share: 1 }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 60 }), (waits) => {
      let one = createQuota(quota)
      let nowMs = T0
      for (const waitMs of waits) {
        nowMs = nextFreeAtMs(settleQuota(one, nowMs + waitMs), nowMs + waitMs)
        one = recordCall(one, nowMs)
      }
      // On a time of its own, as a process that starts has.
      const offMs = 77_000 - nowMs
      let other = createQuota(quota, quotaUse(one, nowMs), nowMs + offMs)
      for (let call = 0; call < 40; call++) {
        const free = [nextFreeAtMs(one, nowMs), nextFreeAtMs(other, nowMs + offMs) - offMs]
        // Never earlier; by a bucket later, since buckets of the one begin within buckets of the other.
        expect(free[1] as number).toBeGreaterThanOrEqual((free[0] as number) - 15_000)
        nowMs = Math.max(...free)
        one = recordCall(one, nowMs)
        other = recordCall(other, nowMs + offMs)
      }
    }),
    { numRuns: 100 },
  )
})

test('counting changes no state that somebody still holds', () => {
  const before = createQuota({ perMinute: 1, perHour: 1, share: 1 })
  recordCall(before, T0)
  expect(nextFreeAtMs(before, T0)).toBe(T0)
})

test.each([
  [{ perMinute: 10_000, perHour: 150_000, share: 0.5 }, 74_688],
  [{ perMinute: 10, perHour: 150_000, share: 1 }, 597],
  [{ perMinute: 1, perHour: 1, share: 0.01 }, 1],
])('the rate that %j allows is the tighter window, less its buckets', (quota, callsPerHour) => {
  expect(allowedRate({ quota, bandwidthBytesPerSecond: 1024 })).toEqual({
    callsPerHour,
    bytesPerSecond: 1024,
  })
})
