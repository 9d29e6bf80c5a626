// Answers for counting calls as the service does: exactly, in every window that ends with a call. Written apart from
// src/wecom/quota.ts on purpose, which counts in buckets.

export interface SlidingWindow {
  /** Counts a call; answers how many there are now in the window that ends with it. */
  add(atMs: number): number
  /** The moments of the calls that it remembers, oldest first. */
  moments(): number[]
}

/** A ring of the last moments, with room enough to tell by how much a limit was passed: four times over, and not more. */
export function createSlidingWindow(spanMs: number, limit: number): SlidingWindow {
  const room = 4 * limit + 1
  const moments = new Float64Array(room)
  let oldest = 0
  let size = 0

  return {
    add(atMs) {
      while (size > 0 && (moments[oldest] ?? 0) <= atMs - spanMs) {
        oldest = (oldest + 1) % room
        size--
      }
      if (size === room) {
        oldest = (oldest + 1) % room
        size--
      }
      moments[(oldest + size) % room] = atMs
      size++
      return size
    },
    moments: () => Array.from({ length: size }, (_, at) => moments[(oldest + at) % room] ?? 0),
  }
}
