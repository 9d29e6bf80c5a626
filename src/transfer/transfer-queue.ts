// Answers for when a step is performed: by urgency, within slots, at most one per path at a time, none while the circuit is open.
// Not for who goes before whom (plan/renewal-order.ts), what a step does (perform.ts) nor what comes of it (pass.ts).
import type { MediaPath } from '../media/media.ts'
import {
  isUrgent,
  type Lane,
  laneOf,
  nextUploadLane,
  rankOf,
  type UploadLane,
} from '../plan/renewal-order.ts'
import type { Step } from '../plan/step.ts'
import type { Clock, Timer } from '../support/clock.ts'
import { createStepHeap, type Place } from './step-heap.ts'

export interface TransferQueue {
  /** Takes steps in; one whose path already waits replaces it, one whose path is in flight asks for another look. */
  submit(steps: readonly Step[], nowMs: number): void
  /** A waiting step is no longer wanted. */
  withdraw(path: MediaPath): void
  /** Whether a step of this path waits or is in flight. */
  has(path: MediaPath): boolean
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
  /** Of those that wait: renewals, of what lives and of what is dead. */
  readonly waitingRenewals: number
  /** Of those renewals: of what was dead when the queue last chose. */
  readonly waitingDead: number
  /** Of those that wait: files that have never had an id. */
  readonly waitingNew: { readonly count: number; readonly sizeBytes: number }
  readonly inFlight: readonly Step[]
}

export interface TransferQueueDeps {
  /** Performs one step to its end; never rejects. */
  perform: (step: Step, signal: AbortSignal) => Promise<void>
  /** A step was submitted for this path while another was in flight: it needs a fresh look. */
  onOverlap: (path: MediaPath) => void
  /** Whether WeCom may be called at this moment. Asked last, and only to go: while a circuit probes, its first yes is the only one. */
  admits: () => boolean
  /** How long the quota has no room for one more call; a step is chosen when there is, and not before it waits. */
  waitMs: (direction: 'uploads' | 'downloads') => number
  /** Whether the call just admitted is to find out if calls make sense again. */
  isProbing: () => boolean
  /** How many transfers may be under way; asked each time. */
  slots: () => { readonly uploads: number; readonly downloads: number }
  /** How much of the allowed rate the coming deaths need, see `foresee`. */
  pressure: () => number
  /** When somebody last asked in vain for the id of this path. */
  askedAtMs: (path: MediaPath) => number | undefined
  random: () => number
  /** The service's clock: what lives and what is dead is told by it. */
  clock: { nowMs(): number }
  after: Clock['after']
}

/** So many of the dead are moved in one turn of the event loop. */
const MOST_MOVED = 5_000
/** Smaller corrections of the service's clock change nobody's lane for long. */
const SET_BACK_FROM_MS = 60_000

const CALLING_LANES = ['renewal', 'expired', 'fresh', 'download'] as const

