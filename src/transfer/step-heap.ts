// A priority queue of steps. Answers for order only: that a path has one step at most, slots and performing are the transfer
// queue's, which keeps the places that it is given.
import type { Step } from '../plan/step.ts'

/** Where a step waits. */
export interface Place<Lane> {
  readonly lane: Lane
  readonly step: Step
  readonly rank: number
  readonly sequence: number
  /** Taken or dropped; it stays in the heap until it comes to the top, and is passed over there. */
  isGone: boolean
}

export interface StepHeap<Lane> {
  put(step: Step, rank: number): Place<Lane>
  /** The most urgent step, left where it is. */
  peek(): Step | undefined
  /** The most urgent step, taken out. */
  take(): Step | undefined
  /** Any step, taken out: the one that `random`, drawn in [0, 1), falls on. */
  takeAny(random: number): Step | undefined
  /** Takes out what waits at a place of this heap. */
  drop(place: Place<Lane>): void
  clear(): void
  size(): number
}

/** A binary heap whose places bear the name of its lane. */
export function createStepHeap<Lane>(lane: Lane): StepHeap<Lane> {
  let heap: Place<Lane>[] = []
  let sequence = 0
  /** Of those in the heap, how many are not gone. */
  let size = 0

  const precedes = (a: Place<Lane>, b: Place<Lane>) =>
    a.rank < b.rank || (a.rank === b.rank && a.sequence < b.sequence)

  function siftUp(place: Place<Lane>) {
    let index = heap.push(place) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (!above || !precedes(place, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = place
  }

  function siftDown(place: Place<Lane>) {
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      const left = heap[child]
      if (!left) break
      const right = heap[child + 1]
      const smaller = right && precedes(right, left) ? right : left
      if (smaller === right) child++
      if (!precedes(smaller, place)) break
      heap[index] = smaller
      index = child
    }
    heap[index] = place
  }

  function pop() {
    const top = heap[0]
    const last = heap.pop()
    if (last && last !== top) siftDown(last)
  }

  /** The most urgent place that still counts; those that are gone leave on the way. */
  function top(): Place<Lane> | undefined {
    while (heap[0]?.isGone) pop()
    return heap[0]
  }

  /** What was dropped would otherwise pile up while nothing is taken (an open circuit and many passes). */
  function compact() {
    const current = heap.filter((place) => !place.isGone)
    heap = []
    for (const place of current) siftUp(place)
  }

  function drop(place: Place<Lane>) {
    if (place.isGone) return
    place.isGone = true
    size--
  }

  return {
    put(step, rank) {
      const place = { lane, step, rank, sequence: sequence++, isGone: false }
      size++
      siftUp(place)
      if (heap.length > 2 * size + 1024) compact()
      return place
    },
    peek: () => top()?.step,
    take() {
      const place = top()
      if (place === undefined) return undefined
      pop()
      drop(place)
      return place.step
    },
    takeAny(random) {
      const from = Math.floor(random * heap.length)
      // About half of them are there at the least, so the next one that is does not stand far away.
      for (let beyond = 0; beyond < heap.length; beyond++) {
        const place = heap[(from + beyond) % heap.length]
        if (place === undefined || place.isGone) continue
        drop(place)
        return place.step
      }
      return undefined
    },
    drop,
    clear() {
      heap = []
      size = 0
    },
    size: () => size,
  }
}
