import { expect, test } from 'vitest'
import type { MirrorEvent } from '../../src/support/events.ts'
import { adjustOffset, createServiceClock } from '../../src/wecom/service-clock.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

const MINUTE_MS = 60_000

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
  await call(60 * MINUTE_MS)
  expect(Math.abs(serviceClock.skewMs() - 60 * MINUTE_MS)).toBeLessThan(1_100)
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

test('our own clock being set is noticed at the next answer', async () => {
  const { clock, serviceClock, call } = createBench()
  await call(0)
  clock.leap(24 * 60 * MINUTE_MS)
  await call(-24 * 60 * MINUTE_MS)
  expect(Math.abs(serviceClock.skewMs() + 24 * 60 * MINUTE_MS)).toBeLessThan(1_100)
})

test.each([
  ['the clock was set back during the call', { sentAtMs: 100_000, receivedAtMs: 0 }],
  ['the call took very long', { sentAtMs: 0, receivedAtMs: 11 * MINUTE_MS }],
])('nothing is learnt when %s', (_name, times) => {
  expect(adjustOffset(5_000, { dateMs: 5_000_000, ...times })).toBe(5_000)
})

test.each([undefined, '', 'yesterday'])('the Date %j says nothing', (date) => {
  const { serviceClock } = createBench()
  serviceClock.startSample()(date)
  expect(serviceClock.skewMs()).toBe(0)
})

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
