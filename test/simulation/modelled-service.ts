// Answers for WeCom in a simulation: takes uploads on a clock of its own, forgets them when their time is over, fails by the
// seed, and counts calls. It needs no memory of millions of media: an id says when it was made.
import type { MirrorError } from '../../src/errors.ts'
import type { MediaId } from '../../src/media/media.ts'
import type { ServiceClock } from '../../src/wecom/service-clock.ts'
import type { UploadReceipt, UploadRequest, Wecom } from '../../src/wecom/wecom.ts'
import { BLOCKED, CROWDED, type Fault, faultOf, OUT_OF_REACH, SPELLS } from './service-faults.ts'
import { createSlidingWindow } from './sliding-window.ts'
import type { Trace } from './trace.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A request with what only the model knows of it. */
export interface ModelledRequest extends UploadRequest {
  readonly index: number
  /** WeCom has never taken these bytes. */
  readonly isNew: boolean
}

export interface ModelledService {
  /** Its own time, which no leap of ours touches. */
  nowMs(): number
  /** The port for one process, which measures the service's clock with each answer. */
  createWire(serviceClock: Pick<ServiceClock, 'nowMs' | 'startSample'>): Wecom
  /** When a medium dies, or has. */
  diesAtMs(mediaId: MediaId): number
  setReachable(isReachable: boolean): void
  /** The first answer since it was last made reachable. */
  firstAnswer(): FirstAnswer | undefined
  /** From now on this one hears of every call; undefined: nobody. */
  watchCalls(watch: CallWatch | undefined): void
  /** When we called in the last hour. */
  calledAtMs(): readonly number[]
  /** From now on so much is our share; calls are counted anew. */
  allow(limits: Limits): void
  counts(): ServiceCounts
}

export interface CallWatch {
  sent(index: number, nowMs: number): void
  answered(call: EndedCall, nowMs: number): void
}

export interface EndedCall {
  readonly index: number
  readonly sentAtMs: number
  /** What it failed with. */
  readonly error: MirrorError | undefined
}

export interface FirstAnswer {
  /** The monotonic moment. */
  readonly atMs: number
  /** When we called in the hour before, probes that were in vain among it: they stand in the windows too. */
  readonly calledAtMs: readonly number[]
}

export interface Limits {
  readonly perMinute: number
  readonly perHour: number
}

