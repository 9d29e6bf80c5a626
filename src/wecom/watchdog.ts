// Answers for noticing that an exchange has stopped moving, or moves too slowly to be worth it. Looks now and then and never
// reads the clock, so a clock that is set forward ends no transfer; time in which we ourselves hold it back does not count.
import type { Clock, Timer } from '../support/clock.ts'

export interface ExchangeLimits {
  /** Without any movement for this long the exchange is given up. */
  readonly idleMs: number
  /** What every exchange is granted, whatever its size. */
  readonly baseMs: number
  /** Below this average the exchange is given up, however steadily it trickles. */
  readonly minBytesPerSecond: number
}

/** 20 MB get 22 minutes at most; users report lines on which 6 MB take 15 s. */
export const DEFAULT_EXCHANGE_LIMITS: ExchangeLimits = {
  idleMs: 60_000,
  baseMs: 60_000,
  minBytesPerSecond: 16_384,
}

export interface Watchdog {
  moved(): void
  /** Starts the total time anew, for this many bytes. */
  expect(bytes: number): void
  stop(): void
}

/** So often within the idle time. What happens between two looks is taken for what the second one sees. */
const LOOKS_PER_IDLE = 20

export function createWatchdog(deps: {
  readonly clock: Pick<Clock, 'after'>
  readonly limits: ExchangeLimits
  /** Whether we ourselves are the ones who are slow: then standing still is not the other side's fault. */
  readonly isWaitingForUs: () => boolean
  readonly onStall: (what: string) => void
}): Watchdog {
  const { limits, onStall } = deps
  const lookMs = limits.idleMs / LOOKS_PER_IDLE
  let hasMoved = false
  let stillMs = 0
  let spentMs = 0
  let limitMs = limits.baseMs
  let next: Timer = lookLater()

  function lookLater() {
    return deps.clock.after(lookMs, () => {
      const isOurs = deps.isWaitingForUs()
      stillMs = hasMoved || isOurs ? 0 : stillMs + lookMs
      hasMoved = false
      if (!isOurs) spentMs += lookMs
      // A little less than the limit: sums of fractions may fall short of it.
      if (stillMs > limits.idleMs - lookMs / 2) {
        onStall(`nothing moved for ${limits.idleMs / 1000} s`)
      } else if (spentMs > limitMs) {
        onStall(`not done after ${Math.round(limitMs / 1000)} s, slower than the limit`)
      } else {
        next = lookLater()
      }
    })
  }

  return {
    moved: () => void (hasMoved = true),
    expect(bytes) {
      spentMs = 0
      limitMs = limits.baseMs + (bytes / limits.minBytesPerSecond) * 1000
    },
    stop: () => next.cancel(),
  }
}
