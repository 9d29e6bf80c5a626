// Answers for ids that WeCom gave and that could not be recorded (a full disk): kept until they can, so that the same bytes are not
// sent again for them. Nobody is told of them before; a death of the program forgets them, and the file is uploaded anew.
import type { Fingerprint, MediaPath } from '../media/media.ts'

/** As many as are in flight when the disk fails; more only where it fails again and again. */
const MOST_KEPT = 1000

export function createUnrecorded<Gain>() {
  const kept = new Map<MediaPath, { readonly fingerprint: Fingerprint; readonly gain: Gain }>()
  return {
    /** What was gained for this path with these bytes. */
    find(path: MediaPath, fingerprint: Fingerprint): Gain | undefined {
      const found = kept.get(path)
      return found?.fingerprint === fingerprint ? found.gain : undefined
    },
    keep(path: MediaPath, fingerprint: Fingerprint, gain: Gain): void {
      kept.delete(path)
      kept.set(path, { fingerprint, gain })
      const [oldest] = kept.keys()
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest)
    },
    drop: (path: MediaPath): void => void kept.delete(path),
  }
}
