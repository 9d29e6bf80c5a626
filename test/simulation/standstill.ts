// Answers for whether a drain among faults lost time: how long one more call could have been made and was not. Sees calls and
// answers as the service does, and knows from the rules alone when calls have to wait; of the mirror it asks only how many
// slots it was left. Not for how long a drain takes: that is the faults' doing as well.
import { createRoom, type Window } from './bounds.ts'
import { createExcuses } from './excuses.ts'
import type { Backlog } from './ledger.ts'
import type { CallWatch, EndedCall } from './modelled-service.ts'
import { HOUR_MS, MINUTE_MS } from './scenario.ts'

export interface Standstill extends CallWatch {
  /** Until now: how long one more call could have been made and was not. */
  lostMs(nowMs: number): number
  /** How long none was under way and none could be made. */
  pausedMs(): number
  /** Of media whose calls failed when they were made in time; see excuses.ts. */
  excusedDeaths(nowMs: number): number
}

/** What the rules ask for after "too many calls" or a probe in vain: then one call at a time, and only when it is over. */
interface Rest {
  readonly because: 'too many' | 'failing'
  readonly probes: number
  readonly sinceMs: number
  readonly untilMs: number
}

/** Begins when an outage ends, which nobody knows yet: that it is noticed in time belongs to it. */
export function watchStandstill(deps: {
  readonly startMs: number
  /** Calls made before, which may still stand in the windows. */
  readonly calledAtMs: readonly number[]
  readonly windows: readonly Window[]
  /** How many calls there may be at a time. */
  readonly slots: () => number
  /** What is to be renewed. */
  readonly backlog: Pick<Backlog, 'left' | 'has'>
  readonly diesAtMs: (index: number) => number
}): Standstill {
  const { backlog, startMs } = deps
  const room = createRoom(deps.windows)
  for (const atMs of deps.calledAtMs) room.take(atMs)
  const excuses = createExcuses({ isWaitedFor: backlog.has, diesAtMs: deps.diesAtMs })
  let underWay = 0
  let underWayOfBacklog = 0
  let rest: Rest | undefined = restAfter('failing', PROBED_FOR_LONG, startMs)
  let lookedAtMs = startMs
  let lostMs = 0
  let pausedMs = 0

  /** When one more call could have been made, had nothing happened since the last look. */
  function possibleFromMs(): number {
    const slots = rest ? 1 : deps.slots()
    if (underWay >= slots) return Number.POSITIVE_INFINITY
    const soonestMs = Math.max(rest?.untilMs ?? 0, room.freeAtMs(), lookedAtMs)
    const isAnyReady = backlog.left() - underWayOfBacklog > excuses.count()
    const readyMs = isAnyReady ? soonestMs : Math.max(soonestMs, excuses.firstOverAtMs())
    return Math.max(readyMs, excuses.slotFreeAtMs(slots - underWay, lookedAtMs))
  }

  function look(nowMs: number) {
    if (nowMs === lookedAtMs) return
    const fromMs = Math.min(nowMs, possibleFromMs())
    lostMs += nowMs - fromMs
    if (underWay === 0) pausedMs += fromMs - lookedAtMs
    lookedAtMs = nowMs
  }

  function learn({ sentAtMs, error }: EndedCall, nowMs: number) {
    // Who left before a rest began knows nothing of whether it is over.
    if (rest && sentAtMs < rest.sinceMs) return
    if (error === undefined || error.remedy === 'skip') {
      rest = undefined
      return
    }
    const because = error.remedy === 'slow-down' ? 'too many' : 'failing'
    if (rest === undefined && because === 'failing') return
    rest = restAfter(because, rest?.because === because ? rest.probes + 1 : 0, nowMs)
  }

  return {
    sent(index, nowMs) {
      look(nowMs)
      room.take(nowMs)
      underWay++
      if (backlog.has(index)) underWayOfBacklog++
      excuses.called(index)
    },
    answered(call, nowMs) {
      look(nowMs)
      // Left when the outage still lasted.
      if (call.sentAtMs < startMs) return
      learn(call, nowMs)
      underWay--
      if (backlog.has(call.index)) underWayOfBacklog--
      excuses.answered(call, nowMs)
    },
    lostMs(nowMs) {
      look(nowMs)
      return lostMs
    },
    pausedMs: () => pausedMs,
    excusedDeaths: excuses.deaths,
  }
}

/** An outage is probed at the longest distance when it ends. */
const PROBED_FOR_LONG = 10

/** A tenth more, so that callers come back apart. */
const WINDOWS_MS = { first: 1.1 * MINUTE_MS, later: 1.1 * HOUR_MS } as const
const PROBES_MS = { first: 5_000, most: MINUTE_MS } as const

/** After so many probes in vain: the window of a minute or, should it repeat, of an hour; else ever longer, and a minute at most. */
function restAfter(because: Rest['because'], probes: number, sinceMs: number): Rest {
  const waitMs =
    because === 'failing'
      ? Math.min(PROBES_MS.most, PROBES_MS.first * 2 ** probes)
      : WINDOWS_MS[probes === 0 ? 'first' : 'later']
  return { because, probes, sinceMs, untilMs: sinceMs + waitMs }
}
