// Answers for what a failed call excuses, by the rules: the pause of its medium before it is called again, its death in that pause,
// and the slot that a step keeps while it waits to repeat its call. Written apart from who keeps these rules (retrying-wecom.ts,
// retries.ts, plan.ts).
import type { MirrorError } from '../../src/errors.ts'
import type { EndedCall } from './modelled-service.ts'
import { HOUR_MS, MINUTE_MS, TICK_MS } from './scenario.ts'

/** A step makes three calls, and waits no longer than so before the second and the third. */
const REPEATED_WITHIN_MS = [500, 1_000] as const
const CALLS_OF_A_STEP = REPEATED_WITHIN_MS.length + 1
/** What the service failed on three times in a step is called again within so long. */
const POSTPONED_MS = 20_000
/** What is refused for the medium's own sake is offered again after as long as that has lasted, at a tick. */
const OFFERED_AGAIN_MS = { least: 30 * MINUTE_MS, most: 6 * HOUR_MS } as const

/** A medium whose calls have failed, the last of them just now or a while ago. */
interface Failed {
  /** In a row. */
  readonly times: number
  readonly sinceMs: number
  /** It may wait so long. */
  readonly untilMs: number
  /** Its step keeps a slot so long. */
  readonly slotUntilMs: number
}

export interface Excuses {
  called(index: number): void
  answered(call: EndedCall, nowMs: number): void
  /** How many of those that are waited for may wait, and until when the first of them. */
  count(): number
  firstOverAtMs(): number
  /** When one of so many slots is free of steps that wait to repeat their calls. */
  slotFreeAtMs(slots: number, nowMs: number): number
  /** How many were called in time, failed, and died before they had to be called again. */
  deaths(nowMs: number): number
}

export function createExcuses(deps: {
  readonly isWaitedFor: (index: number) => boolean
  readonly diesAtMs: (index: number) => number
}): Excuses {
  const failed = new Map<number, Failed>()
  const waiting = new Map<number, Failed>()
  /** When each of those dies whose pause is longer than its life. */
  const dying = new Map<number, number>()

  function fail({ index, sentAtMs }: EndedCall, error: MirrorError, nowMs: number) {
    const failure = afterFailure(failed.get(index), error, nowMs)
    const diesAtMs = deps.diesAtMs(index)
    failed.set(index, failure)
    if (deps.isWaitedFor(index)) waiting.set(index, failure)
    if (diesAtMs > sentAtMs && diesAtMs <= failure.untilMs) dying.set(index, diesAtMs)
  }

  return {
    called: (index) => void waiting.delete(index),
    answered(call, nowMs) {
      const { index, error } = call
      if (error) return fail(call, error, nowMs)
      failed.delete(index)
      if (nowMs < (dying.get(index) ?? nowMs)) dying.delete(index)
    },
    count: () => waiting.size,
    firstOverAtMs() {
      let firstMs = Number.POSITIVE_INFINITY
      for (const { untilMs } of waiting.values()) firstMs = Math.min(firstMs, untilMs)
      return firstMs
    },
    slotFreeAtMs(slots, nowMs) {
      const kept: number[] = []
      for (const { slotUntilMs } of waiting.values())
        if (slotUntilMs > nowMs) kept.push(slotUntilMs)
      return kept.sort((a, b) => a - b)[kept.length - slots] ?? nowMs
    },
    deaths: (nowMs) => [...dying.values()].filter((atMs) => atMs <= nowMs).length,
  }
}

function afterFailure(before: Failed | undefined, error: MirrorError, nowMs: number): Failed {
  const times = (before?.times ?? 0) + 1
  const sinceMs = before?.sinceMs ?? nowMs
  const { least, most } = OFFERED_AGAIN_MS
  const isOwn = error.remedy === 'skip'
  const waitMs = isOwn ? Math.max(least, Math.min(nowMs - sinceMs, most)) + TICK_MS : POSTPONED_MS
  const isRepeated = error.remedy === 'retry'
  const repeatMs = isRepeated ? (REPEATED_WITHIN_MS[(times - 1) % CALLS_OF_A_STEP] ?? 0) : 0
  return { times, sinceMs, untilMs: nowMs + waitMs, slotUntilMs: nowMs + repeatMs }
}
