import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WorkloadSlice } from '../../src/manifest/manifest.ts'
import type { Rate } from '../../src/media/rate.ts'
import {
  earlyCreditMs,
  foresee,
  isWorthLeveling,
  measureCapacity,
  workMs,
} from '../../src/plan/capacity.ts'
import { HOUR_MS, NOW_MS, THREE_DAYS } from '../helpers/builders.ts'

const RATE: Rate = { callsPerHour: 1000, bytesPerSecond: undefined }
const dying = (inHours: number, count: number, sizeBytes = 0): WorkloadSlice => ({
  untilMs: NOW_MS + inHours * HOUR_MS,
  count,
  sizeBytes,
})
const outlook = (slices: WorkloadSlice[], rate = RATE) => foresee(slices, rate, THREE_DAYS, NOW_MS)

describe('work', () => {
  it('takes as long as its calls, or as its bytes, whichever is longer', () => {
    const rate = { callsPerHour: 3600, bytesPerSecond: 100 }
    expect(workMs({ count: 10, sizeBytes: 100 }, rate)).toBe(10_000)
    expect(workMs({ count: 1, sizeBytes: 1000 }, rate)).toBe(10_000)
    expect(workMs({ count: 1, sizeBytes: 1000 }, { ...rate, bytesPerSecond: undefined })).toBe(1000)
  })

  it('takes as long as the slots were seen to take, where that is longer', () => {
    const slots = { perCallMs: 3000, perByteMs: 2 }
    expect(workMs({ count: 10, sizeBytes: 100 }, { ...RATE, slots })).toBe(36_000)
    expect(workMs({ count: 10, sizeBytes: 10_000 }, { ...RATE, slots })).toBe(50_000)
  })
})

describe('the outlook', () => {
  it('asks for nothing when nothing is kept alive', () => {
    expect(outlook([])).toEqual({ pace: 0, pressure: 0, roundMs: 0 })
  })

  it('spreads a herd over the time until it is to be renewed, and until it dies', () => {
    // 24,000 media that die in 72 h, to be renewed 24 h before: within 48 h.
    expect(outlook([dying(72, 24_000)])).toEqual({
      pace: 0.5,
      pressure: 24 / 72,
      roundMs: 24 * HOUR_MS,
    })
  })

  it('is made by the tightest of the deadlines, not by the sum of all', () => {
    const tight = dying(36, 9_000)
    expect(outlook([tight, dying(72, 1_000)]).pace).toBe(9_000 / 12_000)
    expect(outlook([dying(36, 1_000), dying(72, 47_000)]).pace).toBe(1)
  })

  it('goes by bytes where they are the tighter limit', () => {
    const rate = { callsPerHour: 1000, bytesPerSecond: 1000 }
    expect(outlook([dying(72, 1, 48 * 3600 * 1000)], rate).pace).toBe(1)
  })

  it('passes by the dead, which have no deadline any more', () => {
    expect(outlook([dying(-1, 1_000_000)])).toEqual({ pace: 0, pressure: 0, roundMs: 0 })
  })

  it('does not call for more than there is because a few are nearly late', () => {
    // 24 h and a second before their death: due in this second, and a matter of the queue.
    expect(outlook([dying(24 + 1 / 3600, 100)]).pace).toBe(0.1)
  })

  it('is the lowest constant rate at which everything is done in time', () => {
    const anySlices = fc
      .array(
        fc.record({
          hours: fc.integer({ min: 26, max: 72 }),
          count: fc.integer({ min: 1, max: 3000 }),
        }),
        {
          minLength: 1,
          maxLength: 30,
        },
      )
      .map((slices) =>
        slices.sort((a, b) => a.hours - b.hours).map(({ hours, count }) => dying(hours, count)),
      )
    fc.assert(
      fc.property(anySlices, (slices) => {
        const { pace } = outlook(slices)
        // In order of the deadlines, at so much of the rate: when is each slice done?
        const latenessAt = (part: number) => {
          let doneMs = NOW_MS
          return slices.map(({ count, sizeBytes, untilMs }) => {
            doneMs += workMs({ count, sizeBytes }, RATE) / part
            return doneMs - (untilMs - THREE_DAYS.beforeMs)
          })
        }
        expect(Math.max(...latenessAt(pace))).toBeLessThanOrEqual(1)
        expect(Math.max(...latenessAt(pace * 0.99))).toBeGreaterThan(0)
      }),
    )
  })
})

