// Answers for entries in the order of a moment that each of them has, where entries come and go all the time: sets of what
// falls into the same minute, so that putting and removing cost the same however many there are, and a start sorts nothing.
// Not for what the moment means.
import { createSortedList } from './sorted-list.ts'

/** Short enough that one minute is quickly put in order, long enough that three days are a few thousand sets. */
const PAGE_MS = 60_000

export interface Calendar<T> {
  put(item: T): void
  remove(item: T): void
  /** Items whose moment lies after `afterMs` (or anywhere before the other end) and not after `untilMs`, earliest first. */
  find(range: { readonly afterMs?: number; readonly untilMs: number }, limit: number): T[]
  first(): T | undefined
}

/** `momentMs` must not change while an item is in; `compare` orders items of the same moment. */
export function createCalendar<T>(deps: {
  readonly momentMs: (item: T) => number
  readonly compare: (a: T, b: T) => number
}): Calendar<T> {
  const { momentMs } = deps
  const pages = new Map<number, Set<T>>()
  const numbers = createSortedList<number>((a, b) => a - b)
  const numberOf = (atMs: number) => Math.floor(atMs / PAGE_MS)

  const inOrder = (items: T[]) =>
    items.sort((a, b) => momentMs(a) - momentMs(b) || deps.compare(a, b))

  function find(
    { afterMs = -Infinity, untilMs }: Parameters<Calendar<T>['find']>[0],
    limit: number,
  ) {
    const found: T[] = []
    for (const number of numbers.from(numberOf(afterMs))) {
      if (number > numberOf(untilMs) || found.length >= limit) break
      const within = [...(pages.get(number) ?? [])].filter(
        (item) => momentMs(item) > afterMs && momentMs(item) <= untilMs,
      )
      found.push(...inOrder(within).slice(0, limit - found.length))
    }
    return found
  }

  return {
    put(item) {
      const number = numberOf(momentMs(item))
      const page = pages.get(number)
      if (page) return void page.add(item)
      pages.set(number, new Set([item]))
      numbers.put(number)
    },
    remove(item) {
      const number = numberOf(momentMs(item))
      const page = pages.get(number)
      page?.delete(item)
      if (page?.size !== 0) return
      pages.delete(number)
      numbers.remove(number)
    },
    find,
    first: () => find({ untilMs: Infinity }, 1)[0],
  }
}
