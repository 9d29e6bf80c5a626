// Wraps the port: no call leaves before the quota has room for it, first come first served. Only our own counting: what to
// do when the service says "too many" is the circuit's business.
import type { Clock } from '../support/clock.ts'
import {
  createQuota,
  nextFreeAtMs,
  type QuotaShare,
  type QuotaState,
  recordCall,
  settleQuota,
} from './quota.ts'
import { untilAborted } from './until-aborted.ts'
import type { Wecom } from './wecom.ts'

interface LimitedDeps {
  /** Spans are counted on time that nobody can set: a leap of the clock neither frees a window nor closes it. */
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  readonly quota: QuotaShare
}

export function createLimitedWecom(deps: LimitedDeps & { readonly wecom: Wecom }): Wecom {
  const { wecom } = deps
  // The service counts each of its interfaces apart (path/90454), so one of them never waits for the other.
  const uploads = createTurnstile(deps)
  const downloads = createTurnstile(deps)
  return Object.freeze({
    upload: (request, signal) =>
      uploads.passAtOnce(signal)
        ? wecom.upload(request, signal)
        : uploads.pass(signal).then(() => wecom.upload(request, signal)),
    download: (request, signal) =>
      downloads.passAtOnce(signal)
        ? wecom.download(request, signal)
        : downloads.pass(signal).then(() => wecom.download(request, signal)),
  } satisfies Wecom)
}

/** Lets one caller through at a time, in the order of arrival. The queue is as long as there are transfers under way. */
function createTurnstile({ clock, quota }: LimitedDeps) {
  let state: QuotaState = createQuota(quota)
  let lastInLine: Promise<unknown> = Promise.resolve()
  let inLine = 0

  /** How long the first in line has to wait; 0 when it has just been let through. */
  const tryToPass = (): number => {
    const nowMs = clock.monotonicMs()
    const freeAtMs = nextFreeAtMs(state, nowMs)
    if (freeAtMs <= nowMs) state = recordCall(state, nowMs)
    else state = settleQuota(state, nowMs)
    return freeAtMs - nowMs
  }

  const waitForTurn = async (signal: AbortSignal) => {
    try {
      signal.throwIfAborted()
      for (let waitMs = tryToPass(); waitMs > 0; waitMs = tryToPass()) {
        await clock.sleep(waitMs, signal)
      }
    } finally {
      inLine--
    }
  }

  return {
    /** Where there is room and no line, passing is a matter of nanoseconds, not of promises. */
    passAtOnce: (signal: AbortSignal): boolean =>
      inLine === 0 && !signal.aborted && tryToPass() <= 0,
    pass(signal: AbortSignal): Promise<void> {
      inLine++
      const turn = lastInLine.then(() => waitForTurn(signal))
      // Whoever gave up has told so himself; those behind him only wait for the place.
      lastInLine = turn.catch(() => undefined)
      return untilAborted(turn, signal)
    },
  }
}
