// Answers for time. The only file that reads the clock or sets a timer; everything else is given one of these.

export interface Timer {
  cancel(): void
}

export interface Clock {
  nowMs(): number
  /** Time that only passes, from an arbitrary start: nobody can set it; it stands still while the machine is suspended. */
  monotonicMs(): number
  /** Calls back once; longer delays than `setTimeout` can count are waited for in parts. */
  after(delayMs: number, callback: () => void): Timer
  /** Resolves after the delay, or rejects with the signal's reason. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** `setTimeout` takes at most 2^31 - 1 ms and fires at once beyond it. */
const MAX_DELAY_MS = 2 ** 31 - 1

function after(delayMs: number, callback: () => void): Timer {
  const wait = Math.max(0, Math.min(delayMs, MAX_DELAY_MS))
  let next: Timer | undefined
  const timeout = setTimeout(() => {
    if (delayMs > wait) next = after(delayMs - wait, callback)
    else callback()
  }, wait)
  return {
    cancel() {
      clearTimeout(timeout)
      next?.cancel()
    },
  }
}

/** `sleep` for any clock that can call back. */
export function createSleep(startTimer: Clock['after']): Clock['sleep'] {
  return (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        timer.cancel()
        reject(signal?.reason)
      }
      const timer = startTimer(delayMs, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after,
  sleep: createSleep(after),
}
