// Answers for when a step is performed: by urgency, within slots, at most one per path at a time, none while the circuit is open.
// Not for what a step does (perform.ts) nor for what comes of it (pass.ts).
import { assertNever } from '../errors.ts'
import type { MediaPath } from '../media/media.ts'
import type { Lane } from '../plan/renewal-order.ts'
import type { Step } from '../plan/step.ts'
import { createStepHeap } from './step-heap.ts'

export interface TransferQueue {
  /** Takes steps in; one whose path already waits replaces it, one whose path is in flight asks for another look. */
  submit(steps: readonly Step[], nowMs: number): void
  /** A waiting step is no longer wanted. */
  withdraw(path: MediaPath): void
  /** Resolves when no step of this path is in flight. */
  whenFree(path: MediaPath): Promise<void>
  /** To be called when something that held the queue back has changed (the circuit closed). */
  wake(): void
  load(): QueueLoad
  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void>
  /** Takes nothing new, drops what waits, aborts what is in flight and waits for its end. */
  stop(reason: Error): Promise<void>
}

export interface QueueLoad {
  readonly waiting: number
  readonly inFlight: readonly Step[]
}

export function createTransferQueue(deps: {
  /** Performs one step to its end; never rejects. */
  perform: (step: Step, signal: AbortSignal) => Promise<void>
  /** A step was submitted for this path while another was in flight: it needs a fresh look. */
  onOverlap: (path: MediaPath) => void
  /** Whether WeCom may be called at this moment. Asked last, and only to go: while a circuit probes, its first yes is the only one. */
  admits: () => boolean
  slots: { uploads: number; downloads: number }
  laneOf: (step: Step) => Lane
  rankOf: (step: Step, nowMs: number) => number
}): TransferQueue {
  const { laneOf, rankOf } = deps
  const lanes: Record<Lane, ReturnType<typeof createStepHeap>> = {
    local: createStepHeap(),
    renewal: createStepHeap(),
    fresh: createStepHeap(),
    download: createStepHeap(),
  }
  const inFlight = new Map<MediaPath, { step: Step; ended: Promise<void> }>()
  const overlapped = new Set<MediaPath>()
  const aborter = new AbortController()
  const idleWaiters: (() => void)[] = []
  let stopped = false

  const all = Object.values(lanes)
  const waiting = () => all.reduce((sum, lane) => sum + lane.size(), 0)
  const running = (lane: Lane) =>
    [...inFlight.values()].reduce((sum, { step }) => sum + (laneOf(step) === lane ? 1 : 0), 0)

  /** While both lanes have work, neither new files nor renewals may take the last upload slot of the other. */
  function hasUploadSlot(lane: 'renewal' | 'fresh'): boolean {
    const rival = lane === 'renewal' ? 'fresh' : 'renewal'
    const taken = running(lane)
    if (taken + running(rival) >= deps.slots.uploads) return false
    const rivalStarves = lanes[rival].size() > 0 && running(rival) === 0
    return !(rivalStarves && deps.slots.uploads > 1 && taken >= deps.slots.uploads - 1)
  }

  function hasSlot(lane: Lane): boolean {
    switch (lane) {
      case 'local':
        return true
      case 'renewal':
      case 'fresh':
        return hasUploadSlot(lane) && deps.admits()
      case 'download':
        return running(lane) < deps.slots.downloads && deps.admits()
      default:
        return assertNever(lane)
    }
  }

  function start(step: Step) {
    const ended = deps.perform(step, aborter.signal).then(() => {
      inFlight.delete(step.path)
      if (overlapped.delete(step.path)) deps.onOverlap(step.path)
      pump()
    })
    inFlight.set(step.path, { step, ended })
  }

  function startNext(lane: Lane): boolean {
    if (lanes[lane].size() === 0 || !hasSlot(lane)) return false
    const step = lanes[lane].take()
    if (step) start(step)
    return step !== undefined
  }

  function pump() {
    // Renewals are asked first: with a single slot they win, and a deadline is worth more than a wish.
    const order: Lane[] = ['local', 'renewal', 'fresh', 'download']
    while (!stopped && order.some(startNext));
    if (waiting() + inFlight.size > 0) return
    for (const resolve of idleWaiters.splice(0)) resolve()
  }

  return {
    submit(steps, nowMs) {
      if (stopped) return
      for (const step of steps) {
        if (inFlight.has(step.path)) {
          overlapped.add(step.path)
          continue
        }
        for (const lane of all) lane.drop(step.path)
        lanes[laneOf(step)].put(step, rankOf(step, nowMs))
      }
      pump()
    },
    withdraw(path) {
      for (const lane of all) lane.drop(path)
      pump()
    },
    whenFree: async (path) => inFlight.get(path)?.ended,
    wake: pump,
    load: () => ({ waiting: waiting(), inFlight: [...inFlight.values()].map(({ step }) => step) }),
    idle: () =>
      waiting() + inFlight.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => idleWaiters.push(resolve)),
    async stop(reason) {
      stopped = true
      for (const lane of all) lane.clear()
      aborter.abort(reason)
      if (inFlight.size > 0) await new Promise<void>((resolve) => idleWaiters.push(resolve))
      else for (const resolve of idleWaiters.splice(0)) resolve()
    },
  }
}
