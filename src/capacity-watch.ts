// Answers for telling what keeping everything alive takes of the allowed rate: at start, when it fits or no longer does, and when
// the number of media has changed by a fifth. The numbers are plan/capacity.ts's.
import type { Capacity } from './plan/capacity.ts'
import type { Events } from './support/events.ts'

/** Passes may come in a row; the numbers are looked at no more often. */
const LOOKED_AT_EVERY_MS = 60_000
/** What is no bad news waits this long after the last telling: a folder that is being filled is not worth a line a minute. */
const TOLD_EVERY_MS = 60 * 60_000
const WORTH_TELLING_PART = 1 / 5

/** What was told last, and how long ago. */
interface Told {
  readonly capacity: Capacity
  readonly agoMs: number
}

/** Whether it is worth a line. That it does not fit, or fits worse than was told, is told at once. */
export function isCapacityNews(now: Capacity, told: Told | undefined): boolean {
  if (!told) return now.media.count > 0
  const before = told.capacity
  if (GRAVITY[now.fits] > GRAVITY[before.fits]) return true
  const changed = Math.abs(now.media.count - before.media.count)
  const isOther =
    now.fits !== before.fits || changed >= Math.max(1, before.media.count * WORTH_TELLING_PART)
  return isOther && told.agoMs >= TOLD_EVERY_MS
}

const GRAVITY = { yes: 0, 'without-reserve': 1, 'too-much': 2 } as const satisfies Record<
  Capacity['fits'],
  number
>

export function createCapacityWatch(deps: {
  clock: { monotonicMs(): number }
  events: Events
  capacity: () => Promise<Capacity>
  onBug: (error: unknown) => void
}) {
  const { clock, events } = deps
  let lookedAtMs = -Infinity
  let told: { capacity: Capacity; atMs: number } | undefined

  async function look() {
    const nowMs = clock.monotonicMs()
    if (nowMs - lookedAtMs < LOOKED_AT_EVERY_MS) return
    lookedAtMs = nowMs
    const capacity = await deps.capacity()
    if (!isCapacityNews(capacity, told && { ...told, agoMs: nowMs - told.atMs })) return
    told = { capacity, atMs: nowMs }
    events.emit({ kind: 'capacity-measured', capacity })
  }

  return {
    /** Looks at once and after every pass from now on; returns the way to stop. */
    start() {
      look().catch(deps.onBug)
      return events.subscribe((event) => {
        if (event.kind === 'pass-planned') look().catch(deps.onBug)
      })
    },
  }
}
