// Answers for what time it is at the service, from the `Date` of its answers. Everything about a medium's life asks this
// clock; nothing else does.
import type { Emit } from '../support/events.ts'

export interface ServiceClock {
  nowMs(): number
  /** How far the service is ahead of this machine; 0 while too small to matter or not yet known. */
  skewMs(): number
  /** Call just before a request; call the result with the answer's `Date` header. */
  startSample(): (dateHeader: string | undefined) => void
}

export interface DateSample {
  /** What the service said, a whole second. */
  readonly dateMs: number
  readonly sentAtMs: number
  readonly receivedAtMs: number
}

const IGNORED_BELOW_MS = 2_000
const DATE_RESOLUTION_MS = 1_000
/** A sample that took longer says too little, or the clock was set while it was taken. */
const LONGEST_SAMPLE_MS = 10 * 60_000
const REPORTED_FROM_MS = 2 * 60_000
const REPORTED_AGAIN_AFTER_MS = 60_000

/**
 * The offset after one more sample. The service wrote its second at some moment between request and answer, which
 * bounds the offset from both sides; while the known offset is within the bounds it stands, so jitter never moves it.
 */
export function adjustOffset(knownMs: number, sample: DateSample): number {
  const tookMs = sample.receivedAtMs - sample.sentAtMs
  if (tookMs < 0 || tookMs > LONGEST_SAMPLE_MS) return knownMs
  const leastMs = sample.dateMs - sample.receivedAtMs
  const mostMs = sample.dateMs + DATE_RESOLUTION_MS - sample.sentAtMs
  if (knownMs >= leastMs && knownMs <= mostMs) return knownMs
  const middleMs = Math.round((leastMs + mostMs) / 2)
  return Math.abs(middleMs) < IGNORED_BELOW_MS ? 0 : middleMs
}

export function createServiceClock(deps: {
  readonly clock: { nowMs(): number }
  readonly emit: Emit
}): ServiceClock {
  let offsetMs = 0
  let reportedMs = 0

  const report = () => {
    if (Math.abs(offsetMs) <= REPORTED_FROM_MS) {
      reportedMs = 0
    } else if (Math.abs(offsetMs - reportedMs) > REPORTED_AGAIN_AFTER_MS) {
      reportedMs = offsetMs
      deps.emit({ kind: 'clock-skew', skewMs: offsetMs })
    }
  }

  return Object.freeze({
    nowMs: () => deps.clock.nowMs() + offsetMs,
    skewMs: () => offsetMs,
    startSample() {
      const sentAtMs = deps.clock.nowMs()
      return (dateHeader: string | undefined) => {
        const dateMs = Date.parse(dateHeader ?? '')
        if (Number.isNaN(dateMs)) return
        offsetMs = adjustOffset(offsetMs, { dateMs, sentAtMs, receivedAtMs: deps.clock.nowMs() })
        report()
      }
    },
  })
}
