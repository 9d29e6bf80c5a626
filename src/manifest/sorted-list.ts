// Answers for things kept in order while they come and go: an array of short arrays, so that putting, removing and the
// first few cost about log n, and a true copy of a million costs some milliseconds. Not for finding by a key: use a Map.

/** No part grows beyond this; a full one is cut in half. Short enough to move on insertion, long enough to be few. */
const MAX_PART_LENGTH = 512

export interface SortedList<T> {
  /** Adds the item; one that compares equal makes way for it. */
  put(item: T): void
  /** Removes what compares equal, if it is there. */
  remove(item: T): void
  /** What `view` makes of the items as they stand now, in parts of at most 512; later alterations do not show in it. */
  snapshot<View>(view: (item: T) => View): readonly (readonly View[])[]
  /** In order, without those at the beginning that are still `before`; the list must not be altered meanwhile. */
  after(before: (item: T) => boolean): Iterable<T>
}

/** An empty list ordered by `compare`, which must tell any two different items apart. */
export function createSortedList<T>(compare: (a: T, b: T) => number): SortedList<T> {
  const parts: T[][] = []

  /** The first part whose last item is not before `item`; the last part for what lies beyond all. */
  const partFor = (item: T): number => {
    const at = lowerBound(parts.length, (n) => {
      const last = parts[n]?.at(-1)
      return last !== undefined && compare(last, item) < 0
    })
    return Math.min(at, parts.length - 1)
  }

  const placeIn = (part: readonly T[], item: T): { at: number; found: boolean } => {
    const at = lowerBound(part.length, (n) => compare(part[n] as T, item) < 0)
    return { at, found: at < part.length && compare(part[at] as T, item) === 0 }
  }

  return {
    put(item) {
      // Looked at first, since what comes in order need not search.
      const last = parts.at(-1)
      if (last === undefined) return void parts.push([item])
      const isLast = compare(last.at(-1) as T, item) < 0
      const number = isLast ? parts.length - 1 : partFor(item)
      const part = parts[number] as T[]
      const { at, found } = isLast ? { at: part.length, found: false } : placeIn(part, item)
      part.splice(at, found ? 1 : 0, item)
      if (part.length > MAX_PART_LENGTH)
        parts.splice(number + 1, 0, part.splice(MAX_PART_LENGTH / 2))
    },
    // Short parts are not joined: each holds something, so there are never more of them than items.
    remove(item) {
      const number = partFor(item)
      const part = parts[number]
      if (part === undefined) return
      const { at, found } = placeIn(part, item)
      if (found) part.splice(at, 1)
      if (part.length === 0) parts.splice(number, 1)
    },
    snapshot: (view) => parts.map((part) => part.map(view)),
    *after(before) {
      const first = lowerBound(parts.length, (n) => before(parts[n]?.at(-1) as T))
      for (let number = first; number < parts.length; number++) {
        const part = parts[number] as T[]
        const from = number === first ? lowerBound(part.length, (n) => before(part[n] as T)) : 0
        for (let at = from; at < part.length; at++) yield part[at] as T
      }
    },
  }
}

/** How many of `length` places, from the left, are still `before`. */
function lowerBound(length: number, before: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (before(middle)) low = middle + 1
    else high = middle
  }
  return low
}
