// Answers for what comes after an outage: how much was due, how long it took and how many died, beside the best that the windows
// allow from the same state; where calls fail, beside the best that could be made of how they failed.
import {
  type Deadlines,
  fewestDeaths,
  fewestDeathsServed,
  type Start,
  shortestMs,
  type Window,
} from './bounds.ts'
import { watchFaults } from './faults-met.ts'
import type { Ledger } from './ledger.ts'
import { type Limits, type ModelledService, meanAnswerMs } from './modelled-service.ts'
import { HOUR_MS, MINUTE_MS, RENEWAL } from './scenario.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface DrainReport {
  readonly outageHours: number
  /** What was due when the outage ended, the dead among it. */
  readonly backlog: number
  /** From the end of the outage to the first answer: the circuit has to find out. */
  readonly noticedAfterMs: number | undefined
  /** From the first answer until the last of the backlog was renewed; undefined when it was not. */
  readonly tookMs: number | undefined
  /**
   * The shortest in which the renewals made meanwhile, the backlog among them, can be made; where calls fail, without the time
   * in which one more could have been made.
   */
  readonly shortestMs: number
  /** Of that, in which no call was under way and none was to be made; 0 where no call fails. */
  readonly pausedMs: number
  /** Whether the outage and the shortest drain of its backlog fit into `before`. */
  readonly isCovered: boolean
  /** Deaths while it lasted, and after it until the drain was over. */
  readonly deathsMeanwhile: number
  readonly deaths: number
  /** Of these, media that were called in time: the call failed, and they died before they had to be called again. */
  readonly excusedDeaths: number
  /** The fewest possible from the first answer on, by the earliest deadline; where calls fail, with those that went well. */
  readonly fewestDeaths: number
  /** The same for one who counts calls in buckets, on the careful side, and lets go of an id some seconds before its death, by its own clock. */
  readonly fewestWithCare: number
}

/** Begins when an outage ends; the report is to be asked for at the end of the run, or of the next outage. */
export function watchDrain(deps: {
  readonly clock: VirtualClock
  readonly ledger: Ledger
  readonly service: Pick<ModelledService, 'nowMs' | 'firstAnswer' | 'calledAtMs' | 'watchCalls'>
  readonly outageHours: number
  /** How many had died when it began. */
  readonly deathsBefore: number
  readonly limits: Limits
  readonly slots: number
  readonly shortestAnswerMs: number
  /** How far the mirror believes the service's clock ahead of what it is: answers tell it whole seconds only. */
  readonly aheadMs: number
  /** How many slots the mirror has left of them; undefined where no call fails. */
  readonly slotsLeft: (() => number) | undefined
}): () => DrainReport {
  const { clock, ledger, service, outageHours } = deps
  const windows = windowsOf(deps.limits)
  const letGoMs = LET_GO_MS + deps.aheadMs
  const endedAtMs = clock.monotonicMs()
  /** From the monotonic clock to the service's, on which deadlines stand. */
  const offsetMs = service.nowMs() - endedAtMs
  const backlog = ledger.watchBacklog(service.nowMs())
  const deadlines = ledger.deadlines(service.nowMs())
  const deathsAtEnd = ledger.deaths()
  const met =
    deps.slotsLeft &&
    watchFaults({
      ...deps,
      backlog,
      // How many slots there are is asked, and how long they take is seen.
      windows: windows.map(withCare),
      slots: deps.slotsLeft,
      diesAtMs: (index) => ledger.expiresAtMs(index) - offsetMs,
    })
  const tookMs = met ? undefined : watchAnswers(deps)
  const soFar = () => {
    ledger.settle(service.nowMs())
    return {
      first: service.firstAnswer(),
      atMs: clock.monotonicMs(),
      deaths: ledger.deaths() - deathsAtEnd,
      renewals: backlog.renewals(),
      lostMs: met?.lostMs(),
      pausedMs: met?.pausedMs() ?? 0,
      excusedDeaths: met?.excusedDeaths() ?? 0,
    }
  }
  let over: ReturnType<typeof soFar> | undefined
  backlog.onDone(() => {
    over = soFar()
    service.watchCalls(undefined)
  })

  return () => {
    const { first, atMs, deaths, renewals, lostMs, pausedMs, excusedDeaths } = over ?? soFar()
    const answeredAtMs = first?.atMs ?? endedAtMs
    const drainedMs = atMs - answeredAtMs
    const start = {
      startMs: answeredAtMs + offsetMs,
      calledAtMs: (first?.calledAtMs ?? []).map((calledAtMs) => calledAtMs + offsetMs),
      windows,
      ...(tookMs && { slots: { count: deps.slots, tookMs } }),
    }
    const bestMs = (calls: number) =>
      lostMs === undefined ? shortestMs(calls, start) : drainedMs - lostMs
    const problem = {
      ...start,
      deadlines,
      untilMs: Math.min(atMs + offsetMs, start.startMs + RENEWAL.lifetimeMs),
      lifetimeMs: RENEWAL.lifetimeMs,
    }
    const fewest = (problem: Start & Deadlines) =>
      met ? fewestDeathsServed(problem, met.nextServed(offsetMs)) : fewestDeaths(problem)
    return {
      outageHours,
      backlog: backlog.size,
      noticedAfterMs: first && first.atMs - endedAtMs,
      tookMs: over && drainedMs,
      shortestMs: bestMs(renewals),
      pausedMs,
      isCovered: outageHours * HOUR_MS + bestMs(backlog.size) <= RENEWAL.beforeMs,
      deathsMeanwhile: deathsAtEnd - deps.deathsBefore,
      deaths,
      excusedDeaths,
      fewestDeaths: fewest(problem),
      fewestWithCare: fewest({
        ...problem,
        deadlines: deadlines.map((atMs) => atMs - letGoMs),
        untilMs: problem.untilMs - letGoMs,
        windows: windows.map(withCare),
      }),
    }
  }
}

/** So long before its death an id is no longer handed out (src/media/lifetime.ts): to the mirror it is dead by then. */
const LET_GO_MS = 5_000

/**
 * The mirror lets a call leave its windows a 240th late, since it counts them in buckets of a 240th: what that costs is
 * its price for never being a call too early, and no fault of its order.
 */
const withCare = ({ spanMs, limit }: Window): Window => ({ spanMs: (spanMs * 241) / 240, limit })

const windowsOf = (limits: Limits): Window[] => [
  { spanMs: MINUTE_MS, limit: limits.perMinute },
  { spanMs: HOUR_MS, limit: limits.perHour },
]

/**
 * How long each call took, by its number, from the first answer on. The service draws it when the call leaves, whatever is called, so
 * that the best order is asked to do with the same.
 */
function watchAnswers({
  service,
  shortestAnswerMs,
}: {
  readonly service: Pick<ModelledService, 'firstAnswer' | 'watchCalls'>
  readonly shortestAnswerMs: number
}): (call: number) => number {
  const tookMs: (number | undefined)[] = []
  const numbers = new Map<number, number>()
  service.watchCalls({
    sent(index) {
      if (service.firstAnswer()) numbers.set(index, tookMs.push(undefined) - 1)
    },
    answered({ index, sentAtMs }, nowMs) {
      const number = numbers.get(index)
      if (number === undefined) return
      numbers.delete(index)
      tookMs[number] = nowMs - sentAtMs
    },
  })
  return (call) => tookMs[call] ?? meanAnswerMs(shortestAnswerMs)
}
