// Answers for what waits to be performed: each path once, in the lane where it belongs by the moment, in order of urgency.
// Not for who goes when: that is the transfer queue's business.
import type { MediaPath } from '../media/media.ts'
import { type Lane, laneOf, rankOf } from '../plan/renewal-order.ts'
import type { Step } from '../plan/step.ts'
import { createStepHeap, type Place } from './step-heap.ts'

export interface WaitingSteps {
  /** A step of the same path makes way. */
  put(step: Step, nowMs: number): void
  drop(path: MediaPath): void
  has(path: MediaPath): boolean
  /** In one lane, or in all. */
  count(lane?: Lane): number
  /** Files that have never had an id. */
  newcomers(): { readonly count: number; readonly sizeBytes: number }
  /** The most urgent of the lane, left where it is. */
  peek(lane: Lane): Step | undefined
  /** The most urgent of the lane, taken out. */
  take(lane: Lane): Step | undefined
  /** Any of the lane, taken out: the one that `random`, drawn in [0, 1), falls on. */
  takeAny(lane: Lane, random: number): Step | undefined
  /**
   * Sees that what lives and what is dead stand in their lanes. False while more is to be moved: after an outage of days that may
   * be much, and nobody else is kept waiting for it.
   */
  sort(nowMs: number): boolean
  clear(): void
}

/** So many of the dead are moved in one turn of the event loop. */
const MOST_MOVED = 5_000
/** Smaller corrections of the service's clock change nobody's lane for long. */
const SET_BACK_FROM_MS = 60_000

export function createWaitingSteps(
  askedAtMs: (path: MediaPath) => number | undefined,
): WaitingSteps {
  const lanes = {
    local: createStepHeap<Lane>('local'),
    renewal: createStepHeap<Lane>('renewal'),
    expired: createStepHeap<Lane>('expired'),
    fresh: createStepHeap<Lane>('fresh'),
    download: createStepHeap<Lane>('download'),
  }
  /** Where the step of a path waits. */
  const placed = new Map<MediaPath, Place<Lane>>()
  const newcomers = { count: 0, sizeBytes: 0 }
  /** The service's moment at the last look: where it is behind that, the clock was set right. */
  let lookedAtMs = Number.NEGATIVE_INFINITY

  function tally(step: Step, sign: 1 | -1) {
    if (step.kind !== 'upload' || step.because !== 'new') return
    newcomers.count += sign
    newcomers.sizeBytes += sign * step.file.sizeBytes
  }

  function drop(path: MediaPath) {
    const place = placed.get(path)
    if (place === undefined) return
    placed.delete(path)
    tally(place.step, -1)
    lanes[place.lane].drop(place)
  }

  function put(step: Step, nowMs: number) {
    drop(step.path)
    tally(step, 1)
    placed.set(step.path, lanes[laneOf(step, nowMs)].put(step, rankOf(step, nowMs, askedAtMs)))
  }

  function taken(step: Step | undefined): Step | undefined {
    if (step === undefined) return undefined
    placed.delete(step.path)
    tally(step, -1)
    return step
  }

  /** What died while it waited was the most urgent, so it stands before all that still lives. */
  function moveTheDead(nowMs: number): boolean {
    for (let moved = 0; moved < MOST_MOVED; moved++) {
      const step = lanes.renewal.peek()
      if (step === undefined || laneOf(step, nowMs) === 'renewal') return true
      put(step, nowMs)
    }
    return false
  }

  /** Under a clock that was ahead the living were taken for dead, the next to die for the last in line. */
  function takeBackTheLiving(nowMs: number) {
    const steps: Step[] = []
    for (let step = lanes.expired.take(); step; step = lanes.expired.take()) steps.push(step)
    for (const step of steps) {
      placed.delete(step.path)
      put(step, nowMs)
    }
  }

  return {
    put,
    drop,
    has: (path) => placed.has(path),
    count: (lane) => (lane === undefined ? placed.size : lanes[lane].size()),
    newcomers: () => ({ ...newcomers }),
    peek: (lane) => lanes[lane].peek(),
    take: (lane) => taken(lanes[lane].take()),
    takeAny: (lane, random) => taken(lanes[lane].takeAny(random)),
    sort(nowMs) {
      const wasSetBack = nowMs < lookedAtMs - SET_BACK_FROM_MS
      lookedAtMs = nowMs
      if (wasSetBack) takeBackTheLiving(nowMs)
      return moveTheDead(nowMs)
    },
    clear() {
      placed.clear()
      Object.assign(newcomers, { count: 0, sizeBytes: 0 })
      for (const lane of Object.values(lanes)) lane.clear()
    },
  }
}
