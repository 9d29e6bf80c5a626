// Answers for entries in the order of a moment that each of them has, where entries come and go all the time: pages of what
// falls into the same minute, so that putting and removing cost the same however many there are, and a start sorts nothing.
// Not for what the moment means.
import type { ManifestEntry } from '../media/media.ts'
import type { MomentRange, WorkloadSlice } from './manifest.ts'
import { compareText } from './shelf.ts'
import { createSortedList } from './sorted-list.ts'

/** Short enough that one page is quickly put in order, long enough that three days are a few thousand pages. */
const PAGE_MS = 60_000
/** A page with so many entries that were removed, and more of them than others, is written anew. */
const MOST_STALE = 256

/** A page is its own slice: it is asked for at every tick, and there are thousands. */
interface Page<T> extends WorkloadSlice {
  readonly number: number
  /** Also what was removed since, to be passed over: taking it out would mean to search for it. */
  entries: T[]
  count: number
  sizeBytes: number
}

export interface Calendar<T> {
  put(entry: T): void
  /** The entry is in, and is not current any more. */
  remove(entry: T): void
  /** Earliest first, those of one moment by path. */
  find(range: MomentRange, limit: number): T[]
  /** How much there is on each page, earliest first; as long as nothing is altered. */
  slices(): WorkloadSlice[]
}

export function createCalendar<T extends ManifestEntry>(deps: {
  /** Puts entries in the order of this. */
  readonly momentMs: (entry: T) => number
  /** Whether this very entry stands in the manifest. */
  readonly isCurrent: (entry: T) => boolean
}): Calendar<T> {
  const { momentMs, isCurrent } = deps
  const pages = new Map<number, Page<T>>()
  const ordered = createSortedList<Page<T>>((a, b) => a.number - b.number)
  const numberOf = (atMs: number) => Math.floor(atMs / PAGE_MS)
  const compare = (a: T, b: T) => momentMs(a) - momentMs(b) || compareText(a.path, b.path)

  function openPage(number: number): Page<T> {
    const untilMs = (number + 1) * PAGE_MS
    const page: Page<T> = { number, untilMs, entries: [], count: 0, sizeBytes: 0 }
    pages.set(number, page)
    ordered.put(page)
    return page
  }

  return {
    put(entry) {
      const number = numberOf(momentMs(entry))
      const page = pages.get(number) ?? openPage(number)
      page.entries.push(entry)
      page.count++
      page.sizeBytes += entry.sizeBytes
    },
    remove(entry) {
      const page = pages.get(numberOf(momentMs(entry)))
      if (page === undefined) return
      page.count--
      page.sizeBytes -= entry.sizeBytes
      if (page.count === 0) {
        pages.delete(page.number)
        ordered.remove(page)
      } else if (page.entries.length > 2 * page.count + MOST_STALE)
        page.entries = page.entries.filter(isCurrent)
    },
    find({ afterMs = -Infinity, untilMs }, limit) {
      const [first, last] = [numberOf(afterMs), numberOf(untilMs)]
      const found: T[] = []
      for (const page of ordered.after(({ number }) => number < first)) {
        if (page.number > last || found.length >= limit) break
        const within = page.entries.filter(
          (entry) => momentMs(entry) > afterMs && momentMs(entry) <= untilMs,
        )
        for (const entry of within.sort(compare)) {
          if (found.length === limit) break
          if (isCurrent(entry)) found.push(entry)
        }
      }
      return found
    },
    slices: () => [...ordered.after(() => false)],
  }
}
