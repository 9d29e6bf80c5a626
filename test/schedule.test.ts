// Ticks by the clock on the wall, with fake timers: node-cron brings its own, so here they cannot come by argument.
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { createSchedule } from '../src/schedule.ts'
import { systemClock } from '../src/support/clock.ts'
import type { MirrorEvent } from '../src/support/events.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 22, 8, 0, 30) })
})
afterEach(() => {
  // Nothing may be left over: a timer of a stopped schedule would keep the process open.
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function startSchedule(...expressions: string[]) {
  const told: MirrorEvent[] = []
  const calls: string[] = []
  const schedule = createSchedule({
    ticks: expressions.map((expression) => ({
      name: expression,
      expression,
      onTick: () => calls.push(expression),
    })),
    clock: systemClock,
    emit: (event) => told.push(event),
  })
  schedule.start()
  onTestFinished(() => schedule.stop())
  return { schedule, told, calls }
}

const FIVE = '*/5 * * * *'
const SECONDS = '*/2 * * * * *'
const MINUTE_MS = 60_000

it('calls back at every tick, each schedule at its own', async () => {
  const { schedule, calls, told } = startSchedule(FIVE, '17 3 * * *')
  await vi.advanceTimersByTimeAsync(4 * MINUTE_MS)
  expect(calls).toEqual([])
  await vi.advanceTimersByTimeAsync(11 * MINUTE_MS)
  expect(calls).toEqual([FIVE, FIVE, FIVE])
  expect(told).toEqual([])
  await schedule.stop()
})

it('takes six fields, the first of them seconds', async () => {
  const { schedule, calls } = startSchedule(SECONDS)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(calls).toHaveLength(5)
  await schedule.stop()
})

it('calls back for a tick that is a little late, without a word', async () => {
  const { schedule, calls, told } = startSchedule(FIVE)
  await vi.advanceTimersByTimeAsync(4 * MINUTE_MS)
  vi.setSystemTime(Date.UTC(2026, 10, 22, 8, 5, 20))
  await vi.advanceTimersByTimeAsync(MINUTE_MS)
  expect({ calls, told }).toEqual({ calls: [FIVE], told: [] })
  await schedule.stop()
})

it('tells of a missed tick and makes it good', async () => {
  const { schedule, calls, told } = startSchedule(FIVE)
  vi.setSystemTime(Date.UTC(2026, 10, 22, 8, 8))
  await vi.advanceTimersByTimeAsync(4.5 * MINUTE_MS)
  // 8:05 was missed; by now it is 8:12:30, so 8:10 is too late as well, and both come to one.
  expect(told).toEqual([{ kind: 'tick-missed', schedule: FIVE }])
  expect(calls).toEqual([FIVE])
  await vi.advanceTimersByTimeAsync(3 * MINUTE_MS)
  expect(calls).toEqual([FIVE, FIVE])
  await schedule.stop()
})

it('makes hours of missed ticks good with one pass, and goes on', async () => {
  const { schedule, calls, told } = startSchedule(SECONDS)
  vi.setSystemTime(Date.UTC(2026, 10, 22, 12, 0, 31, 500))
  await vi.advanceTimersByTimeAsync(2000)
  expect(told).toEqual([{ kind: 'tick-missed', schedule: SECONDS }])
  const caughtUp = calls.length
  expect(caughtUp).toBeLessThanOrEqual(2)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(calls).toHaveLength(caughtUp + 5)
  await schedule.stop()
})

it('calls nobody back once it is stopped, and can be stopped twice', async () => {
  const { schedule, calls } = startSchedule(FIVE)
  await schedule.stop()
  await vi.advanceTimersByTimeAsync(60 * MINUTE_MS)
  expect(calls).toEqual([])
  await schedule.stop()
})
