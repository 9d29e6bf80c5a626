// The whole program under clocks that do what they should not: whatever the machine's clock says, no id is handed out that the
// service would refuse (every look of the machine demands that), and the fright costs one pass at most.
import { describe, expect, it } from 'vitest'
import { HOUR_MS } from './helpers/builders.ts'
import { type Machine, NEVER, startMachine } from './helpers/machine.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * HOUR_MS
const WEEK_MS = 7 * DAY_MS
const SIX_DAYS_MS = 6 * DAY_MS
/** The ticks alone make passes, so that these can be counted: what a rescan finds due is renewed as well. */
const HOURLY = {
  renewal: { schedule: '0 * * * *' },
  restore: { schedule: '0 * * * *' },
  folder: { rescan: '30d' },
}
/** Of four files in six days: the first upload of all, and one pass each 44 hours that renews all. */
const ORDINARY = { renewals: [3, 3, 3, 3], passesWithSteps: 4 }
/** Due 28 hours before the end, and renewed at the next tick; what comes of a clock may make it miss that one. */
const LEAST_LEFT_MS = 26 * HOUR_MS

const startHourly = () => startMachine({ settings: HOURLY })

const costOf = (machine: Machine) => ({
  renewals: machine.renewals(),
  passesWithSteps: machine.passesWithSteps(),
})

/** One renewal less is what a pass more can lead to: everything begins anew from there. */
function expectOnePassMoreAtMost(machine: Machine) {
  const { renewals, passesWithSteps } = costOf(machine)
  for (const [number, ordinary] of ORDINARY.renewals.entries()) {
    expect(renewals[number]).toBeGreaterThanOrEqual(ordinary - 1)
    expect(renewals[number]).toBeLessThanOrEqual(ordinary + 1)
  }
  expect(passesWithSteps).toBeLessThanOrEqual(ORDINARY.passesWithSteps + 1)
}

it('renews each file every 44 hours as long as nothing happens', async () => {
  const machine = await startHourly()
  await machine.advance(SIX_DAYS_MS)
  expect(costOf(machine)).toEqual(ORDINARY)
  expect(machine.skews()).toEqual([])
})

describe('a wall clock', () => {
  /** The last answer of the service is 30 hours old when the clock leaps, and so are the ids. */
  async function liveWithLeaps(leaps: readonly number[]) {
    const machine = await startHourly()
    await machine.advance(30 * HOUR_MS)
    for (const leapMs of leaps) {
      machine.leap(leapMs)
      await machine.look()
      await machine.advance(6 * HOUR_MS)
      expect(await machine.look()).toBe(4)
    }
    await machine.advance(SIX_DAYS_MS - (30 + 6 * leaps.length) * HOUR_MS)
    return machine
  }

  it.each<[string, number]>([
    ['leaps an hour ahead', HOUR_MS],
    ['leaps a day ahead', DAY_MS],
    ['leaps a week ahead', WEEK_MS],
    ['falls back an hour', -HOUR_MS],
    ['falls back a day', -DAY_MS],
    ['falls back a week', -WEEK_MS],
  ])('that %s costs one pass at most and no id its life, and is told of once', leapOnce)

  async function leapOnce(_: string, leapMs: number) {
    const machine = await liveWithLeaps([leapMs])
    expectOnePassMoreAtMost(machine)
    expect(machine.leastLeftMs()).toBeGreaterThanOrEqual(LEAST_LEFT_MS)
    expect(machine.skews()).toEqual([expect.closeTo(-leapMs, -4)])
    expect((await machine.status()).clock_skew_ms).toBeCloseTo(-leapMs, -4)
  }

  it.each<[string, readonly number[]]>([
    ['leaps a day ahead and is set right', [DAY_MS, -DAY_MS]],
    ['does not come to rest', [DAY_MS, -WEEK_MS, 8 * DAY_MS, -2 * DAY_MS]],
    ['falls back a day and is set right', [-DAY_MS, DAY_MS]],
  ])('that %s costs one pass a leap at most', leapAgain)

  async function leapAgain(_: string, leaps: readonly number[]) {
    const machine = await liveWithLeaps(leaps)
    const most = ORDINARY.passesWithSteps + leaps.length
    expect(machine.passesWithSteps()).toBeLessThanOrEqual(most)
    expect(machine.leastLeftMs()).toBeGreaterThanOrEqual(LEAST_LEFT_MS)
    expect(Math.abs((await machine.status()).clock_skew_ms)).toBeLessThan(2000)
  }

  it.each([
    ['ahead', DAY_MS],
    ['back', -DAY_MS],
  ])(
    'that is set a day %s while uploads are under way gives no id too long a life',
    async (_, leapMs) => {
      const machine = await startHourly()
      await machine.advance(43.5 * HOUR_MS)
      const pass = machine.wecom.controls.addFault({
        when: { api: 'upload' },
        fault: { kind: 'stall', forMs: 20_000 },
      })
      await machine.advanceUntilStruckBy('stall')
      pass()
      machine.leap(leapMs)
      await machine.look()
      await machine.elapse(20_000)
      expect(await machine.look()).toBe(4)
      await machine.advance(SIX_DAYS_MS - 45 * HOUR_MS)
      expectOnePassMoreAtMost(machine)
      expect(machine.skews()).toEqual([expect.closeTo(-leapMs, -4)])
    },
  )

  it('that is set back two days before a restart makes no dead id live again', async () => {
    const machine = await startHourly()
    await machine.advance(43 * HOUR_MS)
    machine.leap(-2 * DAY_MS)
    await machine.restart()
    await machine.advance(30 * HOUR_MS)
    expect(await machine.look()).toBe(4)
    expect(machine.renewals()).toEqual([1, 1, 1, 1])
  })
})

