// Answers for one section of the manifest in memory: found by key, walked in order of the key, each row keeping the line
// it was last written as. Not for what else the rows are looked up by.
import type { Row } from './row.ts'
import { createSortedList } from './sorted-list.ts'

/** Rows as they stood at one moment, in order of their key, in short parts. */
export type RowSnapshot<T> = readonly (readonly Row<T>[])[]

export interface Shelf<T> {
  find(key: string): T | undefined
  /** Returns what stood there before. */
  put(row: Row<T>): T | undefined
  drop(key: string): T | undefined
  count(): number
  snapshot(): RowSnapshot<T>
}

/** A shelf with these rows on it, each key once. */
export function createShelf<T>(rows: readonly Row<T>[]): Shelf<T> {
  const byKey = new Map(rows.map((row) => [row.key, row]))
  const ordered = createSortedList<Row<T>>((a, b) => compareText(a.key, b.key), rows)

  return {
    find: (key) => byKey.get(key)?.value,
    put(row) {
      const before = byKey.get(row.key)
      byKey.set(row.key, row)
      ordered.put(row)
      return before?.value
    },
    drop(key) {
      const before = byKey.get(key)
      if (before === undefined) return undefined
      byKey.delete(key)
      ordered.remove(before)
      return before.value
    },
    count: () => byKey.size,
    snapshot: () => ordered.snapshot(),
  }
}

/** By UTF-16 code units, as `Array.prototype.sort` does: the same on every machine. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
