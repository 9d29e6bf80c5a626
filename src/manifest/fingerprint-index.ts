// Answers for which paths have the same bytes. Nearly every fingerprint has one path, so that one is kept bare: a set
// for each of a million would cost more than the entries.
import type { Fingerprint, MediaPath } from '../media/media.ts'

export interface FingerprintIndex {
  add(fingerprint: Fingerprint, path: MediaPath): void
  remove(fingerprint: Fingerprint, path: MediaPath): void
  find(fingerprint: Fingerprint): readonly MediaPath[]
}

export function createFingerprintIndex(): FingerprintIndex {
  const paths = new Map<Fingerprint, MediaPath | Set<MediaPath>>()

  return {
    add(fingerprint, path) {
      const known = paths.get(fingerprint)
      if (known === undefined) paths.set(fingerprint, path)
      else if (known instanceof Set) known.add(path)
      else paths.set(fingerprint, new Set([known, path]))
    },
    remove(fingerprint, path) {
      const known = paths.get(fingerprint)
      if (known === path) paths.delete(fingerprint)
      if (!(known instanceof Set)) return
      known.delete(path)
      if (known.size === 0) paths.delete(fingerprint)
    },
    find(fingerprint) {
      const known = paths.get(fingerprint)
      if (known === undefined) return []
      return known instanceof Set ? [...known] : [known]
    },
  }
}
