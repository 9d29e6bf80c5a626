// Answers for noticing that an exchange has stopped moving, or moves too slowly to be worth it. Counts movements and
// never reads the clock, so a clock that is set forward ends no transfer.
import type { Clock, Timer } from '../support/clock.ts'

export interface ExchangeLimits {
  /** Without any movement for this long, at most twice this long, the exchange is given up. */
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

export function createWatchdog(deps: {
  readonly clock: Pick<Clock, 'after'>
  readonly limits: ExchangeLimits
  /** Whether we ourselves are the ones who are slow: then standing still is not the other side's fault. */
  readonly isWaitingForUs: () => boolean
  readonly onStall: (what: string) => void
}): Watchdog {
  const { clock, limits, onStall } = deps
  let movements = 0
  let idle = look(movements)
  let total: Timer | undefined

  function look(seen: number) {
    return clock.after(limits.idleMs, () => {
      if (seen !== movements || deps.isWaitingForUs()) idle = look(movements)
      else onStall(`nothing moved for ${limits.idleMs / 1000} s`)
    })
  }

  return {
    moved: () => void movements++,
    expect(bytes) {
      total?.cancel()
      const limitMs = limits.baseMs + (bytes / limits.minBytesPerSecond) * 1000
      total = clock.after(limitMs, () =>
        onStall(`not done after ${Math.round(limitMs / 1000)} s, slower than the limit`),
      )
    },
    stop() {
      idle.cancel()
      total?.cancel()
    },
  }
}
