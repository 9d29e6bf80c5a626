// Answers for how long a hook is left alone after it failed. Pure.

const FIRST_MS = 1_000
/** Soon enough for a receiver that is back, and a hundred and fifty tries in the day after which a delivery is given up. */
const LONGEST_MS = 10 * 60_000
/** Beyond this many doublings the wait is the longest anyway. */
const MOST_DOUBLINGS = 20

/** Doubles from one second to ten minutes; of that at least half, so that what failed together comes back apart. */
export function retryDelayMs(failedAttempts: number, random: number): number {
  const doublings = Math.min(MOST_DOUBLINGS, failedAttempts - 1)
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** doublings)
  return Math.round(ceilingMs * (0.5 + random / 2))
}
