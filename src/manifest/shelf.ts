// Answers for one section of the manifest in memory: found by key, walked in order of the key, each row keeping the line
// it was last written as. Not for what else the rows are looked up by.
import type { Row } from './row.ts'
import { createSortedList } from './sorted-list.ts'

/** Rows as they stood at one moment, in order of their key, in short parts. */
export type RowSnapshot<T> = readonly (readonly Row<T>[])[]

export interface Shelf<T> {
  find(key: string): T | undefined
  /** Returns the row that stood there before, and says in it that it is gone. */
  put(row: Row<T>): Row<T> | undefined
  drop(key: string): Row<T> | undefined
  count(): number
  snapshot(): RowSnapshot<T>
}

/** The place of a key: a new row takes it without any search, since nothing else moves. */
interface Place<T> {
  readonly key: string
  row: Row<T>
}

/** An empty shelf. */
export function createShelf<T>(): Shelf<T> {
  const byKey = new Map<string, Place<T>>()
  const ordered = createSortedList<Place<T>>((a, b) => compareText(a.key, b.key))

  return {
    find: (key) => byKey.get(key)?.row.value,
    put(row) {
      const place = byKey.get(row.key)
      if (place === undefined) {
        const added = { key: row.key, row }
        byKey.set(row.key, added)
        ordered.put(added)
        return undefined
      }
      const before = place.row
      before.isGone = true
      place.row = row
      return before
    },
    drop(key) {
      const place = byKey.get(key)
      if (place === undefined) return undefined
      byKey.delete(key)
      ordered.remove(place)
      place.row.isGone = true
      return place.row
    },
    count: () => byKey.size,
    snapshot: () => ordered.snapshot((place) => place.row),
  }
}

/** By UTF-16 code units, as `Array.prototype.sort` does: the same on every machine. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
