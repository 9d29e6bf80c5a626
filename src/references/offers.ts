// Answers for what other hosts offer: their entries by path and by content, as their manifests said last. Not for reading those, nor for
// what is done about an offer (plan/offers.ts).
import type { Fingerprint, ManifestEntry, MediaPath } from '../media/media.ts'

export interface Offers {
  /** One from each manifest that has the path. */
  at(path: MediaPath): readonly ManifestEntry[]
  /** The same bytes, at whatever path. */
  withBytes(fingerprint: Fingerprint): readonly ManifestEntry[]
  paths(): Iterable<MediaPath>
  /** What a manifest says now, in place of what it said; answers with the paths about which it says something else. */
  replace(file: string, entries: readonly ManifestEntry[]): ReadonlySet<MediaPath>
}

export function createOffers(): Offers {
  const byFile = new Map<string, ReadonlyMap<MediaPath, ManifestEntry>>()
  const byBytes = new Map<Fingerprint, Set<ManifestEntry>>()

  function exchange(before: ManifestEntry | undefined, after: ManifestEntry | undefined) {
    if (before) {
      const kept = byBytes.get(before.fingerprint)
      kept?.delete(before)
      if (kept?.size === 0) byBytes.delete(before.fingerprint)
    }
    if (!after) return
    const kept = byBytes.get(after.fingerprint)
    if (kept) kept.add(after)
    else byBytes.set(after.fingerprint, new Set([after]))
  }

  return {
    at: (path) => [...byFile.values()].flatMap((entries) => entries.get(path) ?? []),
    withBytes: (fingerprint) => [...(byBytes.get(fingerprint) ?? [])],
    *paths() {
      for (const entries of byFile.values()) yield* entries.keys()
    },
    replace(file, entries) {
      const before = byFile.get(file) ?? new Map<MediaPath, ManifestEntry>()
      const after = new Map<MediaPath, ManifestEntry>()
      const changed = new Set<MediaPath>()
      for (const entry of entries) {
        const known = before.get(entry.path)
        // What it says of an unchanged file is kept as the same object: most of a manifest is as it was.
        const isKnown = known !== undefined && isSame(known, entry)
        after.set(entry.path, isKnown ? known : entry)
        if (isKnown) continue
        exchange(known, entry)
        changed.add(entry.path)
      }
      for (const [path, entry] of before) {
        if (after.has(path)) continue
        exchange(entry, undefined)
        changed.add(path)
      }
      byFile.set(file, after)
      return changed
    },
  }
}

const isSame = (a: ManifestEntry, b: ManifestEntry): boolean =>
  a.mediaId === b.mediaId &&
  a.fingerprint === b.fingerprint &&
  a.version === b.version &&
  a.expiresAtMs === b.expiresAtMs &&
  a.renewAtMs === b.renewAtMs
