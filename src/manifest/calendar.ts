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
  readonly number: number
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
  const ordered = createSortedList<Page<T>>((a, b) => a.number - b.number)
  const numberOf = (atMs: number) => Math.floor(atMs / PAGE_MS)
  const compare = (a: T, b: T) => momentMs(a) - momentMs(b) || compareText(a.path, b.path)

  function openPage(number: number): Page<T> {
    const page: Page<T> = { number, items: new Set(), sizeBytes: 0 }
    pages.set(number, page)
    ordered.put(page)
    return page
  }

  return {
    put(entry) {
      const number = numberOf(momentMs(entry))
      const page = pages.get(number) ?? openPage(number)
      if (page.items.size === page.items.add(entry).size) return
      page.sizeBytes += entry.sizeBytes
    },
    remove(entry) {
      const page = pages.get(numberOf(momentMs(entry)))
      if (!page?.items.delete(entry)) return
      page.sizeBytes -= entry.sizeBytes
      if (page.items.size > 0) return
      pages.delete(page.number)
      ordered.remove(page)
    },
    find({ afterMs = -Infinity, untilMs }, limit) {
      const [first, last] = [numberOf(afterMs), numberOf(untilMs)]
      const found: T[] = []
      for (const page of ordered.after(({ number }) => number < first)) {
        if (page.number > last || found.length >= limit) break
        // Only the outermost pages reach beyond the range.
        const isWhole = page.number > first && page.number < last
        const within = [...page.items].filter(
          (entry) => isWhole || (momentMs(entry) > afterMs && momentMs(entry) <= untilMs),
        )
        found.push(...within.sort(compare).slice(0, limit - found.length))
      }
      return found
    },
    slices: () =>
      Array.from(
        ordered.after(() => false),
        ({ number, items, sizeBytes }) => ({
          untilMs: (number + 1) * PAGE_MS,
          count: items.size,
          sizeBytes,
        }),
      ),
  }
}
