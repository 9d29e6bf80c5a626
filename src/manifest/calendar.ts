// Answers for entries in the order of a moment that each of them has, where entries come and go all the time: pages of what
// falls into the same minute, so that putting and removing cost the same however many there are, and a start sorts nothing.
// Not for what the moment means.
import type { ManifestEntry } from '../media/media.ts'
import type { MomentRange, WorkloadSlice } from './manifest.ts'
import type { Row } from './row.ts'
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
  rows: Row<T>[]
  count: number
  sizeBytes: number
}

export interface Calendar<T> {
  put(row: Row<T>): void
  /** The row is in, and is gone from the manifest. */
  remove(row: Row<T>): void
  /** Earliest first, those of one moment by path. */
  find(range: MomentRange, limit: number): T[]
  /** How much there is on each page, earliest first; as long as nothing is altered. */
  slices(): WorkloadSlice[]
}

/** A calendar without entries, for those in the order of this moment. */
export function createCalendar<T extends ManifestEntry>(
  momentMs: (entry: T) => number,
): Calendar<T> {
  const pages = new Map<number, Page<T>>()
  const ordered = createSortedList<Page<T>>((a, b) => a.number - b.number)
  const numberOf = (atMs: number) => Math.floor(atMs / PAGE_MS)
  const compare = (a: T, b: T) => momentMs(a) - momentMs(b) || compareText(a.path, b.path)

  function openPage(number: number): Page<T> {
    const untilMs = (number + 1) * PAGE_MS
    const page: Page<T> = { number, untilMs, rows: [], count: 0, sizeBytes: 0 }
    pages.set(number, page)
    ordered.put(page)
    return page
  }

  function entriesWithin(page: Page<T>, afterMs: number, untilMs: number): T[] {
    const entries: T[] = []
    for (const { value, isGone } of page.rows) {
      if (isGone) continue
      const atMs = momentMs(value)
      if (atMs > afterMs && atMs <= untilMs) entries.push(value)
    }
    return entries
  }

  return {
    put(row) {
      const number = numberOf(momentMs(row.value))
      const page = pages.get(number) ?? openPage(number)
      page.rows.push(row)
      page.count++
      page.sizeBytes += row.value.sizeBytes
    },
    remove({ value }) {
      const page = pages.get(numberOf(momentMs(value)))
      if (page === undefined) return
      page.count--
      page.sizeBytes -= value.sizeBytes
      if (page.count === 0) {
        pages.delete(page.number)
        ordered.remove(page)
      } else if (page.rows.length > 2 * page.count + MOST_STALE)
        page.rows = page.rows.filter((row) => !row.isGone)
    },
    find({ afterMs = -Infinity, untilMs }, limit) {
      const [first, last] = [numberOf(afterMs), numberOf(untilMs)]
      const found: T[] = []
      for (const page of ordered.after(({ number }) => number < first)) {
        if (page.number > last || found.length >= limit) break
        for (const entry of entriesWithin(page, afterMs, untilMs).sort(compare)) {
          if (found.length === limit) break
          found.push(entry)
        }
      }
      return found
    },
    slices: () => [...ordered.after(() => false)],
  }
}
