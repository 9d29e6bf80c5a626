// Who is next at a hook, as a table of moves; and any order of successes and failures against the two promises.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHookQueue, type HookQueue } from '../../src/hooks/hook-queue.ts'
import { retryDelayMs } from '../../src/hooks/retry-delay.ts'

const open = (concurrency = 4) => createHookQueue({ concurrency, random: () => 1 })
const put = (queue: HookQueue, ...names: string[]) => {
  for (const name of names) queue.put({ id: name, lane: name.replace(/\d+$/, ''), atMs: 0 })
}
const takeAll = (queue: HookQueue, nowMs: number) => {
  const taken = []
  for (let next = queue.take(nowMs); next; next = queue.take(nowMs)) taken.push(next.waiting)
  return taken
}
const ids = (waiting: readonly { id: string }[]) => waiting.map(({ id }) => id)

it('takes one of each path at a time, and no more at once than allowed', () => {
  const queue = open(2)
  put(queue, 'a1', 'a2', 'b1', 'c1')
  const [a1, b1] = takeAll(queue, 0)
  expect([a1?.id, b1?.id]).toEqual(['a1', 'b1'])
  if (a1) queue.done(a1)
  // Whoever has waited longest goes first; its own next one is behind.
  expect(ids(takeAll(queue, 0))).toEqual(['c1'])
})

it('leaves a path alone that failed, longer each time, while the others go on', () => {
  const queue = open()
  put(queue, 'a1', 'a2', 'b1')
  const [a1, b1] = takeAll(queue, 0)
  if (a1) queue.failed(a1, 0)
  if (b1) queue.done(b1)
  expect(queue.isFailing()).toBe(false)
  expect(queue.nextAtMs(0)).toBe(1000)
  expect(takeAll(queue, 999)).toEqual([])
  const again = queue.take(1000)
  expect(again).toMatchObject({ waiting: { id: 'a1' }, attempt: 2 })
  if (again) queue.failed(again.waiting, 1000)
  expect(queue.isFailing()).toBe(true)
  expect(queue.nextAtMs(1000)).toBe(3000)
})

it('takes the hook for down when three paths have failed in a row: one attempt at a time, until one goes well', () => {
  const queue = open()
  put(queue, 'a1', 'b1', 'c1', 'd1', 'e1', 'f1')
  for (const waiting of takeAll(queue, 0).slice(0, 3)) queue.failed(waiting, 0)
  expect(queue.isFailing()).toBe(true)
  // d1 is under way still; what waits does not go, due or not.
  expect(takeAll(queue, 5_000)).toEqual([])
  queue.failed({ id: 'd1', lane: 'd', atMs: 0 }, 0)
  expect(queue.nextAtMs(0)).toBe(2000)
  const [e1] = takeAll(queue, 2000)
  expect(e1?.id).toBe('e1')
  if (e1) queue.done(e1)
  expect(ids(takeAll(queue, 2000))).toEqual(['f1', 'a1', 'b1', 'c1'])
})

it('a path that failed while the hook was down does not wait any longer once that is back', () => {
  const queue = open()
  const failNext = (nowMs: number) => {
    const next = queue.take(nowMs)
    if (next) queue.failed(next.waiting, nowMs)
    return next?.waiting.id
  }
  put(queue, 'a1')
  for (const nowMs of [0, 1000, 3000]) expect(failNext(nowMs)).toBe('a1')
  put(queue, 'b1', 'c1', 'd1')
  expect([failNext(3000), failNext(3000)]).toEqual(['b1', 'c1'])
  const [d1] = takeAll(queue, 4000)
  if (d1) queue.done(d1)
  // By itself it would wait until 7000.
  expect(ids(takeAll(queue, 4000)).sort()).toEqual(['a1', 'b1', 'c1'])
})

