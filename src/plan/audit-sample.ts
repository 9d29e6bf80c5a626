// Answers for which ids an audit checks: out of all entries, in one walk that keeps no more than the sample. Pure but for the
// chance it is given; calls nobody.
import { isAlive } from '../media/lifetime.ts'
import type { Fingerprint, ManifestEntry, MediaId, MediaPath } from '../media/media.ts'

/** An id that has shown life within this part of it is not asked again: WeCom blocks whoever hammers one id (45033). */
const REST_SHARE = 1 / 12
/** What is renewed within this part of its life, an hour of three days, gets a new id before it matters. */
const DUE_SHARE = 1 / 72

/** An id to be checked, and one path that holds it. */
export interface Candidate {
  readonly mediaId: MediaId
  readonly path: MediaPath
  readonly fingerprint: Fingerprint
  /** When the id last showed life. */
  readonly provenAtMs: number
}

/** Whether an id that is called alive has been left alone for long enough since `lastMs`. */
export const hasRested = (entry: ManifestEntry, lastMs: number, nowMs: number): boolean =>
  isAlive(entry, nowMs) && nowMs - lastMs >= lifetimeMs(entry) * REST_SHARE

/** Whether an id is so near its renewal that it is passed over. */
export const isNearlyDue = (entry: ManifestEntry, nowMs: number): boolean =>
  entry.renewAtMs !== undefined && entry.renewAtMs - nowMs < lifetimeMs(entry) * DUE_SHARE

const lifetimeMs = (entry: Pick<ManifestEntry, 'createdAtMs' | 'expiresAtMs'>): number =>
  entry.expiresAtMs - entry.createdAtMs

/** Keeps the ids whose last sign of life is oldest, each once; those of one moment by chance. */
export function createSample(size: number, random: () => number) {
  interface Kept extends Candidate {
    readonly lot: number
  }
  const order: Kept[] = []
  const known = new Map<MediaId, Kept>()

  const isBefore = (a: Kept, b: Kept) =>
    a.provenAtMs < b.provenAtMs || (a.provenAtMs === b.provenAtMs && a.lot < b.lot)

  /** The place of a kept one, or the place for a new one. */
  function placeOf(one: Kept): number {
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = order[middle]
      if (other && isBefore(other, one)) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    offer(candidate: Candidate): void {
      const last = order.length < size ? undefined : order.at(-1)
      if (size === 0 || (last && candidate.provenAtMs > last.provenAtMs)) return
      const same = known.get(candidate.mediaId)
      if (same && same.provenAtMs <= candidate.provenAtMs) return
      if (same) order.splice(placeOf(same), 1)
      const one = { ...candidate, lot: random() }
      known.set(one.mediaId, one)
      order.splice(placeOf(one), 0, one)
      const surplus = order.length > size ? order.pop() : undefined
      if (surplus) known.delete(surplus.mediaId)
    },
    /** Oldest first. */
    candidates: (): readonly Candidate[] => order,
  }
}
