// Answers for how much dies when: counts and bytes by the minute of death, kept up to date with every alteration, so that
// the question "can all of it be renewed in time?" costs the same for a hundred media and for a million.
import type { ManifestEntry } from '../media/media.ts'
import type { WorkloadSlice } from './manifest.ts'

const SLICE_MS = 60_000

interface Sum {
  count: number
  sizeBytes: number
}

export interface WorkloadTally {
  add(entry: ManifestEntry): void
  remove(entry: ManifestEntry): void
  slices(): WorkloadSlice[]
}

export function createWorkloadTally(): WorkloadTally {
  const sums = new Map<number, Sum>()
  const numberOf = (entry: ManifestEntry) => Math.floor(entry.expiresAtMs / SLICE_MS)

  return {
    add(entry) {
      const sum = sums.get(numberOf(entry))
      if (sum === undefined)
        return void sums.set(numberOf(entry), { count: 1, sizeBytes: entry.sizeBytes })
      sum.count++
      sum.sizeBytes += entry.sizeBytes
    },
    remove(entry) {
      const sum = sums.get(numberOf(entry))
      if (sum === undefined) return
      sum.count--
      sum.sizeBytes -= entry.sizeBytes
      if (sum.count === 0) sums.delete(numberOf(entry))
    },
    slices: () =>
      [...sums]
        .sort(([a], [b]) => a - b)
        .map(([number, sum]) => ({ untilMs: (number + 1) * SLICE_MS, ...sum })),
  }
}
