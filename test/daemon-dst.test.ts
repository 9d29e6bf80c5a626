// The whole program over the nights in which a time zone changes its hour: ticks that come twice or not at all cost nothing. A
// file of its own, because node-cron asks for the zone once in the life of a process.
import { afterAll, expect, it, vi } from 'vitest'
import { HOUR_MS } from './helpers/builders.ts'
import { NEVER, startMachine } from './helpers/machine.ts'

const DAY_MS = 24 * HOUR_MS
vi.stubEnv('TZ', 'America/New_York')
afterAll(() => void vi.unstubAllEnvs())

/** The next moment, from tomorrow on, at which the zone sets its clocks ahead or back by so much. */
function nextChangeMs(byMinutes: number): number {
  const offsetMinutes = (atMs: number) => -new Date(atMs).getTimezoneOffset()
  const fromMs = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + DAY_MS
  for (let atMs = fromMs; atMs < fromMs + 400 * DAY_MS; atMs += HOUR_MS)
    if (offsetMinutes(atMs) - offsetMinutes(atMs - 1) === byMinutes) return atMs
  throw new Error('this zone changes its hour no more: take another')
}

/** Six days, with the moment in the middle of the third: what they cost. */
async function liveThrough(momentMs: number, schedule: string) {
  const machine = await startMachine({
    startMs: momentMs - 2.5 * DAY_MS,
    settings: { renewal: { schedule }, restore: { schedule: NEVER } },
  })
  await machine.advance(6 * DAY_MS)
  expect(await machine.look()).toBe(4)
  return { renewals: machine.renewals(), passes: machine.passesWithSteps() }
}

it.each([
  ['skips two in the morning', 'hourly', 60, '30 * * * *'],
  ['skips two in the morning', 'daily at half past two', 60, '30 2 * * *'],
  ['has one in the morning twice', 'hourly', -60, '30 * * * *'],
  ['has one in the morning twice', 'daily at half past one', -60, '30 1 * * *'],
])(
  'a night that %s costs what any other night does: ticks %s',
  async (_, __, byMinutes, schedule) => {
    const momentMs = nextChangeMs(byMinutes)
    expect(await liveThrough(momentMs, schedule)).toEqual(
      await liveThrough(momentMs + 28 * DAY_MS, schedule),
    )
  },
)