describe('capacity', () => {
  const media = (count: number, sizeBytes = 0) =>
    measureCapacity({ count, sizeBytes }, RATE, THREE_DAYS)

  it('is the rate times the mean age at renewal', () => {
    expect(media(1000)).toMatchObject({
      meanAgeMs: 44 * HOUR_MS,
      needed: { callsPerHour: 1000 / 44, bytesPerSecond: 0 },
      mostMedia: 44_000,
      fits: 'yes',
    })
  })

  it.each([
    [44_000, 'yes'],
    [44_001, 'without-reserve'],
    [72_000, 'without-reserve'],
    [72_001, 'too-much'],
  ])('%i media at 1,000 calls an hour fit: %s', (count, fits) => {
    expect(media(count).fits).toBe(fits)
  })

  it('counts bytes where the line is the limit', () => {
    const rate = { callsPerHour: 1000, bytesPerSecond: 1000 }
    const capacity = measureCapacity(
      { count: 10, sizeBytes: 10 * 44 * 3600 * 1000 },
      rate,
      THREE_DAYS,
    )
    expect(capacity).toMatchObject({ fits: 'too-much', mostMedia: 1 })
  })

  it.each([
    ['nothing is known of the slots', undefined, undefined, 'quota', 44_000],
    ['the slots give more than the quota', 3000, undefined, 'quota', 44_000],
    ['they give less', 36_000, undefined, 'slots', 4_400],
    ['they give less than the bandwidth', 36_000, 200, 'slots', 4_400],
    ['the bandwidth makes uploads last', 36_000, 100, 'bandwidth', 4_400],
    ['the bandwidth gives less', 36_000, 50, 'bandwidth', 2_200],
  ])('when %s, that is the limit', (_, perCallMs, bytesPerSecond, limit, mostMedia) => {
    const slots = perCallMs === undefined ? undefined : { perCallMs, perByteMs: 0 }
    const rate = { ...RATE, bytesPerSecond, slots }
    // 3,600 bytes each.
    const work = { count: 1000, sizeBytes: 3_600_000 }
    expect(measureCapacity(work, rate, THREE_DAYS)).toMatchObject({ limit, mostMedia })
  })

  it('has room without end while there is nothing', () => {
    expect(media(0)).toMatchObject({ fits: 'yes', mostMedia: Infinity })
  })
})

it('the tightest of all limits is what the work is measured against', () => {
  const anyRate = fc.record({
    callsPerHour: fc.integer({ min: 1, max: 150_000 }),
    bytesPerSecond: fc.option(fc.integer({ min: 1024, max: 1e9 }), { nil: undefined }),
    slots: fc.option(
      fc.record({
        perCallMs: fc.nat(60_000),
        perByteMs: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      {
        nil: undefined,
      },
    ),
  })
  const anyWork = fc.record({ count: fc.integer({ min: 1, max: 1e6 }), sizeBytes: fc.nat(2e9) })
  fc.assert(
    fc.property(anyRate, anyWork, (rate, work) => {
      const without = { ...rate, slots: undefined }
      const takesMs = workMs(work, rate)
      expect(takesMs).toBeGreaterThanOrEqual(workMs(work, without))
      const { limit, mostMedia } = measureCapacity(work, rate, THREE_DAYS)
      expect(mostMedia).toBeLessThanOrEqual(measureCapacity(work, without, THREE_DAYS).mostMedia)
      if (limit === 'slots') expect(takesMs).toBeGreaterThan(workMs(work, without))
    }),
  )
})

describe('the credit for early renewals', () => {
  const half = { pace: 0.5, pressure: 0.3, roundMs: HOUR_MS }
  const credit = (sinceMs: number, dueMs = 0, creditMs = 0) =>
    earlyCreditMs({ creditMs, sinceMs }, half, dueMs, THREE_DAYS)

  it('is the pace over the time since it was counted, less what fell due by itself', () => {
    expect(credit(60_000)).toBe(30_000)
    expect(credit(60_000, 10_000)).toBe(20_000)
    expect(credit(60_000, 50_000)).toBe(-20_000)
    expect(credit(60_000, 0, -20_000)).toBe(10_000)
  })

  it('never piles up: a clock that leapt a day gives an hour’s worth', () => {
    expect(credit(24 * HOUR_MS)).toBe(HOUR_MS / 2)
    expect(credit(0, 24 * HOUR_MS)).toBe(-HOUR_MS / 2)
  })

  it('is not worth having for a folder that burdens nobody', () => {
    expect(isWorthLeveling(outlook([dying(72, 49)]))).toBe(false)
    expect(isWorthLeveling(outlook([dying(72, 50)]))).toBe(true)
  })
})
