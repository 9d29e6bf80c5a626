// Answers for how fast bytes may go when the line is not ours alone: one allowance for all transfers, shared slice by slice
// in the order of asking. Not for the streams that it holds back (paced-wecom.ts).
import type { Clock, Timer } from '../support/clock.ts'

export interface Bandwidth {
  /** The most that may be asked for at once. Small, so that many transfers share a second and each keeps moving. */
  readonly sliceBytes: number
  /** Resolves when so many bytes may go; rejects with the signal's reason, and nothing is used up. */
  take(bytes: number, signal: AbortSignal): Promise<void>
}

/** Unused allowance is kept for this long: late timers are made good, and an idle hour buys no flood. */
const BURST_MS = 250
const SLICE_MS = 1000 / 16
/** What streams hand over at once. */
const MAX_SLICE_BYTES = 64 * 1024

/**
 * Until when the line is taken once a slice has gone, and how long that slice has to wait. A clock that leapt forward is
 * worth no more than the burst, one that fell back costs no more than the longest slice.
 */
export function planSlice(
  takenUntilMs: number,
  costMs: number,
  nowMs: number,
): { readonly waitMs: number; readonly takenUntilMs: number } {
  const latestMs = nowMs + Math.max(SLICE_MS, costMs)
  const fromMs = Math.min(Math.max(takenUntilMs, nowMs - BURST_MS), latestMs)
  return { waitMs: Math.max(0, fromMs - nowMs), takenUntilMs: fromMs + costMs }
}

export function createBandwidth(deps: {
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>
  readonly bytesPerSecond: number
}): Bandwidth {
  const { clock, bytesPerSecond } = deps
  const sliceBytes = Math.floor((bytesPerSecond * SLICE_MS) / 1000)
  /** As long as there are transfers under way. */
  const line = new Set<{ readonly bytes: number; readonly go: () => void }>()
  let takenUntilMs = clock.monotonicMs()
  let timer: Timer | undefined

  const serve = () => {
    timer = undefined
    for (const first of line) {
      const costMs = (first.bytes / bytesPerSecond) * 1000
      const turn = planSlice(takenUntilMs, costMs, clock.monotonicMs())
      if (turn.waitMs > 0) {
        timer = clock.after(turn.waitMs, serve)
        return
      }
      takenUntilMs = turn.takenUntilMs
      line.delete(first)
      first.go()
    }
  }

  return Object.freeze({
    sliceBytes: Math.max(1, Math.min(sliceBytes, MAX_SLICE_BYTES)),
    take: (bytes, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const place = {
          bytes,
          go() {
            signal.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        const onAbort = () => {
          line.delete(place)
          if (line.size === 0) timer = void timer?.cancel()
          reject(signal.reason)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        line.add(place)
        if (!timer) serve()
      }),
  } satisfies Bandwidth)
}