export interface ServiceCounts {
  readonly calls: number
  readonly stored: number
  readonly failed: number
  /** Calls in each hour since the beginning. */
  readonly callsByHour: readonly number[]
  /** The most calls in any sliding window, as a part of what is allowed. */
  readonly peakMinute: number
  readonly peakHour: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** On average a transfer takes the shortest time and half of this. */
const JITTER_MS = 80
/** On average. */
export const meanAnswerMs = (shortestMs: number): number => shortestMs + JITTER_MS / 2

export function createModelledService(deps: {
  readonly clock: VirtualClock
  readonly random: () => number
  readonly trace: Trace
  /** What its clock shows at the monotonic moment 0. */
  readonly startMs: number
  readonly lifetimeMs: number
  /** Part of the calls that fail. */
  readonly faultRate: number
  readonly shortestAnswerMs: number
}): ModelledService {
  const { clock, random, trace, lifetimeMs, faultRate } = deps
  const nowMs = () => deps.startMs + clock.monotonicMs()
  const peaks = { minute: 0, hour: 0 }
  const callsByHour: number[] = []
  const blocked = createSpell(SPELLS.blockedEveryMs, SPELLS.blockedForMs)
  const crowded = createSpell(SPELLS.crowdedEveryMs, SPELLS.crowdedForMs)
  const date = createDateHeader()
  let minute = createSlidingWindow(MINUTE_MS, 0)
  let hour = createSlidingWindow(HOUR_MS, 0)
  let limits: Limits = { perMinute: 0, perHour: 0 }
  let isReachable = true
  let firstAnswer: FirstAnswer | undefined
  let watch: CallWatch | undefined
  let calls = 0
  let stored = 0
  let failed = 0
  let underWay = 0

  /** Times in which something is wrong: short ones, now and then, by the seed. */
  function createSpell(everyMs: number, forMs: number) {
    let fromMs = faultRate > 0 ? -Math.log(1 - random()) * everyMs : Infinity
    return (atMs: number): boolean => {
      if (atMs < fromMs) return false
      if (atMs < fromMs + forMs) return true
      fromMs = atMs - Math.log(1 - random()) * everyMs
      return false
    }
  }

  function count(atMs: number) {
    calls++
    peaks.minute = Math.max(peaks.minute, minute.add(atMs) / limits.perMinute)
    peaks.hour = Math.max(peaks.hour, hour.add(atMs) / limits.perHour)
    const number = Math.floor(atMs / HOUR_MS)
    while (callsByHour.length <= number) callsByHour.push(0)
    callsByHour[number] = (callsByHour[number] ?? 0) + 1
  }

  function drawFault(atMs: number, request: ModelledRequest): Fault | undefined {
    if (!isReachable) return OUT_OF_REACH
    if (faultRate === 0) return undefined
    if (blocked(atMs)) return BLOCKED
    if (underWay > SPELLS.crowdedAbove && crowded(atMs)) return CROWDED
    const draw = random()
    if (draw >= faultRate) return undefined
    const fault = faultOf(draw / faultRate)
    return fault.onlyKnown && request.isNew ? undefined : fault
  }

  /** The id of a medium that is stored at this moment. Its death stands in it. */
  const store = (atMs: number): { mediaId: MediaId; createdAtMs: number } => {
    stored++
    const createdAtMs = Math.floor((deps.startMs + atMs) / 1000) * 1000
    return { mediaId: mediaIdOf(FIRST_NUMBER + stored, createdAtMs), createdAtMs }
  }

  const createWire = (serviceClock: Pick<ServiceClock, 'nowMs' | 'startSample'>): Wecom => {
    let lastHeader = ''
    return {
      upload(plain) {
        const request = plain as ModelledRequest
        const sentAtMs = clock.monotonicMs()
        const beganAtMs = serviceClock.nowMs()
        const sawDate = serviceClock.startSample()
        count(sentAtMs)
        watch?.sent(request.index, sentAtMs)
        const fault = drawFault(sentAtMs, request)
        const tookMs = fault?.afterMs ?? Math.round(deps.shortestAnswerMs + random() * JITTER_MS)
        underWay++
        return new Promise<UploadReceipt>((resolve, reject) => {
          clock.after(tookMs, () => {
            underWay--
            const ended = { index: request.index, sentAtMs, error: fault?.error }
            watch?.answered(ended, clock.monotonicMs())
            if (fault === undefined || fault.isAnswer) {
              firstAnswer ??= { atMs: clock.monotonicMs(), calledAtMs: hour.moments() }
              const header = date(nowMs())
              // One answer of each second is enough to know the second.
              if (header !== lastHeader) sawDate(header)
              lastHeader = header
            }
            if (fault) {
              failed++
              if (fault.isStored) store(sentAtMs)
              trace.note(fault.name, request.index)
              return reject(fault.error)
            }
            // Stored at some moment between request and answer, and never said to be later than the request.
            const { mediaId, createdAtMs } = store(sentAtMs + tookMs / 2)
            trace.note('stored', request.index)
            resolve({ mediaId, createdAtMs: Math.min(createdAtMs, beganAtMs) })
          })
        })
      },
      download: () => Promise.reject(new Error('nothing is downloaded in a simulation')),
    }
  }

  return {
    nowMs,
    createWire,
    diesAtMs: (mediaId) => parseCreatedAtMs(mediaId) + lifetimeMs,
    setReachable(reachable) {
      isReachable = reachable
      firstAnswer = undefined
    },
    firstAnswer: () => firstAnswer,
    watchCalls: (by) => void (watch = by),
    calledAtMs: () => hour.moments(),
    allow(allowed) {
      limits = allowed
      minute = createSlidingWindow(MINUTE_MS, limits.perMinute)
      hour = createSlidingWindow(HOUR_MS, limits.perHour)
    },
    counts: () => ({
      calls,
      stored,
      failed,
      callsByHour,
      peakMinute: peaks.minute,
      peakHour: peaks.hour,
    }),
  }
}

const parseCreatedAtMs = (mediaId: MediaId): number =>
  Number.parseInt(mediaId.slice(mediaId.indexOf('.') + 1), 36) * 1000

/** An id as the service makes it, so short that it lies in memory in one piece: there are as many of them as media, and more. */
const mediaIdOf = (number: number, createdAtMs: number): MediaId =>
  `${number.toString(36)}.${(createdAtMs / 1000).toString(36)}` as MediaId

/** The id of a medium that was uploaded before the simulation began. */
export const olderMediaId = (index: number, createdAtMs: number): MediaId =>
  mediaIdOf(FIRST_NUMBER - 1 - index, createdAtMs)

/** Numbers below it are for what was uploaded before; five digits hold all that come. */
const FIRST_NUMBER = 10_000_000

/** The header for a moment; a whole second has one, and is asked for it by many. */
function createDateHeader(): (atMs: number) => string {
  let second = Number.NaN
  let header = ''
  return (atMs) => {
    const asked = Math.floor(atMs / 1000)
    if (asked !== second) {
      second = asked
      header = new Date(asked * 1000).toUTCString()
    }
    return header
  }
}
