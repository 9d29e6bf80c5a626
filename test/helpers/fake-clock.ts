import { type Clock, createSleep } from '../../src/support/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time forward, firing every timer on its way at its own moment and letting promises settle in between. */
  advance(byMs: number): Promise<void>
  /** Changes what the clock says without letting time pass: a leap, forward or back. What a suspend looks like, too. */
  leap(byMs: number): void
  pendingTimers(): number
}

/** A clock that stands still until told to move. */
export function createFakeClock(startMs = Date.UTC(2026, 10, 22, 8)): FakeClock {
  let elapsedMs = 0
  let offsetMs = startMs
  let sequence = 0
  const timers = new Map<number, { atMs: number; callback: () => void }>()

  const after: Clock['after'] = (delayMs, callback) => {
    const id = sequence++
    timers.set(id, { atMs: elapsedMs + Math.max(0, delayMs), callback })
    return { cancel: () => void timers.delete(id) }
  }

  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  const nextTimer = (untilMs: number) =>
    [...timers]
      .filter(([, t]) => t.atMs <= untilMs)
      .sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b)[0]

  return {
    nowMs: () => offsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after,
    sleep: createSleep(after),
    async advance(byMs) {
      const untilMs = elapsedMs + byMs
      await settle()
      for (let next = nextTimer(untilMs); next; next = nextTimer(untilMs)) {
        const [id, timer] = next
        timers.delete(id)
        elapsedMs = Math.max(elapsedMs, timer.atMs)
        timer.callback()
        await settle()
      }
      elapsedMs = untilMs
      await settle()
    },
    leap: (byMs) => void (offsetMs += byMs),
    pendingTimers: () => timers.size,
  }
}
