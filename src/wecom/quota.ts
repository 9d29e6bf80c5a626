// Answers for how many calls may be made, and when the next one may. Pure: the calls made so far are a value. The counting
// is by buckets and always on the careful side, so a full hour costs no more to keep than an empty one.

interface QuotaWindow {
  readonly spanMs: number
  readonly bucketMs: number
  /** Calls within any span, at least 1. */
  readonly limit: number
}

interface Bucket {
  readonly startMs: number
  readonly calls: number
}

/** The calls of the latest span of one window, oldest first. */
interface Tally {
  readonly window: QuotaWindow
  readonly buckets: readonly Bucket[]
}

export type QuotaState = readonly Tally[]

const MINUTE_MS = 60_000

/** Nothing used yet; `share` is the part of the corp's quota that is ours. */
export function createQuota(quota: {
  readonly perMinute: number
  readonly perHour: number
  readonly share: number
}): QuotaState {
  const ours = (limit: number) => Math.max(1, Math.floor(limit * quota.share))
  return [
    { spanMs: MINUTE_MS, bucketMs: 1_000, limit: ours(quota.perMinute) },
    { spanMs: 60 * MINUTE_MS, bucketMs: MINUTE_MS, limit: ours(quota.perHour) },
  ].map((window) => ({ window, buckets: [] }))
}

/** The earliest moment, now or later, at which one more call stays within every window. */
export const nextFreeAtMs = (state: QuotaState, nowMs: number): number =>
  Math.max(nowMs, ...state.map((tally) => nextFreeInWindowMs(tally, nowMs)))

/** The state after one call made now. */
export const recordCall = (state: QuotaState, nowMs: number): QuotaState =>
  state.map((tally) => ({ window: tally.window, buckets: addCall(current(tally, nowMs), nowMs) }))

function nextFreeInWindowMs(tally: Tally, nowMs: number): number {
  const { window } = tally
  const { buckets } = current(tally, nowMs)
  let excess = buckets.reduce((sum, { calls }) => sum + calls, 0) + 1 - window.limit
  if (excess <= 0) return nowMs
  for (const bucket of buckets) {
    excess -= bucket.calls
    if (excess <= 0) return leavesAtMs(bucket, window)
  }
  return nowMs
}

/** A bucket counts until its youngest call could be a span old. */
const leavesAtMs = (bucket: Bucket, window: QuotaWindow): number =>
  bucket.startMs + window.bucketMs + window.spanMs

/** Without what has left the window; what seems to lie ahead was counted before the clock fell back, and counts as now. */
function current({ window, buckets }: Tally, nowMs: number): Tally {
  const nowStartMs = bucketStartMs(nowMs, window)
  const kept = buckets
    .filter((bucket) => leavesAtMs(bucket, window) > nowMs)
    .map((bucket) => (bucket.startMs > nowStartMs ? { ...bucket, startMs: nowStartMs } : bucket))
  return { window, buckets: kept }
}

const bucketStartMs = (nowMs: number, window: QuotaWindow): number =>
  Math.floor(nowMs / window.bucketMs) * window.bucketMs

function addCall({ window, buckets }: Tally, nowMs: number): readonly Bucket[] {
  const startMs = bucketStartMs(nowMs, window)
  const last = buckets.at(-1)
  if (last?.startMs !== startMs) return [...buckets, { startMs, calls: 1 }]
  return [...buckets.slice(0, -1), { startMs, calls: last.calls + 1 }]
}
