// Answers for what a drain among faults met: which calls went well, when, and what the service asked of it.
import type { Window } from './bounds.ts'
import type { Backlog } from './ledger.ts'
import type { ModelledService } from './modelled-service.ts'
import { watchStandstill } from './standstill.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface FaultsMet {
  /** How long one more call could have been made and was not, from the end of the outage on. */
  lostMs(): number
  /** How long none was under way and none could be made, from the first answer on. */
  pausedMs(): number
  /** Of media that were called in time; see excuses.ts. */
  excusedDeaths(): number
  /** The moments of the calls that went well, one with each asking, moved by so much; `Infinity` after the last. */
  nextServed(byMs: number): () => number
}

/** Begins when an outage ends. */
export function watchFaults(deps: {
  readonly clock: VirtualClock
  readonly service: Pick<ModelledService, 'firstAnswer' | 'calledAtMs' | 'watchCalls'>
  readonly backlog: Backlog
  readonly windows: readonly Window[]
  readonly slots: () => number
  readonly diesAtMs: (index: number) => number
}): FaultsMet {
  const { clock, service } = deps
  const standstill = watchStandstill({
    ...deps,
    startMs: clock.monotonicMs(),
    calledAtMs: service.calledAtMs(),
  })
  const servedAtMs: number[] = []
  let pausedBeforeMs = 0
  service.watchCalls({
    sent: standstill.sent,
    answered(call, nowMs) {
      if (call.error === undefined) servedAtMs.push(nowMs)
      standstill.answered(call, nowMs)
      if (service.firstAnswer() === undefined) pausedBeforeMs = standstill.pausedMs()
    },
  })
  return {
    lostMs: () => standstill.lostMs(clock.monotonicMs()),
    pausedMs: () => standstill.pausedMs() - pausedBeforeMs,
    excusedDeaths: () => standstill.excusedDeaths(clock.monotonicMs()),
    nextServed(byMs) {
      let at = 0
      return () => (servedAtMs[at++] ?? Number.POSITIVE_INFINITY) + byMs
    },
  }
}
