// Wraps the port: no call leaves before the quota has room for it, first come first served. Only our own counting: what to
// do when the service says "too many" is the circuit's business.
import type { Clock } from '../support/clock.ts'
import { createQuota, nextFreeAtMs, recordCall } from './quota.ts'
import { untilAborted } from './until-aborted.ts'
import type { Wecom } from './wecom.ts'

/** Look again at least this often, in case the clock was set while waiting. */
const LONGEST_NAP_MS = 60_000

export function createLimitedWecom(deps: {
  readonly wecom: Wecom
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>
  readonly quota: { readonly perMinute: number; readonly perHour: number; readonly share: number }
}): Wecom {
  // The service counts each of its interfaces apart (path/90454), so one of them never waits for the other.
  const uploads = createTurnstile(deps)
  const downloads = createTurnstile(deps)
  return Object.freeze({
    async upload(request, signal) {
      await uploads.pass(signal)
      return deps.wecom.upload(request, signal)
    },
    async download(request, signal) {
      await downloads.pass(signal)
      return deps.wecom.download(request, signal)
    },
  } satisfies Wecom)
}

/** Lets one caller through at a time, in the order of arrival. The queue is as long as there are transfers under way. */
function createTurnstile(deps: {
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>
  readonly quota: Parameters<typeof createQuota>[0]
}) {
  const { clock } = deps
  let state = createQuota(deps.quota)
  let lastInLine: Promise<unknown> = Promise.resolve()

  const waitForTurn = async (signal: AbortSignal) => {
    signal.throwIfAborted()
    let waitMs = nextFreeAtMs(state, clock.nowMs()) - clock.nowMs()
    while (waitMs > 0) {
      await clock.sleep(Math.min(waitMs, LONGEST_NAP_MS), signal)
      waitMs = nextFreeAtMs(state, clock.nowMs()) - clock.nowMs()
    }
    state = recordCall(state, clock.nowMs())
  }

  return {
    pass(signal: AbortSignal): Promise<void> {
      const turn = lastInLine.then(() => waitForTurn(signal))
      // Whoever gave up has told so himself; those behind him only wait for the place.
      lastInLine = turn.catch(() => undefined)
      return untilAborted(turn, signal)
    },
  }
}
