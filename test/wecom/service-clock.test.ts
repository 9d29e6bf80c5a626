import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { MirrorEvent } from '../../src/support/events.ts'
import {
  adjustOffset,
  createServiceClock,
  type KnownServiceTime,
} from '../../src/wecom/service-clock.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** A service whose clock is ahead of ours by so much, and tells only whole seconds. */
function createBench() {
  const clock = createFakeClock()
  const events: MirrorEvent[] = []
  const serviceClock = createServiceClock({ clock, emit: (event) => void events.push(event) })
  const call = async (aheadMs: number, roundTripMs = 40) => {
    const sawDate = serviceClock.startSample()
    await clock.advance(roundTripMs / 2)
    const date = new Date(clock.nowMs() + aheadMs).toUTCString()
    await clock.advance(roundTripMs / 2)
    sawDate(date)
  }
  return { clock, events, serviceClock, call }
}

test('a service that is an hour ahead is believed within a second', async () => {
  const { clock, serviceClock, call } = createBench()
  await call(HOUR_MS)
  expect(Math.abs(serviceClock.skewMs() - HOUR_MS)).toBeLessThan(1_100)
  expect(serviceClock.nowMs() - clock.nowMs()).toBe(serviceClock.skewMs())
})

test.each([0, 900, -900])('%i ms of difference are too little to matter', async (aheadMs) => {
  const { serviceClock, call } = createBench()
  await call(aheadMs)
  expect(serviceClock.skewMs()).toBe(0)
})

test('jitter and whole seconds do not move it', async () => {
  const { serviceClock, call, clock } = createBench()
  await call(10 * MINUTE_MS)
  await call(10 * MINUTE_MS, 300)
  const settledMs = serviceClock.skewMs()
  for (let turn = 0; turn < 30; turn++) {
    await clock.advance(137)
    await call(10 * MINUTE_MS, 600 + turn * 90)
    expect(Math.abs(serviceClock.skewMs() - settledMs)).toBeLessThan(1_000)
  }
})

test.each([
  [24, 'forward'],
  [-24, 'back'],
])('our own clock being set by %i hours is noticed at the next answer', async (hours) => {
  const { clock, serviceClock, call } = createBench()
  await call(0)
  clock.leap(hours * HOUR_MS)
  await call(-hours * HOUR_MS)
  expect(Math.abs(serviceClock.skewMs() + hours * HOUR_MS)).toBeLessThan(1_100)
})

test('a long call tells only that what it says has been', () => {
  const sample = { receivedAtMs: 5_000_000, tookMs: 11 * MINUTE_MS }
  expect(adjustOffset(5_000, { ...sample, dateMs: 4_000_000 })).toBe(5_000)
  expect(adjustOffset(5_000, { ...sample, dateMs: 5_009_000 })).toBe(9_000)
})

test.each([undefined, '', 'yesterday', 'yesterday GMT', 'Sun, 22 Nov 2026 10:00:00'])(
  'the Date %j says nothing',
  (date) => {
    const { serviceClock } = createBench()
    serviceClock.startSample()(date)
    expect(serviceClock.skewMs()).toBe(0)
  },
)

test('a skew above two minutes is told once, and again only when it has changed much', async () => {
  const { events, call } = createBench()
  const skews = () => events.map((event) => event.kind === 'clock-skew' && event.skewMs / MINUTE_MS)
  await call(MINUTE_MS)
  expect(skews()).toEqual([])
  await call(5 * MINUTE_MS)
  await call(5 * MINUTE_MS + 30_000)
  expect(skews()).toEqual([expect.closeTo(5, 1)])
  await call(9 * MINUTE_MS)
  expect(skews()).toEqual([expect.closeTo(5, 1), expect.closeTo(9, 1)])
  await call(0)
  await call(5 * MINUTE_MS)
  expect(skews()).toHaveLength(3)
})

/** A service whose time is the true one, and a machine whose clock is set, suspended, and asks now and then. */
function createTimeline(known?: KnownServiceTime) {
  const clock = createFakeClock()
  const startMs = clock.nowMs()
  let suspendedMs = 0
  const trueMs = () => startMs + clock.monotonicMs() + suspendedMs
  const start = (knownBefore: KnownServiceTime | undefined) =>
    createServiceClock({ clock, emit: () => {}, known: knownBefore })
  const serviceClock = start(known)
  return {
    clock,
    serviceClock,
    restart: () => start(serviceClock.known()),
    errorMs: () => serviceClock.nowMs() - trueMs(),
    suspend(forMs: number) {
      suspendedMs += forMs
      clock.leap(forMs)
    },
    async call(during: () => void = () => {}) {
      const sawDate = serviceClock.startSample()
      await clock.advance(20)
      const date = new Date(trueMs()).toUTCString()
      during()
      await clock.advance(20)
      sawDate(date)
    },
  }
}

type Timeline = ReturnType<typeof createTimeline>

test.each<[string, (line: Timeline) => void]>([
  ['is set forward by a day', ({ clock }) => clock.leap(DAY_MS)],
  ['is set back by a day', ({ clock }) => clock.leap(-DAY_MS)],
  ['was suspended for a week', ({ suspend }) => suspend(7 * DAY_MS)],
  [
    'is set forward and back again',
    ({ clock }) => {
      clock.leap(DAY_MS)
      clock.leap(-DAY_MS - HOUR_MS)
    },
  ],
])(
  'when the machine %s, no id seems younger than it is, and the next answer puts it right',
  async (_name, befall) => {
    const line = createTimeline()
    await line.call()
    await line.clock.advance(3 * HOUR_MS)
    befall(line)
    for (let hour = 0; hour < 30; hour++) {
      expect(line.errorMs()).toBeGreaterThanOrEqual(-1)
      await line.clock.advance(HOUR_MS)
    }
    await line.call()
    expect(Math.abs(line.errorMs())).toBeLessThan(1_100)
  },
)

