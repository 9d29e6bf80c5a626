// Answers for who is next at one hook: the deliveries of one path one after the other, paths side by side up to a limit, what failed
// after a while. When several paths have failed in a row it is the hook that is down, not they: then one attempt at a time, ever
// more rarely, until one goes well. Holds ids only, and neither clock nor timer: moments are given, of a clock that nobody can set.
import { retryDelayMs } from './retry-delay.ts'

/** So many different paths must have failed, and none gone well since, before the hook itself is taken for down. */
const DOWN_AFTER_PATHS = 3

export interface Waiting {
  readonly id: string
  /** Deliveries of one lane are told in their order: the path or, without one, the id that was lost. */
  readonly lane: string
  /** When it happened. */
  readonly atMs: number
}

interface Lane {
  readonly key: string
  readonly waiting: Waiting[]
  /** In a row, of whichever delivery: they say how long the path is left alone. */
  failures: number
  /** Of its first delivery only. */
  attempts: number
  notBeforeMs: number
}

export interface HookQueue {
  put(waiting: Waiting): void
  /** The next that may go now, with the number of its attempt; its lane stays taken until one of the three below. */
  take(nowMs: number): { readonly waiting: Waiting; readonly attempt: number } | undefined
  /** It is told, or nobody wants it any more. */
  done(waiting: Waiting): void
  failed(waiting: Waiting, nowMs: number): void
  /** It was not to blame (the program is stopping): it is the next of its lane again. */
  putBack(waiting: Waiting): void
  /** Takes out what is that old where telling has failed: of the whole hook when it is down. */
  giveUp(isOld: (atMs: number) => boolean): readonly Waiting[]
  /** Takes out the oldest that is not under way. */
  dropOldest(): Waiting | undefined
  /** When something may go, if nothing else happens; undefined when only that helps. */
  nextAtMs(nowMs: number): number | undefined
  count(): number
  /** Whether it is down, or a path has failed twice in a row: what the next attempt cures is no trouble. */
  isFailing(): boolean
}

export function createHookQueue(deps: {
  readonly concurrency: number
  readonly random: () => number
}): HookQueue {
  /** In the order in which things happened. */
  const all = new Map<string, Waiting>()
  const lanes = new Map<string, Lane>()
  /** Of every lane that is not under way. */
  const ready = new Set<Lane>()
  const resting = new Set<Lane>()
  const underWay = new Map<string, Lane>()
  /** Paths that failed since anything last went well. */
  const failedInRow = new Set<string>()
  let downFor = 0
  let downUntilMs = 0

  const isDown = () => failedInRow.size >= DOWN_AFTER_PATHS
  const delayMs = (failures: number) => retryDelayMs(failures, deps.random())

  function wake(nowMs: number) {
    for (const lane of resting) if (lane.notBeforeMs <= nowMs) moveTo(ready, lane)
  }

  function moveTo(place: Set<Lane>, lane: Lane) {
    ready.delete(lane)
    resting.delete(lane)
    place.add(lane)
  }

  const mayGo = (nowMs: number) =>
    isDown() ? underWay.size === 0 && nowMs >= downUntilMs : underWay.size < deps.concurrency

  /** Puts a lane where it belongs that was under way, or lost some of what waits. */
  function settle(lane: Lane) {
    if (underWay.has(lane.key)) return
    if (lane.waiting.length > 0) return moveTo(lane.failures > 0 ? resting : ready, lane)
    lanes.delete(lane.key)
    ready.delete(lane)
    resting.delete(lane)
  }

  function release({ lane: key }: Waiting): Lane {
    const lane = underWay.get(key)
    if (!lane) throw new Error(`nothing of ${key} is under way`)
    underWay.delete(key)
    return lane
  }

  function remove(lane: Lane, waiting: Waiting) {
    all.delete(waiting.id)
    if (lane.waiting[0] === waiting) lane.attempts = 0
    lane.waiting.splice(lane.waiting.indexOf(waiting), 1)
  }

  /** Whatever failed while the hook was down did so for that, and need not wait any longer. */
  function wentWell() {
    if (isDown()) for (const lane of resting) lane.notBeforeMs = 0
    failedInRow.clear()
    downFor = 0
  }

  return {
    put(waiting) {
      all.set(waiting.id, waiting)
      const lane = lanes.get(waiting.lane)
      if (lane) return void lane.waiting.push(waiting)
      const none = { failures: 0, attempts: 0, notBeforeMs: 0 }
      const opened: Lane = { key: waiting.lane, waiting: [waiting], ...none }
      lanes.set(waiting.lane, opened)
      ready.add(opened)
    },
    take(nowMs) {
      wake(nowMs)
      const [lane] = mayGo(nowMs) ? ready : []
      const [waiting] = lane?.waiting ?? []
      if (!lane || !waiting) return undefined
      ready.delete(lane)
      underWay.set(lane.key, lane)
      return { waiting, attempt: lane.attempts + 1 }
    },
    done(waiting) {
      const lane = release(waiting)
      remove(lane, waiting)
      lane.failures = 0
      wentWell()
      settle(lane)
    },
    failed(waiting, nowMs) {
      const lane = release(waiting)
      lane.failures++
      lane.attempts++
      lane.notBeforeMs = nowMs + delayMs(lane.failures)
      failedInRow.add(lane.key)
      if (isDown()) downUntilMs = nowMs + delayMs(++downFor)
      settle(lane)
    },
    putBack: (waiting) => settle(release(waiting)),
    giveUp(isOld) {
      const troubled = isDown() ? [...lanes.values()] : [...resting]
      return troubled
        .filter(({ key }) => !underWay.has(key))
        .flatMap((lane) => {
          const old = lane.waiting.filter(({ atMs }) => isOld(atMs))
          for (const waiting of old) remove(lane, waiting)
          if (old.length > 0) settle(lane)
          return old
        })
    },
    dropOldest() {
      for (const waiting of all.values()) {
        const lane = lanes.get(waiting.lane)
        if (!lane || (underWay.has(lane.key) && lane.waiting[0] === waiting)) continue
        remove(lane, waiting)
        settle(lane)
        return waiting
      }
      return undefined
    },
    nextAtMs(nowMs) {
      if (underWay.size >= (isDown() ? 1 : deps.concurrency)) return undefined
      const firstMs =
        ready.size > 0 ? nowMs : Math.min(...[...resting].map(({ notBeforeMs }) => notBeforeMs))
      if (!Number.isFinite(firstMs)) return undefined
      return isDown() ? Math.max(firstMs, downUntilMs) : firstMs
    },
    count: () => all.size,
    isFailing: () => isDown() || [...resting, ...underWay.values()].some((l) => l.failures > 1),
  }
}
