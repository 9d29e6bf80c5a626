// Answers for how long an upload takes a slot, as seen: so much for each call, and so much for each of its bytes. Pure.
// Two numbers and not one mean, since what is asked is how long other media will take than those just seen: a herd of videos
// after days of small pictures. A line through time and size answers for calls and for bytes at once, and on average it
// agrees with the plain mean of what was seen, whatever the sizes.

/** Weighted sums over the last uploads. */
export interface UploadTimes {
  readonly calls: number
  readonly bytes: number
  readonly tookMs: number
  readonly squaredBytes: number
  readonly bytesTookMs: number
}

/** What one upload takes. */
export interface UploadTime {
  readonly perCallMs: number
  readonly perByteMs: number
}

export const NO_UPLOADS: UploadTimes = {
  calls: 0,
  bytes: 0,
  tookMs: 0,
  squaredBytes: 0,
  bytesTookMs: 0,
}

/** Nothing is cut off, since what takes long does fill slots; but one upload in so many weighs little, and the old are forgotten. */
const REMEMBERED_CALLS = 1000
/** Fewer prove nothing, and whoever makes no more has nothing to fear from slots. */
const LEAST_CALLS = 100
/** Sizes that differ less than by this part of their mean do not tell what a byte takes. */
const LEAST_SPREAD = 0.1

/** One more that went well. */
export function recordUpload(
  times: UploadTimes,
  { sizeBytes, tookMs }: { readonly sizeBytes: number; readonly tookMs: number },
): UploadTimes {
  const kept = times.calls < REMEMBERED_CALLS ? 1 : 1 - 1 / REMEMBERED_CALLS
  return {
    calls: kept * times.calls + 1,
    bytes: kept * times.bytes + sizeBytes,
    tookMs: kept * times.tookMs + tookMs,
    squaredBytes: kept * times.squaredBytes + sizeBytes * sizeBytes,
    bytesTookMs: kept * times.bytesTookMs + sizeBytes * tookMs,
  }
}

/** The line of least squares, neither part of it below nothing; undefined as long as too little was seen. */
export function uploadTime(times: UploadTimes): UploadTime | undefined {
  const { calls } = times
  if (calls < LEAST_CALLS) return undefined
  const [meanBytes, meanMs] = [times.bytes / calls, times.tookMs / calls]
  const variance = times.squaredBytes / calls - meanBytes * meanBytes
  if (variance <= (LEAST_SPREAD * meanBytes) ** 2) return { perCallMs: meanMs, perByteMs: 0 }
  const slope = (times.bytesTookMs / calls - meanBytes * meanMs) / variance
  const perByteMs = Math.min(Math.max(slope, 0), meanMs / meanBytes)
  return { perCallMs: Math.max(0, meanMs - perByteMs * meanBytes), perByteMs }
}
