// Answers for when a step is performed: by urgency, within slots, at most one per path at a time, none while the circuit is open.
// Not for who goes before whom (plan/renewal-order.ts), what a step does (perform.ts) nor what comes of it (pass.ts).
import { isSameWish, type MediaPath } from '../media/media.ts'
import { isUrgent, type Lane, nextUploadLane, type UploadLane } from '../plan/renewal-order.ts'
import type { Step } from '../plan/step.ts'
import type { Clock, Timer } from '../support/clock.ts'
import { createWaitingSteps } from './waiting-steps.ts'

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
  /** A step was submitted for this path while another was in flight: it needs a fresh look. Perhaps another medium is to land there. */
  onOverlap: (path: MediaPath, isLanding: boolean) => void
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

const CALLING_LANES = ['renewal', 'expired', 'fresh', 'download'] as const

export function createTransferQueue(deps: TransferQueueDeps): TransferQueue {
  const { clock } = deps
  const waiting = createWaitingSteps(deps.askedAtMs)
  const inFlight = new Map<MediaPath, { step: Step; ended: Promise<void> }>()
  const running: Record<Lane, number> = { local: 0, renewal: 0, expired: 0, fresh: 0, download: 0 }
  /** For each path in flight for which something came meanwhile: whether that is another landing. */
  const overlapped = new Map<MediaPath, boolean>()
  const aborter = new AbortController()
  const idleWaiters: (() => void)[] = []
  /** What is waited for: that the quota has room, that what waits is in its lanes. */
  const naps = new Map<string, Timer>()
  /** Lanes that got an upload slot, the latest first, each once. */
  let latestUploads: readonly UploadLane[] = []
  let stopped = false

  function lookAgainIn(delayMs: number, reason: string) {
    if (naps.has(reason)) return
    const pumpThen = () => {
      naps.delete(reason)
      pump()
    }
    naps.set(reason, deps.after(delayMs, pumpThen))
  }

  const waitingUploads = () => ({
    renewal: waiting.count('renewal'),
    expired: waiting.count('expired'),
    fresh: waiting.count('fresh'),
  })

  function uploadLane(): UploadLane | undefined {
    const { renewal, expired, fresh } = waitingUploads()
    const slots = deps.slots().uploads
    const isFull = running.renewal + running.expired + running.fresh >= slots
    if (isFull || renewal + expired + fresh === 0) return undefined
    const nowMs = clock.nowMs()
    if (!waiting.sort(nowMs)) {
      lookAgainIn(0, 'more to be moved')
      return undefined
    }
    const head = waiting.peek('renewal')
    return nextUploadLane({
      slots,
      waiting: waitingUploads(),
      running,
      pressure: deps.pressure(),
      isEmergency: head !== undefined && isUrgent(head, nowMs),
      latest: latestUploads,
    })
  }

  /** What goes now, taken out of its lane; undefined when nobody waits who could start. */
  function takeNext(): { step: Step; lane: Lane } | undefined {
    const lane = waiting.count('local') > 0 ? 'local' : callingLane()
    if (lane === undefined || (lane !== 'local' && !deps.admits())) return undefined
    if (lane !== 'local' && deps.isProbing()) return takeProbe()
    if (lane !== 'local' && lane !== 'download' && lane !== latestUploads[0])
      latestUploads = [lane, ...latestUploads.filter((other) => other !== lane)]
    const step = waiting.take(lane)
    return step && { step, lane }
  }

  function callingLane(): UploadLane | 'download' | undefined {
    const upload = uploadLane()
    if (upload !== undefined && hasRoom('uploads')) return upload
    const hasSlot = waiting.count('download') > 0 && running.download < deps.slots().downloads
    return hasSlot && hasRoom('downloads') ? 'download' : undefined
  }

  /** Looks again when there is, since what is the most urgent may be another step by then. */
  function hasRoom(direction: 'uploads' | 'downloads'): boolean {
    const waitMs = deps.waitMs(direction)
    if (waitMs > 0) lookAgainIn(waitMs, direction)
    return waitMs <= 0
  }

  /** Any step and not the most urgent: a single file that always breaks the line must not be the probe each time. */
  function takeProbe(): { step: Step; lane: Lane } | undefined {
    const lanes = CALLING_LANES.filter((lane) => waiting.count(lane) > 0)
    const lane = lanes[Math.floor(deps.random() * lanes.length)]
    const step = lane && waiting.takeAny(lane, deps.random())
    return step && { step, lane }
  }

  function start(step: Step, lane: Lane) {
    running[lane]++
    const ended = deps.perform(step, aborter.signal).then(() => {
      running[lane]--
      inFlight.delete(step.path)
      const isLanding = overlapped.get(step.path)
      overlapped.delete(step.path)
      if (isLanding !== undefined) deps.onOverlap(step.path, isLanding)
      pump()
    })
    inFlight.set(step.path, { step, ended })
  }

  function pump() {
    for (let next = stopped ? undefined : takeNext(); next; next = takeNext())
      start(next.step, next.lane)
    if (waiting.count() + inFlight.size > 0) return
    for (const resolve of idleWaiters.splice(0)) resolve()
  }

  return {
    submit(steps, nowMs) {
      if (stopped) return
      for (const step of steps) {
        const current = inFlight.get(step.path)?.step
        if (!current) waiting.put(step, nowMs)
        else overlapped.set(step.path, overlapped.get(step.path) || isAnotherLanding(step, current))
      }
      pump()
    },
    withdraw(path) {
      waiting.drop(path)
      pump()
    },
    has: (path) => waiting.has(path) || inFlight.has(path),
    whenFree: async (path) => inFlight.get(path)?.ended,
    wake: pump,
    load: () => ({
      waiting: waiting.count(),
      waitingRenewals: waiting.count('renewal') + waiting.count('expired'),
      waitingDead: waiting.count('expired'),
      waitingNew: waiting.newcomers(),
      inFlight: [...inFlight.values()].map(({ step }) => step),
    }),
    idle: () =>
      waiting.count() + inFlight.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => idleWaiters.push(resolve)),
    async stop(reason) {
      stopped = true
      waiting.clear()
      for (const nap of naps.values()) nap.cancel()
      aborter.abort(reason)
      if (inFlight.size > 0) await new Promise<void>((resolve) => idleWaiters.push(resolve))
      else for (const resolve of idleWaiters.splice(0)) resolve()
    },
  }
}

/** A landing that is planned once more while it is in flight is none. */
function isAnotherLanding(step: Step, current: Step): boolean {
  if (step.kind !== 'land' || current.kind !== 'land') return step.kind === 'land'
  const [wanted, landing] = [step.reference, current.reference]
  return wanted.mediaId !== landing.mediaId || !isSameWish(landing, wanted)
}