describe('a suspend', () => {
  it('of a night costs nothing', async () => {
    const machine = await startHourly()
    await machine.advance(30 * HOUR_MS)
    machine.suspend(10 * HOUR_MS)
    expect(await machine.look()).toBe(4)
    await machine.advance(SIX_DAYS_MS - 40 * HOUR_MS)
    expect(costOf(machine)).toEqual(ORDINARY)
    expect(machine.skews()).toEqual([])
  })

  it('of a week hands out none of the dead, and one pass renews each once', async () => {
    const machine = await startHourly()
    await machine.advance(30 * HOUR_MS)
    machine.suspend(WEEK_MS)
    expect(await machine.look()).toBe(0)
    await machine.advance(HOUR_MS)
    expect(await machine.look()).toBe(4)
    expect(machine.renewals()).toEqual([1, 1, 1, 1])
    expect(machine.passesWithSteps()).toBeLessThanOrEqual(2)
    expect(machine.skews()).toEqual([])
    await machine.advance(43 * HOUR_MS)
    expect(machine.renewals()).toEqual([1, 1, 1, 1])
    await machine.advance(2 * HOUR_MS)
    expect(machine.renewals()).toEqual([2, 2, 2, 2])
  })
})

describe('a skew', () => {
  it.each([
    ['three minutes ahead', 3 * MINUTE_MS],
    ['three minutes behind', -3 * MINUTE_MS],
    ['26 hours ahead', 26 * HOUR_MS],
    ['26 hours behind', -26 * HOUR_MS],
  ])(
    'of a service that is %s is told of once, and lives are counted by the service',
    async (_, clockSkewMs) => {
      const machine = await startMachine({ settings: HOURLY, clockSkewMs })
      await machine.advance(SIX_DAYS_MS)
      expect(machine.skews()).toEqual([expect.closeTo(clockSkewMs, -4)])
      expect(costOf(machine)).toEqual(ORDINARY)
      expect(machine.leastLeftMs()).toBeGreaterThanOrEqual(LEAST_LEFT_MS)
    },
  )

  it('of less than two minutes is not worth a word', async () => {
    const machine = await startMachine({ settings: HOURLY, clockSkewMs: 110_000 })
    await machine.advance(3 * DAY_MS)
    expect(machine.skews()).toEqual([])
  })
})

it('renews what is in danger however far the next renewal tick, and whatever other passes come', async () => {
  const machine = await startMachine({
    settings: { renewal: { schedule: NEVER }, restore: { schedule: '*/5 * * * *' } },
  })
  await machine.advance(WEEK_MS)
  expect(machine.renewals()).toEqual([2, 2, 2, 2])
  expect(machine.leastLeftMs()).toBeGreaterThan(5.9 * HOUR_MS)
})
