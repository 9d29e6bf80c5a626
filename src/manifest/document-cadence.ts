// Answers for when the next document is due: soon while it is small, and less often the larger it is, so that writing it
// again and again stays within a fixed traffic. Nothing is less durable for it: the journal holds what is newer.

/** After the first change, so that what comes together is written together. */
const SOONEST_MS = 250
const MAX_BYTES_PER_SECOND = 1_000_000

/** How long to wait from now; `sinceLastWriteMs` may be negative when the clock fell back. */
export function nextDocumentDelayMs(last: {
  readonly documentBytes: number
  readonly sinceLastWriteMs: number
}): number {
  const intervalMs = (last.documentBytes / MAX_BYTES_PER_SECOND) * 1000
  return Math.ceil(Math.max(SOONEST_MS, intervalMs - Math.max(0, last.sinceLastWriteMs)))
}

const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 60_000

/** How long to wait after the n-th failure in a row (from 1): 1 s, 2 s, 4 s … at most a minute. */
export const documentRetryDelayMs = (failureCount: number): number =>
  Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failureCount - 1, 30))
