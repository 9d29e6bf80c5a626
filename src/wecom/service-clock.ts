// Answers for what time it is at the service, from the `Date` of its answers. Everything about a medium's life asks this
// clock; nothing else does. Where it must guess, it guesses later: an id that may be dead is never taken for a live one.
import type { Clock } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'

export interface ServiceClock {
  /** Never earlier than what was known at the last answer and the time that has passed since, however the clock is set. */
  nowMs(): number
  /** How far the service is ahead of this machine; 0 while too small to matter or not yet known. */
  skewMs(): number
  /** Call just before a request; call the result with the answer's `Date` header. */
  startSample(): (dateHeader: string | undefined) => void
  /** What to begin with next time; undefined as long as the service has never said. */
  known(): KnownServiceTime | undefined
}

/** What a run of the program leaves for the next one, and for those who only read the state. */
export interface KnownServiceTime {
  readonly skewMs: number
  /** A moment that has been at the service. */
  readonly atMs: number
}

export interface DateSample {
  /** What the service said, a whole second. */
  readonly dateMs: number
  readonly receivedAtMs: number
  /** From the request to the reading of its answer, at most. */
  readonly tookMs: number
}

const IGNORED_BELOW_MS = 2_000
const DATE_RESOLUTION_MS = 1_000
/** A sample that took longer says too little, or the machine was suspended while it was taken. */
const LONGEST_SAMPLE_MS = 10 * 60_000
const REPORTED_FROM_MS = 2 * 60_000
const REPORTED_AGAIN_AFTER_MS = 60_000

/**
 * The offset after one more sample. The service wrote its second at some moment between request and answer, which
 * bounds the offset from both sides; while the known offset is within the bounds it stands, so jitter never moves it.
 */
export function adjustOffset(knownMs: number, sample: DateSample): number {
  const leastMs = sample.dateMs - sample.receivedAtMs
  // Of a long sample only this much is certain: what was said has been.
  if (sample.tookMs > LONGEST_SAMPLE_MS) return Math.max(knownMs, leastMs)
  const mostMs = leastMs + DATE_RESOLUTION_MS + sample.tookMs
  if (knownMs >= leastMs && knownMs <= mostMs) return knownMs
  const middleMs = Math.round((leastMs + mostMs) / 2)
  return Math.abs(middleMs) < IGNORED_BELOW_MS ? 0 : middleMs
}

export function createServiceClock(deps: {
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  readonly emit: Emit
  /** What the program knew when it last ran. */
  readonly known?: KnownServiceTime | undefined
}): ServiceClock {
  const { clock } = deps
  // A machine that was ahead may have been set right since; until the service says, the later of both is believed.
  let offsetMs = Math.max(0, deps.known?.skewMs ?? 0)
  let anchor = anchorAt(Math.max(clock.nowMs() + offsetMs, deps.known?.atMs ?? 0))
  let isTold = false
  let reportedMs = 0

  function anchorAt(serviceMs: number) {
    return { serviceMs, monotonicMs: clock.monotonicMs() }
  }

  /** What it must be at least. In a suspend this stands still, and the machine's own clock is the later one. */
  const leastNowMs = () => anchor.serviceMs + Math.floor(clock.monotonicMs() - anchor.monotonicMs)

  /** The offset, and what the clock was set back by since it was measured. */
  const skewMs = () => {
    const aheadMs = leastNowMs() - clock.nowMs()
    return aheadMs > offsetMs + DATE_RESOLUTION_MS ? aheadMs : offsetMs
  }

  const learn = (sample: DateSample) => {
    offsetMs = adjustOffset(skewMs(), sample)
    anchor = anchorAt(Math.max(sample.receivedAtMs + offsetMs, sample.dateMs))
    isTold = true
  }

  const report = () => {
    if (Math.abs(offsetMs) <= REPORTED_FROM_MS) {
      reportedMs = 0
    } else if (Math.abs(offsetMs - reportedMs) > REPORTED_AGAIN_AFTER_MS) {
      reportedMs = offsetMs
      deps.emit({ kind: 'clock-skew', skewMs: offsetMs })
    }
  }

  return Object.freeze({
    nowMs: () => Math.max(clock.nowMs() + offsetMs, leastNowMs()),
    skewMs,
    startSample() {
      const sentAtMs = clock.nowMs()
      const sent = clock.monotonicMs()
      return (dateHeader: string | undefined) => {
        const dateMs = parseHttpDate(dateHeader)
        if (dateMs === undefined) return
        const receivedAtMs = clock.nowMs()
        // A clock set back shortens the one, a suspend the other; the longer of them bounds the sample truly.
        const tookMs = Math.max(receivedAtMs - sentAtMs, clock.monotonicMs() - sent)
        learn({ dateMs, receivedAtMs, tookMs })
        report()
      }
    },
    known: () => (isTold ? { skewMs: skewMs(), atMs: leastNowMs() } : deps.known),
  })
}

/** HTTP dates are in GMT; without it, `Date.parse` would take them for this machine's own time of day. */
function parseHttpDate(header = ''): number | undefined {
  const dateMs = header.endsWith('GMT') ? Date.parse(header) : Number.NaN
  return Number.isNaN(dateMs) ? undefined : dateMs
}
