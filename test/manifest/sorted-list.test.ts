import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSortedList } from '../../src/manifest/sorted-list.ts'

const compare = (a: number, b: number) => a - b

test('does what a sorted set of numbers does', () => {
  const item = fc.integer({ min: 0, max: 3000 })
  const step = fc.record({ put: fc.boolean(), item })
  fc.assert(
    fc.property(
      fc.uniqueArray(item, { maxLength: 1500, size: 'max' }),
      fc.array(step, { maxLength: 1500, size: 'max' }),
      (start, steps) => {
        const list = createSortedList(compare)
        for (const item of start) list.put(item)
        const model = new Set(start)
        for (const { put, item } of steps) {
          if (put) list.put(item)
          else list.remove(item)
          if (put) model.add(item)
          else model.delete(item)
        }
        const expected = [...model].sort(compare)
        expect(list.snapshot((item) => item).flat()).toEqual(expected)
        expect([...list.after((n) => n < 1000)]).toEqual(expected.filter((n) => n >= 1000))
      },
    ),
    { numRuns: 20 },
  )
})

test('an item that compares equal makes way for the new one', () => {
  const list = createSortedList<{ at: number; name: string }>((a, b) => a.at - b.at)
  list.put({ at: 1, name: 'old' })
  list.put({ at: 1, name: 'new' })
  expect(list.snapshot((item) => item).flat()).toEqual([{ at: 1, name: 'new' }])
})

test('a snapshot keeps what was, in short parts', () => {
  const items = Array.from({ length: 10_000 }, (_, n) => (n * 7919) % 10_007)
  const list = createSortedList(compare)
  for (const item of items) list.put(item)
  const snapshot = list.snapshot((item) => item)
  for (const item of items) list.remove(item)
  expect(list.snapshot((item) => item)).toEqual([])
  expect(snapshot.flat()).toEqual(items.toSorted(compare))
  expect(Math.max(...snapshot.map((part) => part.length))).toBeLessThanOrEqual(512)
})
