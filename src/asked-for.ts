// Answers for which paths were asked for in vain, and when: of what is dead, what somebody waits for is renewed first.
import type { MediaPath } from './media/media.ts'

/** Whoever asks for more than these at once is not waiting for one of them. */
const MOST_PATHS = 10_000

export interface AskedFor {
  /** Somebody asked for the id of this path, and it has no live one. */
  note(path: MediaPath): void
  atMs(path: MediaPath): number | undefined
}

/** Remembers the latest ones. */
export function createAskedFor({ nowMs }: { nowMs(): number }): AskedFor {
  const moments = new Map<MediaPath, number>()
  return {
    note(path) {
      moments.delete(path)
      moments.set(path, nowMs())
      const [oldest] = moments.keys()
      if (moments.size > MOST_PATHS && oldest !== undefined) moments.delete(oldest)
    },
    atMs: (path) => moments.get(path),
  }
}
