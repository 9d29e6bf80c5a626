// Answers for telling how far downloads have come, to whoever watches at the moment. Not an event: there are thousands a second, and no
// log wants them.
import type { MediaId } from '../media/media.ts'

export interface Arrival {
  readonly mediaId: MediaId
  readonly receivedBytes: number
  /** Of the whole medium; undefined when WeCom did not say. */
  readonly totalBytes: number | undefined
}

export interface Arrivals {
  tell(arrival: Arrival): void
  /** Returns the way to stop watching. */
  watch(listener: (arrival: Arrival) => void): () => void
}

export function createArrivals(): Arrivals {
  const listeners = new Set<(arrival: Arrival) => void>()
  return {
    tell(arrival) {
      for (const listener of listeners) listener(arrival)
    },
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
