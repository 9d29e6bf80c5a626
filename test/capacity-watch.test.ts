// When a line is said about capacity, and what it says.
import { describe, expect, it } from 'vitest'
import { createCapacityWatch, isCapacityNews } from '../src/capacity-watch.ts'
import { measureCapacity } from '../src/plan/capacity.ts'
import { describeEvent } from '../src/support/event-text.ts'
import { createEvents, type MirrorEvent } from '../src/support/events.ts'
import { HOUR_MS, NOW_MS, THREE_DAYS } from './helpers/builders.ts'
import { createFakeClock } from './helpers/fake-clock.ts'

const MINUTE_MS = 60_000
/** 44 h apart on average, at 1000 calls/h: 44,000 media fit, 72,000 with luck. */
const RATE = { callsPerHour: 1000, bytesPerSecond: undefined }
const of = (count: number, bytesPerSecond?: number) =>
  measureCapacity({ count, sizeBytes: count * 2 ** 20 }, { ...RATE, bytesPerSecond }, THREE_DAYS)

describe('capacity is worth a line', () => {
  it.each<[number, number | undefined, number, boolean, string]>([
    [0, undefined, 0, false, 'an empty folder says nothing at start'],
    [1, undefined, 0, true, 'anything else does'],
    [119, 100, 2 * HOUR_MS, false, 'less than a fifth more'],
    [120, 100, 2 * HOUR_MS, true, 'a fifth more'],
    [80, 100, 2 * HOUR_MS, true, 'a fifth less'],
    [200, 100, HOUR_MS / 2, false, 'more, and told only lately'],
    [2, 1, 2 * HOUR_MS, true, 'few, and twice as many'],
    [44_001, 44_000, 0, true, 'it does not fit any more: at once'],
    [72_001, 44_001, 0, true, 'it fits even less: at once'],
    [44_000, 44_001, HOUR_MS / 2, false, 'it fits again, which waits'],
    [44_000, 44_001, HOUR_MS, true, 'it fits again'],
  ])('%i media after %s told %i ms ago: %s (%s)', (now, told, agoMs, isNews, _why) => {
    const before = told === undefined ? undefined : { capacity: of(told), agoMs }
    expect(isCapacityNews(of(now), before)).toBe(isNews)
  })
})

describe('the watch', () => {
  it('looks at start and after passes, at most once a minute, and tells what is news', async () => {
    const clock = createFakeClock()
    const events = createEvents()
    const told: number[] = []
    events.subscribe((event) => {
      if (event.kind === 'capacity-measured') told.push(event.capacity.media.count)
    })
    let count = 1000
    let looks = 0
    const capacity = async () => {
      looks++
      return of(count)
    }
    const onBug = (bug: unknown) => {
      throw bug
    }
    const stop = createCapacityWatch({ clock, events, capacity, onBug }).start()
    const pass = async () => {
      events.emit({ kind: 'pass-planned', because: 'tick', steps: 0, tookMs: 0 })
      await clock.advance(MINUTE_MS)
    }
    await pass()
    count = 50_000
    for (let turn = 0; turn < 3; turn++) await pass()
    count = 1000
    for (let turn = 0; turn < 70; turn++) await pass()
    stop()
    await pass()
    expect(told).toEqual([1000, 50_000, 1000])
    expect(looks).toBe(74)
  })
})

describe('the line', () => {
  const say = (capacity: ReturnType<typeof of>) => {
    const event: MirrorEvent = { kind: 'capacity-measured', capacity }
    return describeEvent(event, NOW_MS)
  }

  it('has the numbers when it fits', () => {
    expect(say(of(10_000))).toEqual({
      level: 'info',
      message:
        '10000 media (9.7 GB), each renewed every 44 h on average, take 228 of the 1000 calls/h allowed: that fits, and up to 44000 such media would',
      hint: undefined,
    })
  })

  it('names the setting that helps when calls are scarce', () => {
    expect(say(of(50_000))).toMatchObject({
      level: 'warn',
      message: expect.stringContaining('1137 of the 1000 calls/h allowed: that is more than'),
      hint: 'Raise `wecom.quota.share`, lower `renewal.before` or `renewal.spread`, or keep at most 44000 media in the folder.',
    })
    expect(say(of(80_000)).hint).toBe(
      'Raise `wecom.quota.share` or keep at most 44000 media in the folder.',
    )
  })

  it('names the setting that helps when the line is narrow', () => {
    const { message, hint } = say(of(10_000, 50 * 2 ** 10))
    expect(message).toContain('228 of the 1000 calls/h allowed and 64.6 KB/s of 50 KB/s')
    expect(hint).toMatch(/^Raise `transfer.bandwidth`, lower/)
    expect(say(of(80_000, 50 * 2 ** 10)).hint).toMatch(
      /^Raise `wecom.quota.share` and `transfer.bandwidth` or keep at most 7734 media/,
    )
  })

  it('names `transfer.uploads` when answers are slow', () => {
    const slots = { perCallMs: 36_000, perByteMs: 0 }
    const media = { count: 5_000, sizeBytes: 5_000 * 2 ** 20 }
    const { message, hint } = say(measureCapacity(media, { ...RATE, slots }, THREE_DAYS))
    expect(message).toContain(
      '114 of the 1000 calls/h allowed and of the 100 that the upload slots give',
    )
    expect(hint).toMatch(/^Raise `transfer.uploads`, lower .* or keep at most 4400 media/)
  })

  it('says of an empty folder what is allowed', () => {
    expect(say(of(0)).message).toBe('nothing to keep alive: it takes 0 of the 1000 calls/h allowed')
  })
})