test.each<[string, (line: Timeline) => void]>([
  ['is set forward by a day', ({ clock }) => clock.leap(DAY_MS)],
  ['is set back by a day', ({ clock }) => clock.leap(-DAY_MS)],
  ['is suspended for a week', ({ suspend }) => suspend(7 * DAY_MS)],
])('when the machine %s in the middle of a call, the same holds', async (_name, befall) => {
  const line = createTimeline()
  await line.call()
  await line.call(() => befall(line))
  expect(line.errorMs()).toBeGreaterThanOrEqual(-1)
  await line.call()
  expect(Math.abs(line.errorMs())).toBeLessThan(1_100)
})

test('an answer that took very long does not bring back the time that was lost', async () => {
  const line = createTimeline()
  await line.call()
  line.clock.leap(-DAY_MS)
  const sawDate = line.serviceClock.startSample()
  const date = new Date(line.serviceClock.nowMs()).toUTCString()
  await line.clock.advance(20 * MINUTE_MS)
  sawDate(date)
  expect(line.errorMs()).toBeGreaterThanOrEqual(-1)
})

test('a clock that is set back before the first answer is noticed too', async () => {
  const line = createTimeline()
  line.clock.leap(-DAY_MS)
  expect(line.errorMs()).toBe(0)
  expect(line.serviceClock.skewMs()).toBe(DAY_MS)
})

test('whatever befalls the clock, time at the service is never thought earlier than it is', async () => {
  const befalls = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: DAY_MS }) }),
      fc.record({
        kind: fc.constant('leap' as const),
        ms: fc.integer({ min: -30 * DAY_MS, max: 30 * DAY_MS }),
      }),
      fc.record({ kind: fc.constant('call' as const), ms: fc.constant(0) }),
      fc.record({
        kind: fc.constant('leap-in-call' as const),
        ms: fc.integer({ min: -DAY_MS, max: DAY_MS }),
      }),
    ),
    { maxLength: 30 },
  )
  await fc.assert(
    fc.asyncProperty(befalls, async (happenings) => {
      const line = createTimeline()
      for (const { kind, ms } of happenings) {
        if (kind === 'pass') await line.clock.advance(ms)
        if (kind === 'leap') line.clock.leap(ms)
        if (kind === 'call') await line.call()
        if (kind === 'leap-in-call') await line.call(() => line.clock.leap(ms))
        // A known offset is left alone while it is less than two seconds off, so as not to follow every jitter.
        expect(line.errorMs()).toBeGreaterThanOrEqual(-2_000)
        if (kind === 'call') expect(Math.abs(line.errorMs())).toBeLessThanOrEqual(2_000)
      }
    }),
    { numRuns: 60 },
  )
})

test('summer time begins and ends without the service noticing', async () => {
  const before = process.env.TZ
  onTestFinished(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })
  process.env.TZ = 'Europe/Berlin'
  const clock = createFakeClock(Date.UTC(2026, 9, 25, 0, 30))
  const serviceClock = createServiceClock({ clock, emit: () => {} })
  const offsets = new Set<number>()
  for (let quarter = 0; quarter < 8; quarter++) {
    offsets.add(new Date(clock.nowMs()).getTimezoneOffset())
    serviceClock.startSample()(new Date(clock.nowMs()).toUTCString())
    expect(serviceClock.nowMs()).toBe(clock.nowMs())
    await clock.advance(15 * MINUTE_MS)
  }
  expect([...offsets]).toEqual([-120, -60])
})

test('what was known is where the next run begins, until the service says otherwise', async () => {
  const line = createTimeline()
  expect(line.serviceClock.known()).toBeUndefined()
  line.clock.leap(-DAY_MS)
  await line.call()
  const next = line.restart()
  expect(next.skewMs()).toBeGreaterThan(DAY_MS - 2_000)
  expect(next.nowMs()).toBeGreaterThanOrEqual(line.serviceClock.nowMs() - 1)
  expect(next.known()).toEqual(line.serviceClock.known())
})

test('a machine that was ahead may have been set right while nobody looked: the later is believed', async () => {
  const line = createTimeline()
  line.clock.leap(DAY_MS)
  await line.call()
  expect(line.serviceClock.skewMs()).toBeLessThan(-DAY_MS + 2_000)
  line.clock.leap(-DAY_MS)
  // Off, and not asleep: but for the clock, the next run sees the same.
  line.suspend(HOUR_MS)
  const next = line.restart()
  expect(next.nowMs()).toBe(line.clock.nowMs())
  expect(next.known()).toEqual(line.serviceClock.known())
})

test('a machine that forgot the date while it was off starts no earlier than what was known', () => {
  const clock = createFakeClock(0)
  const atMs = Date.UTC(2026, 10, 22)
  const serviceClock = createServiceClock({ clock, emit: () => {}, known: { skewMs: 0, atMs } })
  expect(serviceClock.nowMs()).toBe(atMs)
  expect(serviceClock.skewMs()).toBe(atMs)
})
