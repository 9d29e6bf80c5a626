// Answers for not leaving what is about to die to the next tick of a schedule, which a person may have set to once a day: one
// timer, for the first of all that will be in danger. Not for what happens then: a pass releases it.
import type { Clock, Timer } from './support/clock.ts'
import type { Events } from './support/events.ts'

/** Never more often than so many times in a lifetime (each six minutes of three days), whatever dies one after the other. */
const MOST_WAKES = 720

export function createDangerWatch(deps: {
  clock: Pick<Clock, 'after'>
  /** The service's clock. */
  serviceClock: { nowMs(): number }
  events: Pick<Events, 'subscribe'>
  nextDangerAtMs: () => Promise<number | undefined>
  lifetimeMs: number
  request: () => void
  onBug: (error: unknown) => void
}) {
  let timer: Timer | undefined
  let stopped = false

  async function arm() {
    const atMs = await deps.nextDangerAtMs()
    if (stopped) return
    timer?.cancel()
    timer = undefined
    if (atMs === undefined) return
    const delayMs = Math.max(atMs - deps.serviceClock.nowMs(), deps.lifetimeMs / MOST_WAKES)
    timer = deps.clock.after(delayMs, deps.request)
  }

  return {
    /** Arms itself after every pass from now on; returns the way to stop. */
    start() {
      const unsubscribe = deps.events.subscribe((event) => {
        if (event.kind === 'pass-planned') arm().catch(deps.onBug)
      })
      return () => {
        stopped = true
        unsubscribe()
        timer?.cancel()
      }
    },
  }
}
