// Answers for how many calls may be made, and when the next one may. Pure: the calls made so far are a value. The counting
// is by buckets and always on the careful side, so a full hour costs no more to keep than an empty one, and a call that has
// room costs a comparison and an addition.

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
  /** Those before the current bucket, oldest first, and how many calls they hold. */
  readonly past: readonly Bucket[]
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

/** Nothing used yet. */
export function createQuota({ perMinute, perHour, share }: QuotaShare): QuotaState {
  const createTally = (spanMs: number, bucketMs: number, corpLimit: number): Tally => {
    const limit = Math.max(1, Math.floor(corpLimit * share))
    const window = { spanMs, bucketMs, limit }
    return { window, past: [], pastCalls: 0, current: { startMs: 0, calls: 0 } }
  }
  return {
    minute: createTally(MINUTE_MS, 1_000, perMinute),
    hour: createTally(60 * MINUTE_MS, MINUTE_MS, perHour),
  }
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
  const { window, past, pastCalls, current } = settle(tally, nowMs)
  const { startMs, calls } = current
  return { window, past, pastCalls, current: { startMs, calls: calls + 1 } }
}

function nextFreeInWindowMs(tally: Tally, nowMs: number): number {
  const { window } = tally
  // What has left may still be counted in; where there is room in spite of it, there is room.
  if (tally.pastCalls + tally.current.calls < window.limit) return nowMs
  const { past, pastCalls, current } = settle(tally, nowMs)
  let excess = pastCalls + current.calls + 1 - window.limit
  if (excess <= 0) return nowMs
  for (const bucket of past) {
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
  const { window, past, current } = tally
  if (nowMs >= current.startMs && nowMs < current.startMs + window.bucketMs) return tally
  const startMs = Math.floor(nowMs / window.bucketMs) * window.bucketMs
  const kept: Bucket[] = []
  let pastCalls = 0
  let calls = 0
  const keep = (bucket: Bucket) => {
    if (leavesAtMs(bucket, window) <= nowMs || bucket.calls === 0) return
    // What seems to lie ahead was counted before the clock fell back, and counts as now.
    if (bucket.startMs >= startMs) {
      calls += bucket.calls
    } else {
      kept.push(bucket)
      pastCalls += bucket.calls
    }
  }
  for (const bucket of past) keep(bucket)
  keep(current)
  return { window, past: kept, pastCalls, current: { startMs, calls } }
}