export function createTransferQueue(deps: TransferQueueDeps): TransferQueue {
  const { clock } = deps
  const lanes = {
    local: createStepHeap<Lane>('local'),
    renewal: createStepHeap<Lane>('renewal'),
    expired: createStepHeap<Lane>('expired'),
    fresh: createStepHeap<Lane>('fresh'),
    download: createStepHeap<Lane>('download'),
  }
  const inFlight = new Map<MediaPath, { step: Step; ended: Promise<void> }>()
  const running: Record<Lane, number> = { local: 0, renewal: 0, expired: 0, fresh: 0, download: 0 }
  /** Where the step of a path waits. */
  const placed = new Map<MediaPath, Place<Lane>>()
  const waitingNew = { count: 0, sizeBytes: 0 }
  const overlapped = new Set<MediaPath>()
  const aborter = new AbortController()
  const idleWaiters: (() => void)[] = []
  const naps: { uploads?: Timer | undefined; downloads?: Timer | undefined } = {}
  /** Lanes that got an upload slot, the latest first, each once. */
  let latestUploads: readonly UploadLane[] = []
  /** The service's moment at the last look: where it is behind that, the clock was set right. */
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let moving: Timer | undefined
  let stopped = false

  function place(step: Step, nowMs: number) {
    const before = placed.get(step.path)
    if (before) {
      tally(before.step, -1)
      lanes[before.lane].drop(before)
    }
    tally(step, 1)
    const rank = rankOf(step, nowMs, deps.askedAtMs)
    placed.set(step.path, lanes[laneOf(step, nowMs)].put(step, rank))
  }

  function drop(path: MediaPath) {
    const place = placed.get(path)
    if (place === undefined) return
    placed.delete(path)
    tally(place.step, -1)
    lanes[place.lane].drop(place)
  }

  function tally(step: Step, sign: 1 | -1) {
    if (step.kind !== 'upload' || step.because !== 'new') return
    waitingNew.count += sign
    waitingNew.sizeBytes += sign * step.file.sizeBytes
  }

  /**
   * What died while it waited was the most urgent, so it stands before all that still lives: it goes to its own lane. False while
   * more of it is left; after an outage of days that may be many, and nobody else is kept waiting for them.
   */
  function moveTheDead(nowMs: number): boolean {
    for (let moved = 0; moved < MOST_MOVED; moved++) {
      const step = lanes.renewal.peek()
      if (step === undefined || laneOf(step, nowMs) === 'renewal') return true
      place(step, nowMs)
    }
    moving ??= deps.after(0, () => {
      moving = undefined
      pump()
    })
    return false
  }

  /** Under a clock that was ahead the living were taken for dead, the next to die for the last in line: they are placed anew. */
  function takeBackTheLiving(nowMs: number) {
    const wasSetBack = nowMs < lookedAtMs - SET_BACK_FROM_MS
    lookedAtMs = nowMs
    if (!wasSetBack) return
    const steps: Step[] = []
    for (let step = lanes.expired.take(); step; step = lanes.expired.take()) steps.push(step)
    for (const step of steps) {
      placed.delete(step.path)
      place(step, nowMs)
    }
  }

  function uploadLane(): UploadLane | undefined {
    const { renewal, expired, fresh } = lanes
    const waiting = renewal.size() + expired.size() + fresh.size()
    const slots = deps.slots().uploads
    if (waiting === 0 || running.renewal + running.expired + running.fresh >= slots)
      return undefined
    const nowMs = clock.nowMs()
    takeBackTheLiving(nowMs)
    if (!moveTheDead(nowMs)) return undefined
    const head = renewal.peek()
    return nextUploadLane({
      slots,
      waiting: { renewal: renewal.size(), expired: expired.size(), fresh: fresh.size() },
      running,
      pressure: deps.pressure(),
      isEmergency: head !== undefined && isUrgent(head, nowMs),
      latest: latestUploads,
    })
  }

  /** What goes now, taken out of its lane; undefined when nobody waits who could start. */
  function takeNext(): { step: Step; lane: Lane } | undefined {
    const local = lanes.local.take()
    if (local) return { step: local, lane: 'local' }
    const upload = uploadLane()
    const lane =
      upload !== undefined && hasRoom('uploads')
        ? upload
        : hasDownloadSlot() && hasRoom('downloads')
          ? 'download'
          : undefined
    if (lane === undefined || !deps.admits()) return undefined
    if (deps.isProbing()) return takeProbe()
    if (lane !== 'download' && lane !== latestUploads[0])
      latestUploads = [lane, ...latestUploads.filter((other) => other !== lane)]
    const step = lanes[lane].take()
    return step && { step, lane }
  }

  const hasDownloadSlot = (): boolean =>
    lanes.download.size() > 0 && running.download < deps.slots().downloads

  /** Looks again when there is, since what is the most urgent may be another step by then. */
  function hasRoom(direction: 'uploads' | 'downloads'): boolean {
    const waitMs = deps.waitMs(direction)
    if (waitMs <= 0) return true
    naps[direction] ??= deps.after(waitMs, () => {
      naps[direction] = undefined
      pump()
    })
    return false
  }

  /** Any step and not the most urgent: a single file that always breaks the line must not be the probe each time. */
  function takeProbe(): { step: Step; lane: Lane } | undefined {
    const waiting = CALLING_LANES.filter((lane) => lanes[lane].size() > 0)
    const lane = waiting[Math.floor(deps.random() * waiting.length)]
    const step = lane && lanes[lane].takeAny(deps.random())
    return step && { step, lane }
  }

  function start(step: Step, lane: Lane) {
    running[lane]++
    const ended = deps.perform(step, aborter.signal).then(() => {
      running[lane]--
      inFlight.delete(step.path)
      if (overlapped.delete(step.path)) deps.onOverlap(step.path)
      pump()
    })
    inFlight.set(step.path, { step, ended })
  }

  function pump() {
    for (let next = stopped ? undefined : takeNext(); next; next = takeNext()) {
      placed.delete(next.step.path)
      tally(next.step, -1)
      start(next.step, next.lane)
    }
    if (placed.size + inFlight.size > 0) return
    for (const resolve of idleWaiters.splice(0)) resolve()
  }

  return {
    submit(steps, nowMs) {
      if (stopped) return
      for (const step of steps) {
        if (inFlight.has(step.path)) overlapped.add(step.path)
        else place(step, nowMs)
      }
      pump()
    },
    withdraw(path) {
      drop(path)
      pump()
    },
    has: (path) => placed.has(path) || inFlight.has(path),
    whenFree: async (path) => inFlight.get(path)?.ended,
    wake: pump,
    load: () => ({
      waiting: placed.size,
      waitingRenewals: lanes.renewal.size() + lanes.expired.size(),
      waitingDead: lanes.expired.size(),
      waitingNew: { ...waitingNew },
      inFlight: [...inFlight.values()].map(({ step }) => step),
    }),
    idle: () =>
      placed.size + inFlight.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => idleWaiters.push(resolve)),
    async stop(reason) {
      stopped = true
      placed.clear()
      Object.assign(waitingNew, { count: 0, sizeBytes: 0 })
      for (const lane of Object.values(lanes)) lane.clear()
      for (const timer of [naps.uploads, naps.downloads, moving]) timer?.cancel()
      aborter.abort(reason)
      if (inFlight.size > 0) await new Promise<void>((resolve) => idleWaiters.push(resolve))
      else for (const resolve of idleWaiters.splice(0)) resolve()
    },
  }
}