it('one path that fails for ever never holds up the others', () => {
  const queue = open()
  put(queue, 'bad1')
  for (let nowMs = 0; nowMs < 3_600_000; nowMs += 600_000) {
    const next = queue.take(nowMs)
    if (next) queue.failed(next.waiting, nowMs)
  }
  put(queue, 'good1')
  expect(queue.take(3_600_000)?.waiting.id).toBe('good1')
})

describe('gives up', () => {
  const old = (atMs: number) => atMs < 100
  it('what is old of a path that fails, and leaves the others', () => {
    const queue = open()
    queue.put({ id: 'a1', lane: 'a', atMs: 0 })
    queue.put({ id: 'a2', lane: 'a', atMs: 50 })
    queue.put({ id: 'a3', lane: 'a', atMs: 200 })
    queue.put({ id: 'b1', lane: 'b', atMs: 0 })
    const [a1, b1] = takeAll(queue, 0)
    if (a1) queue.failed(a1, 0)
    if (b1) queue.putBack(b1)
    expect(ids(queue.giveUp(old))).toEqual(['a1', 'a2'])
    expect(queue.count()).toBe(2)
    expect(queue.take(1000)).toMatchObject({ waiting: { id: 'b1' }, attempt: 1 })
    // The path has failed before; this delivery of it has never been tried.
    expect(queue.take(1000)).toMatchObject({ waiting: { id: 'a3' }, attempt: 1 })
  })

  it('all that is old when the hook is down, tried or not', () => {
    const queue = open(3)
    put(queue, 'a1', 'b1', 'c1', 'd1')
    queue.put({ id: 'e1', lane: 'e', atMs: 200 })
    for (const waiting of takeAll(queue, 0)) queue.failed(waiting, 0)
    expect(ids(queue.giveUp(old)).sort()).toEqual(['a1', 'b1', 'c1', 'd1'])
    expect(queue.count()).toBe(1)
  })
})

it('drops the oldest that is not under way', () => {
  const queue = open(1)
  put(queue, 'a1', 'b1', 'a2')
  queue.take(0)
  expect(queue.dropOldest()?.id).toBe('b1')
  expect(queue.dropOldest()?.id).toBe('a2')
  expect(queue.dropOldest()).toBeUndefined()
})

it('waits from a second to ten minutes, at least half of it whatever chance says', () => {
  expect([1, 2, 3, 4].map((failures) => retryDelayMs(failures, 1))).toEqual([
    1000, 2000, 4000, 8000,
  ])
  expect(retryDelayMs(1, 0)).toBe(500)
  for (const failures of [11, 100, 10_000]) expect(retryDelayMs(failures, 1)).toBe(600_000)
})

it('whatever fails, each path is told in its order, and nothing waits for ever', () => {
  const move = fc.record({ lane: fc.integer({ min: 0, max: 5 }), goesWell: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(move, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      (moves, most) => {
        const queue = createHookQueue({ concurrency: most, random: () => 0.5 })
        const outcomes = moves.map(({ goesWell }) => goesWell)
        for (const [number, { lane }] of moves.entries())
          queue.put({ id: String(number).padStart(3, '0'), lane: String(lane), atMs: 0 })
        const told: { id: string; lane: string }[] = []
        let nowMs = 0
        while (queue.count() > 0) {
          const taken = takeAll(queue, nowMs)
          expect(new Set(taken.map(({ lane }) => lane)).size).toBe(taken.length)
          expect(taken.length).toBeLessThanOrEqual(most)
          for (const waiting of taken) {
            if (outcomes.pop() === false) queue.failed(waiting, nowMs)
            else {
              told.push(waiting)
              queue.done(waiting)
            }
          }
          const atMs = queue.nextAtMs(nowMs)
          if (queue.count() > 0) expect(atMs).toBeDefined()
          nowMs = Math.max(nowMs, atMs ?? nowMs)
        }
        for (const lane of Map.groupBy(told, (one) => one.lane).values())
          expect(ids(lane)).toEqual(ids(lane).sort())
        expect(told).toHaveLength(moves.length)
      },
    ),
  )
})
