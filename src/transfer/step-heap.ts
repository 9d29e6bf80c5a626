// A priority queue of steps with at most one step per path: submitting a path again replaces what waited for it.
// Answers for order only; slots and performing are the transfer queue's.
import type { MediaPath } from '../media/media.ts'
import type { Step } from '../plan/step.ts'

interface Slot {
  readonly step: Step
  readonly rank: number
  readonly sequence: number
}

export interface StepHeap {
  put(step: Step, rank: number): void
  /** The most urgent step, left where it is. */
  peek(): Step | undefined
  /** The most urgent step, taken out. */
  take(): Step | undefined
  /** Any step, taken out: the one that `random`, drawn in [0, 1), falls on. */
  takeAny(random: number): Step | undefined
  drop(path: MediaPath): boolean
  has(path: MediaPath): boolean
  clear(): void
  size(): number
}

/** A binary heap; a replaced or dropped slot stays in it until it comes to the top, and is passed over there. */
export function createStepHeap(): StepHeap {
  let heap: Slot[] = []
  let sequence = 0
  const waiting = new Map<MediaPath, Slot>()

  const precedes = (a: Slot, b: Slot) =>
    a.rank < b.rank || (a.rank === b.rank && a.sequence < b.sequence)

  function siftUp(slot: Slot) {
    let index = heap.push(slot) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (!above || !precedes(slot, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = slot
  }

  function siftDown(slot: Slot) {
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      const left = heap[child]
      if (!left) break
      const right = heap[child + 1]
      const smaller = right && precedes(right, left) ? right : left
      if (smaller === right) child++
      if (!precedes(smaller, slot)) break
      heap[index] = smaller
      index = child
    }
    heap[index] = slot
  }

  function pop(): Slot | undefined {
    const top = heap[0]
    const last = heap.pop()
    if (last && last !== top) siftDown(last)
    return top
  }

  /** The most urgent slot that still counts; what was replaced or dropped goes on the way. */
  function top(): Slot | undefined {
    for (let slot = heap[0]; slot; slot = heap[0]) {
      if (waiting.get(slot.step.path) === slot) return slot
      pop()
    }
    return undefined
  }

  /** Replaced slots would otherwise pile up while nothing is taken (an open circuit and many passes). */
  function compact() {
    const live = [...waiting.values()]
    heap = []
    for (const slot of live) siftUp(slot)
  }

  return {
    put(step, rank) {
      const slot = { step, rank, sequence: sequence++ }
      waiting.set(step.path, slot)
      siftUp(slot)
      if (heap.length > 2 * waiting.size + 1024) compact()
    },
    peek: () => top()?.step,
    take() {
      const slot = top()
      if (slot === undefined) return undefined
      pop()
      waiting.delete(slot.step.path)
      return slot.step
    },
    takeAny(random) {
      compact()
      const slot = heap[Math.floor(random * heap.length)]
      if (slot) waiting.delete(slot.step.path)
      return slot?.step
    },
    drop: (path) => waiting.delete(path),
    has: (path) => waiting.has(path),
    clear() {
      waiting.clear()
      heap = []
    },
    size: () => waiting.size,
  }
}
