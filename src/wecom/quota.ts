// Answers for how many calls may be made, and when the next one may. Pure: the calls made so far are a value. The counting
// is by buckets and always on the careful side, so a full hour costs no more to keep than an empty one, and a call that has
// room costs a comparison and an addition. Calls of another run of the program may be carried over.

export interface QuotaWindow {
  readonly spanMs: number
  readonly bucketMs: number
  /** Calls within any span, at least 1. */
  readonly limit: number
}

interface Bucket {
  readonly startMs: number
  readonly calls: number
}

/** The calls of the latest span of one window. */
interface Tally {
  readonly window: QuotaWindow
  /** Those before the current bucket, oldest first: `log` from `from` to `to`. Earlier and later states share the log. */
  readonly log: Bucket[]
  readonly from: number
  readonly to: number
  /** How many calls they hold. */
  readonly pastCalls: number
  readonly current: Bucket
}

export interface QuotaState {
  readonly minute: Tally
  readonly hour: Tally
}

/** The part of the corp's quota that is ours. */
export interface QuotaShare {
  readonly perMinute: number
  readonly perHour: number
  readonly share: number
}

const MINUTE_MS = 60_000
/** A call leaves its window up to so much of the span later than it need: 250 ms of a minute, 15 s of an hour. */
const BUCKETS = 240

/** What has been used of one window before now: so many calls, so long ago. */
export interface SpentCalls {
  readonly agoMs: number
  readonly calls: number
}

/** What was used before, for whoever goes on where another run of the program stopped. */
export interface QuotaUse {
  readonly minute: readonly SpentCalls[]
  readonly hour: readonly SpentCalls[]
}

const UNUSED: QuotaUse = { minute: [], hour: [] }

/** With so much used already at `nowMs`. */
export function createQuota(
  { perMinute, perHour, share }: QuotaShare,
  used: QuotaUse = UNUSED,
  nowMs = 0,
): QuotaState {
  const createTally = (spanMs: number, corpLimit: number, spent: readonly SpentCalls[]): Tally => {
    const limit = Math.max(1, Math.floor(corpLimit * share))
    const window = { spanMs, bucketMs: spanMs / BUCKETS, limit }
    const log = spent
      .map(({ agoMs, calls }) => ({ startMs: nowMs - agoMs, calls }))
      .sort((a, b) => a.startMs - b.startMs)
    const pastCalls = log.reduce((sum, { calls }) => sum + calls, 0)
    const current = { startMs: Number.NEGATIVE_INFINITY, calls: 0 }
    return { window, log, from: 0, to: log.length, pastCalls, current }
  }
  return {
    minute: createTally(MINUTE_MS, perMinute, used.minute),
    hour: createTally(60 * MINUTE_MS, perHour, used.hour),
  }
}

/** What of the windows is used now. */
export function quotaUse(state: QuotaState, nowMs: number): QuotaUse {
  const spent = ({ log, from, to, current }: Tally) =>
    [...log.slice(from, to), current]
      .filter(({ calls }) => calls > 0)
      .map(({ startMs, calls }) => ({ agoMs: nowMs - startMs, calls }))
  const { minute, hour } = settleQuota(state, nowMs)
  return { minute: spent(minute), hour: spent(hour) }
}

/** The earliest moment, now or later, at which one more call stays within every window. */
export const nextFreeAtMs = ({ minute, hour }: QuotaState, nowMs: number): number =>
  Math.max(nextFreeInWindowMs(minute, nowMs), nextFreeInWindowMs(hour, nowMs))

/** The state after one call made now. */
export const recordCall = ({ minute, hour }: QuotaState, nowMs: number): QuotaState => ({
  minute: addCall(minute, nowMs),
  hour: addCall(hour, nowMs),
})

/**
 * The state as it stands now: without what has left the windows. Whoever waits asks from here on, so that a clock which
 * fell back is believed once and costs one span, not the whole way that it fell.
 */
export function settleQuota(state: QuotaState, nowMs: number): QuotaState {
  const minute = settle(state.minute, nowMs)
  const hour = settle(state.hour, nowMs)
  return minute === state.minute && hour === state.hour ? state : { minute, hour }
}

function addCall(tally: Tally, nowMs: number): Tally {
  const settled = settle(tally, nowMs)
  const { startMs, calls } = settled.current
  return { ...settled, current: { startMs, calls: calls + 1 } }
}

function nextFreeInWindowMs(tally: Tally, nowMs: number): number {
  const { window } = tally
  // What has left may still be counted in; where there is room in spite of it, there is room.
  if (tally.pastCalls + tally.current.calls < window.limit) return nowMs
  const { log, from, to, pastCalls, current } = settle(tally, nowMs)
  let excess = pastCalls + current.calls + 1 - window.limit
  if (excess <= 0) return nowMs
  for (let at = from; at < to; at++) {
    const bucket = log[at] as Bucket
    excess -= bucket.calls
    if (excess <= 0) return leavesAtMs(bucket, window)
  }
  return leavesAtMs(current, window)
}

/** A bucket counts until its youngest call could be a span old. */
const leavesAtMs = (bucket: Bucket, window: QuotaWindow): number =>
  bucket.startMs + window.bucketMs + window.spanMs

/** With the bucket of this moment as the current one. Buckets leave as others begin, so within a bucket nothing changes. */
function settle(tally: Tally, nowMs: number): Tally {
  const { window, current } = tally
  if (nowMs >= current.startMs && nowMs < current.startMs + window.bucketMs) return tally
  const startMs = Math.floor(nowMs / window.bucketMs) * window.bucketMs
  if (current.startMs >= startMs) return settleAnew(tally, startMs)
  let { log, from, pastCalls } = tally
  let to = tally.to
  for (; from < to && leavesAtMs(log[from] as Bucket, window) <= nowMs; from++)
    pastCalls -= (log[from] as Bucket).calls
  if (current.calls > 0 && leavesAtMs(current, window) > nowMs) {
    // Written behind the end, which nobody else sees, unless somebody went on from the same state before.
    if (log.length > to || from > MOST_LEFT) {
      log = log.slice(from, to)
      from = 0
      to = log.length
    }
    log.push(current)
    to++
    pastCalls += current.calls
  }
  return { window, log, from, to, pastCalls, current: { startMs, calls: 0 } }
}

/** So many buckets that have left are kept in the log, so that it is not written anew with each of them. */
const MOST_LEFT = 4 * BUCKETS

/** After the clock fell back: what seems to lie ahead was counted before that, and counts as now. */
function settleAnew({ window, log, from, to, current }: Tally, startMs: number): Tally {
  const all = [...log.slice(from, to), current]
  const past = all.filter((bucket) => bucket.startMs < startMs && bucket.calls > 0)
  const sumOf = (buckets: readonly Bucket[]) => buckets.reduce((sum, { calls }) => sum + calls, 0)
  const pastCalls = sumOf(past)
  const calls = sumOf(all) - pastCalls
  return { window, log: past, from: 0, to: past.length, pastCalls, current: { startMs, calls } }
}
