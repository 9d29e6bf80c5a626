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
}

/**
 * The moments from `startMs` on at which calls can be made at the earliest, one after the other. A call may leave when, in each window, the call that stands `limit` places before it is a span old. To call as early as possible is
 * best for every prefix at once: the windows only look at distances between calls, so no call gains from waiting.
 */
function createEarliestCalls({ startMs, calledAtMs, windows }: Start): () => number {
  const rings = windows.map(({ limit, spanMs }) => ({
    limit,
    spanMs,
    moments: new Float64Array(limit).fill(Number.NEGATIVE_INFINITY),
  }))
  let count = 0
  let lastMs = startMs
  const call = (atMs: number) => {
    for (const { limit, moments } of rings) moments[count % limit] = atMs
    count++
  }
  for (const atMs of calledAtMs) call(atMs)
  return () => {
    for (const { limit, spanMs, moments } of rings)
      lastMs = Math.max(lastMs, (moments[count % limit] ?? 0) + spanMs)
    call(lastMs)
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

/**
 * The fewest deaths between two moments. Every medium is a job of one call that may be done at any time, and again: after a call
 * its next deadline is a lifetime away. For such unit jobs, giving each call to the living job with the earliest deadline
 * saves the most (an exchange argument: swapping two calls so that the earlier deadline goes first never kills
 * more). What is dead already has no deadline and is left for later, where it takes no call from the living.
 */
export function fewestDeaths(
  problem: Start & {
    /** Of what lives at `startMs`, in order. */
    readonly deadlines: Float64Array
    readonly untilMs: number
    readonly lifetimeMs: number
  },
): number {
  const { deadlines, startMs, untilMs, lifetimeMs } = problem
  // What is renewed in between lives beyond the end, so no second round needs to be looked at.
  if (untilMs - startMs > lifetimeMs) throw new RangeError('this bound holds for one lifetime')
  const nextCall = createEarliestCalls(problem)
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
