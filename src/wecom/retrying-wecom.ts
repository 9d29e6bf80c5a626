// Wraps the port: calls again, in seconds and a bounded number of times, what only needs time. Obeys the remedy that the
// error carries; long outages belong to the circuit and the next pass.
import pRetry from 'p-retry'
import { isMirrorError } from '../errors.ts'
import type { Clock } from '../support/clock.ts'
import type { Wecom } from './wecom.ts'

/** The service asks for at most three tries (path/90313, errcode -1). */
const MAX_ATTEMPTS = 3
const FIRST_CEILING_MS = 500
const LAST_CEILING_MS = 4_000

/** The wait before the next attempt, anywhere up to a ceiling that doubles: callers that failed together come back apart. */
export const retryDelayMs = (failedAttempts: number, random: number): number =>
  Math.round(random * Math.min(LAST_CEILING_MS, FIRST_CEILING_MS * 2 ** (failedAttempts - 1)))

export function createRetryingWecom(deps: {
  readonly wecom: Wecom
  readonly clock: Pick<Clock, 'sleep'>
  readonly random: () => number
  /** Whether one more attempt may be worth it: while the circuit is not closed, a probe is one call and a straggler the last. */
  readonly mayRepeat: () => boolean
}): Wecom {
  const { wecom, clock, random, mayRepeat } = deps

  const isWorthRepeating = async (error: unknown, failedAttempts: number, signal: AbortSignal) => {
    if (!isMirrorError(error) || error.remedy !== 'retry' || !mayRepeat()) return false
    await clock.sleep(retryDelayMs(failedAttempts, random()), signal)
    return mayRepeat()
  }

  /** Nearly every call goes well at once, and is over then. */
  const attempt = <Result>(call: () => Promise<Result>, signal: AbortSignal): Promise<Result> =>
    call().catch((error: unknown) => repeat(error, call, signal))

  // p-retry is not given the signal: it would throw away a result that arrived just before the abort, and with it a
  // receipt nobody else has. Its own delays have no jitter at their cap, so the wait is here and its delay is 0.
  async function repeat<Result>(
    firstError: unknown,
    call: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    if (!(await isWorthRepeating(firstError, 1, signal))) throw firstError
    return pRetry(call, {
      retries: MAX_ATTEMPTS - 2,
      minTimeout: 0,
      shouldRetry: ({ error, attemptNumber }) => isWorthRepeating(error, attemptNumber + 1, signal),
    })
  }

  return Object.freeze({
    upload: (request, signal) => attempt(() => wecom.upload(request, signal), signal),
    download: (request, signal) => attempt(() => wecom.download(request, signal), signal),
  } satisfies Wecom)
}
