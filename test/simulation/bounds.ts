// Answers for what is possible at best: how many calls the windows let through by when, and how few media can die if each call
// goes to the one that dies next. Exact, and written apart from everything that it judges.

export interface Window {
  readonly spanMs: number
  readonly limit: number
}

export interface Start {
  readonly startMs: number
  /** Calls made before, which may still stand in the windows. */
  readonly calledAtMs: readonly number[]
  readonly windows: readonly Window[]
  /** How many calls can be under way, and how long each of them is, by its number; without it there is no such limit. */
  readonly slots?: { readonly count: number; readonly tookMs: (call: number) => number }
}

/** What of the windows is used. A call may leave when, in each window, the call that stands `limit` places before it is a span old. */
export function createRoom(windows: readonly Window[]): {
  take(atMs: number): void
  /** When there is room for one more. */
  freeAtMs(): number
} {
  const rings = windows.map(({ limit, spanMs }) => ({
    limit,
    spanMs,
    moments: new Float64Array(limit).fill(Number.NEGATIVE_INFINITY),
  }))
  let count = 0
  return {
    take(atMs) {
      for (const { limit, moments } of rings) moments[count % limit] = atMs
      count++
    },
    freeAtMs() {
      let freeMs = Number.NEGATIVE_INFINITY
      for (const { limit, spanMs, moments } of rings)
        freeMs = Math.max(freeMs, (moments[count % limit] ?? 0) + spanMs)
      return freeMs
    },
  }
}

/**
 * The moments from `startMs` on at which calls can be made at the earliest, one after the other. To call as early as possible is
 * best for every prefix at once: the windows only look at distances between calls, and a slot is free the sooner, so no call
 * gains from waiting.
 */
function createEarliestCalls({ startMs, calledAtMs, windows, slots }: Start): () => number {
  const room = createRoom(windows)
  const freeAtMs: number[] = Array(slots?.count ?? 0).fill(startMs)
  let lastMs = startMs
  let call = 0
  for (const atMs of calledAtMs) room.take(atMs)
  return () => {
    const slot = freeAtMs.indexOf(Math.min(...freeAtMs))
    lastMs = Math.max(lastMs, room.freeAtMs(), freeAtMs[slot] ?? startMs)
    room.take(lastMs)
    if (slots) freeAtMs[slot] = lastMs + slots.tookMs(call++)
    return lastMs
  }
}

/** How long so many calls take at the least. */
export function shortestMs(calls: number, start: Start): number {
  const nextCall = createEarliestCalls(start)
  let atMs = start.startMs
  for (let call = 0; call < calls; call++) atMs = nextCall()
  return atMs - start.startMs
}

/** What lives at a moment, and how long it is looked at. */
export interface Deadlines {
  /** In order. */
  readonly deadlines: Float64Array
  readonly startMs: number
  readonly untilMs: number
  readonly lifetimeMs: number
}

/**
 * The fewest deaths between two moments. Every medium is a job of one call that may be done at any time, and again: after a call
 * its next deadline is a lifetime away. For such unit jobs, giving each call to the living job with the earliest deadline
 * saves the most (an exchange argument: swapping two calls so that the earlier deadline goes first never kills
 * more). What is dead already has no deadline and is left for later, where it takes no call from the living.
 */
export const fewestDeaths = (problem: Start & Deadlines): number =>
  fewestDeathsServed(problem, createEarliestCalls(problem))

/** The same where only these calls, one after the other, are of use; `Infinity` when there are no more. */
export function fewestDeathsServed(problem: Deadlines, nextCall: () => number): number {
  const { deadlines, startMs, untilMs, lifetimeMs } = problem
  // What is renewed in between lives beyond the end, so no second round needs to be looked at.
  if (untilMs - startMs > lifetimeMs) throw new RangeError('this bound holds for one lifetime')
  let deaths = 0
  let at = 0
  for (;;) {
    const callMs = nextCall()
    while (at < deadlines.length && (deadlines[at] ?? 0) <= Math.min(callMs, untilMs)) {
      deaths++
      at++
    }
    if (callMs >= untilMs || at >= deadlines.length) return deaths
    at++
  }
}
