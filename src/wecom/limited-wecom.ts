// Wraps the port: no call leaves before the quota has room for it, first come first served. Only our own counting: what to
// do when the service says "too many" is the circuit's business.
import type { Clock } from '../support/clock.ts'
import { oneAtATime } from '../support/one-at-a-time.ts'
import {
  createQuota,
  nextFreeAtMs,
  type QuotaShare,
  type QuotaState,
  type QuotaUse,
  quotaUse,
  recordCall,
  settleQuota,
} from './quota.ts'
import { untilAborted } from './until-aborted.ts'
import type { Wecom } from './wecom.ts'

/**
 * What of the quota is used, of each of the two interfaces that the service counts apart (path/90454). Voices in high definition come
 * by a third, and are counted with the downloads all the same: too carefully, and there are few of them.
 */
export interface CallsMade {
  readonly uploads: GateUse
  readonly downloads: GateUse
}

export interface GateUse extends QuotaUse {
  /** Calls that were about to be made when this was written down; they may have been, at any moment since. */
  readonly upcoming: number
}

/** Where calls are written down before they are made, so that a program that was killed and started again knows of them. */
export interface CallBook {
  /** What the last run wrote down. */
  readonly made: CallsMade
  /**
   * Writes down what is used, calls included that are about to be made; one at a time. Never rejects: without it calls go on.
   */
  write(made: CallsMade): Promise<void>
}

interface LimitedDeps {
  /** Spans are counted on time that nobody can set: a leap of the clock neither frees a window nor closes it. */
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  readonly quota: QuotaShare
}

export interface LimitedWecom extends Wecom {
  /** How long a call made now would have to wait; whoever has several to choose from chooses when the wait is over. */
  waitMs(direction: 'uploads' | 'downloads'): number
  /** To be called when no call is made any more: writes down what was really used. */
  stop(): Promise<void>
}

export function createLimitedWecom(
  deps: LimitedDeps & { readonly wecom: Wecom; readonly book?: CallBook | undefined },
): LimitedWecom {
  const { wecom, book } = deps
  /** What both gates wish in one moment is one page. */
  const writeBoth = oneAtATime(async () => {
    await book?.write({ uploads: uploads.use(), downloads: downloads.use() })
  })
  const gate = { ...deps, write: book && writeBoth }
  const uploads = createTurnstile({ ...gate, used: book?.made.uploads })
  const downloads = createTurnstile({ ...gate, used: book?.made.downloads })

  return Object.freeze({
    upload: (request, signal) =>
      uploads.passAtOnce(signal)
        ? wecom.upload(request, signal)
        : uploads.pass(signal).then(() => wecom.upload(request, signal)),
    download: (request, signal) =>
      downloads.passAtOnce(signal)
        ? wecom.download(request, signal)
        : downloads.pass(signal).then(() => wecom.download(request, signal)),
    waitMs: (direction) => (direction === 'uploads' ? uploads : downloads).waitMs(),
    async stop() {
      await Promise.all([uploads.end(), downloads.end()])
      await writeBoth()
    },
  } satisfies LimitedWecom)
}

/** Calls are written down in lots of a sixtieth of the minute's limit: once a second at full speed. */
const LOTS_PER_MINUTE = 60

/** Lets one caller through at a time, in the order of arrival. The queue is as long as there are transfers under way. */
function createTurnstile({
  clock,
  quota,
  used,
  write,
}: LimitedDeps & {
  readonly used: GateUse | undefined
  /** Writes `use()` down; without it nothing needs to be. */
  readonly write: (() => Promise<void>) | undefined
}) {
  let state: QuotaState = createQuota(quota, withUpcoming(used), clock.monotonicMs())
  let lastInLine: Promise<unknown> = Promise.resolve()
  let inLine = 0
  const lot = Math.ceil(state.minute.window.limit / LOTS_PER_MINUTE)
  /** Calls that are written down and not made yet, and those that are just being written down. */
  let [upcoming, announced] = [write ? 0 : Number.POSITIVE_INFINITY, 0]
  let writing: Promise<void> | undefined

  const writeDown = (): Promise<void> => {
    if (writing !== undefined || write === undefined) return writing ?? Promise.resolve()
    announced = lot
    writing = write().then(() => {
      upcoming += announced
      announced = 0
      writing = undefined
    })
    return writing
  }

  /** How long the first in line has to wait; 0 when he has just been let through, or when his call is to be written down first. */
  const tryToPass = (): { readonly passed: boolean; readonly waitMs: number } => {
    const nowMs = clock.monotonicMs()
    const waitMs = nextFreeAtMs(state, nowMs) - nowMs
    if (waitMs > 0) state = settleQuota(state, nowMs)
    if (waitMs > 0 || upcoming < 1) return { passed: false, waitMs }
    state = recordCall(state, nowMs)
    upcoming--
    if (upcoming < lot / 2) void writeDown()
    return PASSED
  }

  const waitMs = (): number => {
    const nowMs = clock.monotonicMs()
    return nextFreeAtMs(state, nowMs) - nowMs
  }

  const waitForTurn = async (signal: AbortSignal) => {
    try {
      signal.throwIfAborted()
      for (let turn = tryToPass(); !turn.passed; turn = tryToPass()) {
        await (turn.waitMs > 0 ? clock.sleep(turn.waitMs, signal) : writeDown())
      }
    } finally {
      inLine--
    }
  }

  return {
    /** Where there is room and no line, passing is a matter of nanoseconds, not of promises. */
    passAtOnce: (signal: AbortSignal): boolean =>
      inLine === 0 && !signal.aborted && tryToPass().passed,
    pass(signal: AbortSignal): Promise<void> {
      inLine++
      const turn = lastInLine.then(() => waitForTurn(signal))
      // Whoever gave up has told so himself; those behind him only wait for the place.
      lastInLine = turn.catch(() => undefined)
      return untilAborted(turn, signal)
    },
    waitMs,
    use: (): GateUse => ({
      ...quotaUse(state, clock.monotonicMs()),
      upcoming: write ? upcoming + announced : 0,
    }),
    /** No call is made any more. */
    async end(): Promise<void> {
      await writing
      upcoming = 0
    },
  }
}

const PASSED = { passed: true, waitMs: 0 } as const

/** What may have been made is counted as made just now. */
const withUpcoming = (used: GateUse | undefined): QuotaUse | undefined =>
  used && {
    minute: [...used.minute, { agoMs: 0, calls: used.upcoming }],
    hour: [...used.hour, { agoMs: 0, calls: used.upcoming }],
  }
