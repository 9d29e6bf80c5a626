// Answers for not leaving what is about to die to the next tick of a schedule, which a person may have set to once a day: one
// timer, for the first of all that will be in danger. Not for what happens then: a pass releases it.
import type { Clock, Timer } from './support/clock.ts'
import type { Events } from './support/events.ts'

/** Never more often than so many times in a lifetime (each six minutes of three days), whatever dies one after the other. */
const MOST_WAKES = 720

export function createDangerWatch(deps: {
  clock: Pick<Clock, 'after' | 'monotonicMs'>
  /** The service's clock. */
  serviceClock: { nowMs(): number }
  events: Pick<Events, 'subscribe'>
  nextDangerAtMs: () => Promise<number | undefined>
  lifetimeMs: number
  request: () => void
  onBug: (error: unknown) => void
}) {
  const { clock } = deps
  const restMs = deps.lifetimeMs / MOST_WAKES
  let timer: Timer | undefined
  let wokeAtMs = Number.NEGATIVE_INFINITY
  let stopped = false

  async function arm() {
    const atMs = await deps.nextDangerAtMs()
    if (stopped) return
    timer?.cancel()
    timer = undefined
    if (atMs === undefined) return
    // Counted from the last wake and not from now, or passes that come more often than that would put it off for ever.
    const restedMs = clock.monotonicMs() - wokeAtMs
    timer = clock.after(Math.max(atMs - deps.serviceClock.nowMs(), restMs - restedMs), () => {
      wokeAtMs = clock.monotonicMs()
      deps.request()
    })
  }

  return {
    /** Arms itself now and after every pass from now on; returns the way to stop. */
    start() {
      arm().catch(deps.onBug)
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
