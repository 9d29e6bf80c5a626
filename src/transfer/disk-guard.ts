// Answers for what this machine does not give at the moment (room in the state directory, room in the folder, files to open): tells
// it once, and tries by itself until it is given again. One guard for each. What is held back meanwhile is held-steps.ts's.
import { isMirrorError, isSystemError, type MirrorError } from '../errors.ts'
import type { Clock, Timer } from '../support/clock.ts'
import type { Emit, Scarcity } from '../support/events.ts'

export interface DiskGuard {
  /** Why nothing is to be tried; undefined when all is well. */
  error(): MirrorError | undefined
  /** It was asked for, and not given. */
  refused(error: MirrorError): void
  stop(): Promise<void>
}

const FIRST_TRY_MS = 1000
/** So long after it is given again, at most, work goes on. */
const LONGEST_TRY_MS = 30_000
/** What is given for less than this is asked for ever more rarely, up to as rarely: room for a little, and one large medium. */
const RELAPSE_MS = 5 * 60_000

export function createDiskGuard(deps: {
  readonly of: Scarcity
  /** Asks for it as earnestly as the work would; rejects while it is not given. */
  readonly probe: () => Promise<void>
  readonly clock: Pick<Clock, 'nowMs' | 'after'>
  readonly emit: Emit
  readonly onBug: (error: unknown) => void
}): DiskGuard {
  const { of, clock, emit } = deps
  let trouble: { readonly error: MirrorError; readonly sinceMs: number } | undefined
  let timer: Timer | undefined
  let probing: Promise<void> | undefined
  let isStopped = false
  let tries = 0
  let relapses = 0
  let recoveredAtMs = Number.NEGATIVE_INFINITY

  function arm() {
    if (isStopped) return
    const longestMs = relapses === 0 ? LONGEST_TRY_MS : RELAPSE_MS
    const delayMs = Math.min(longestMs, FIRST_TRY_MS * 2 ** Math.min(tries++, 30))
    timer = clock.after(delayMs, () => {
      probing = tryAgain().catch(deps.onBug)
    })
  }

  async function tryAgain() {
    try {
      await deps.probe()
    } catch (error) {
      if (!isMirrorError(error) && !isSystemError(error)) throw error
      return arm()
    }
    recoveredAtMs = clock.nowMs()
    const failedForMs = Math.max(0, recoveredAtMs - (trouble?.sinceMs ?? recoveredAtMs))
    trouble = undefined
    emit({ kind: 'disk-recovered', of, failedForMs })
  }

  return {
    error: () => trouble?.error,
    refused(error) {
      if (trouble !== undefined || isStopped) return
      const sinceMs = clock.nowMs()
      relapses = sinceMs - recoveredAtMs > RELAPSE_MS ? 0 : relapses + 1
      tries = relapses
      trouble = { error, sinceMs }
      emit({ kind: 'disk-failed', of, error })
      arm()
    },
    async stop() {
      isStopped = true
      timer?.cancel()
      await probing
    },
  }
}
