// A clock for long simulated spans of code that waits for timers only and for no promise: a year passes within one call.
import type { Clock } from '../../src/support/clock.ts'

export interface InstantClock extends Pick<Clock, 'nowMs' | 'monotonicMs' | 'after'> {
  /** Moves time forward, firing every timer on its way at its own moment. */
  advance(byMs: number): void
}

export function createInstantClock(startMs = Date.UTC(2026, 10, 22, 8)): InstantClock {
  let nowMs = startMs
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()

  const nextTimer = (untilMs: number) =>
    [...timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]

  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    after(delayMs, callback) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    advance(byMs) {
      const untilMs = nowMs + byMs
      for (let next = nextTimer(untilMs); next; next = nextTimer(untilMs)) {
        timers.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.callback()
      }
      nowMs = untilMs
    },
  }
}
