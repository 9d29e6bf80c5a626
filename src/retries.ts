// Answers for not leaving what was postponed to the next tick of the schedule, which may be minutes away: one pass a little later,
// and one as soon as WeCom answers again or the disk takes what is written. One timer for all; what WeCom can bear is the circuit's business.
import type { Clock, Timer } from './support/clock.ts'
import type { Events } from './support/events.ts'

/** Longer than the retries within a step, so that the next attempt meets another moment. */
const AFTER_MS = 10_000
/** What was postponed is looked at again within this time. */
export const RETRIED_WITHIN_MS = 2 * AFTER_MS

export function createRetries(deps: {
  clock: Pick<Clock, 'after'>
  random: () => number
  events: Pick<Events, 'subscribe'>
  /** Whether anything could come of it now; if not, it is asked again as much later. */
  isWorthwhile: () => boolean
  request: () => void
}) {
  let timer: Timer | undefined

  function arm() {
    timer ??= deps.clock.after(AFTER_MS * (1 + deps.random()), () => {
      timer = undefined
      if (deps.isWorthwhile()) deps.request()
      else arm()
    })
  }

  return {
    /** Listens from now on; returns the way to stop. */
    start() {
      const unsubscribe = deps.events.subscribe((event) => {
        if (event.kind === 'step-postponed') arm()
        if (event.kind === 'circuit-closed' || event.kind === 'disk-recovered') deps.request()
      })
      return () => {
        unsubscribe()
        timer?.cancel()
      }
    },
  }
}
