// Answers for entries in the order of a moment that each of them has, where entries come and go all the time: pages of what
// falls into the same minute, so that putting and removing cost the same however many there are, and a start sorts nothing.
// Not for what the moment means.
import type { ManifestEntry } from '../media/media.ts'
import type { MomentRange, WorkloadSlice } from './manifest.ts'
import { compareText } from './shelf.ts'
import { createSortedList } from './sorted-list.ts'

/** Short enough that one page is quickly put in order, long enough that three days are a few thousand pages. */
const PAGE_MS = 60_000

interface Page<T> {
  readonly items: Set<T>
  sizeBytes: number
}

export interface Calendar<T> {
  put(entry: T): void
  remove(entry: T): void
  /** Earliest first, those of one moment by path. */
  find(range: MomentRange, limit: number): T[]
  /** How much there is on each page, earliest first. */
  slices(): WorkloadSlice[]
}

/** Puts entries in the order of the moment that `momentMs` reads from them. */
export function createCalendar<T extends ManifestEntry>(
  momentMs: (entry: T) => number,
): Calendar<T> {
  const pages = new Map<number, Page<T>>()
  const numbers = createSortedList<number>((a, b) => a - b)
  const numberOf = (atMs: number) => Math.floor(atMs / PAGE_MS)
  const compare = (a: T, b: T) => momentMs(a) - momentMs(b) || compareText(a.path, b.path)

  return {
    put(entry) {
      const number = numberOf(momentMs(entry))
      const page = pages.get(number)
      if (page === undefined) {
        numbers.put(number)
        pages.set(number, { items: new Set([entry]), sizeBytes: entry.sizeBytes })
      } else if (!page.items.has(entry)) {
        page.items.add(entry)
        page.sizeBytes += entry.sizeBytes
      }
    },
    remove(entry) {
      const number = numberOf(momentMs(entry))
      const page = pages.get(number)
      if (!page?.items.delete(entry)) return
      page.sizeBytes -= entry.sizeBytes
      if (page.items.size > 0) return
      pages.delete(number)
      numbers.remove(number)
    },
    find({ afterMs = -Infinity, untilMs }, limit) {
      const found: T[] = []
      for (const number of numbers.from(numberOf(afterMs))) {
        if (number > numberOf(untilMs) || found.length >= limit) break
        const within = [...(pages.get(number)?.items ?? [])].filter(
          (entry) => momentMs(entry) > afterMs && momentMs(entry) <= untilMs,
        )
        found.push(...within.sort(compare).slice(0, limit - found.length))
      }
      return found
    },
    slices: () =>
      [...numbers.from(-Infinity)].flatMap((number) => {
        const page = pages.get(number)
        if (page === undefined) return []
        const { items, sizeBytes } = page
        return { untilMs: (number + 1) * PAGE_MS, count: items.size, sizeBytes }
      }),
  }
}
