// Answers for how many calls may be under way at once: fewer after "too many at once" (45033), and slowly more again. The
// service counts each of its interfaces apart (path/90313), so uploads and downloads are. Not for the pause that follows such
// a refusal, which is the circuit's.
import { WecomRefused } from '../errors.ts'
import type { Clock } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'
import { diagnose, type Outcome } from './ailment.ts'

export type Direction = 'uploads' | 'downloads'
type Slots = Readonly<Record<Direction, number>>

/** How many may go at once in one direction, and what has been seen since that number last changed. */
export interface Allowance {
  readonly limit: number
  readonly most: number
  /** How often it was lowered: a call that left before the last time says nothing about the number in force. */
  readonly lowerings: number
  /** On a clock that nobody can set. */
  readonly sinceMs: number
  /** Calls that left since, and went well. */
  readonly calls: number
}

const TOO_MANY_AT_ONCE = 45033
/** One more after so long without a refusal, and so many calls: the silence of an idle daemon proves nothing. */
const QUIET_MS = 10 * 60_000
const QUIET_CALLS = 10

/** All that is configured, until the service says otherwise. */
export const fullAllowance = (most: number, nowMs: number): Allowance => ({
  limit: most,
  most,
  lowerings: 0,
  sinceMs: nowMs,
  calls: 0,
})

/** After a refusal: half of what was under way, at least one. Calls refused together lower it once. */
export function afterTooMany(
  allowance: Allowance,
  call: { readonly lowerings: number; readonly underWay: number },
  nowMs: number,
): Allowance {
  if (call.lowerings !== allowance.lowerings) return allowance
  const limit = Math.max(1, Math.floor(Math.min(allowance.limit, call.underWay) / 2))
  return { ...allowance, limit, lowerings: allowance.lowerings + 1, sinceMs: nowMs, calls: 0 }
}

/** After a call that went through: one more, if it has been quiet for long enough. */
export function afterCallWell(
  allowance: Allowance,
  call: { readonly lowerings: number },
  nowMs: number,
): Allowance {
  const { limit, most, sinceMs, calls } = allowance
  if (limit >= most || call.lowerings !== allowance.lowerings) return allowance
  const isQuiet = nowMs - sinceMs >= QUIET_MS && calls + 1 >= QUIET_CALLS
  return isQuiet
    ? { ...allowance, limit: limit + 1, sinceMs: nowMs, calls: 0 }
    : { ...allowance, calls: calls + 1 }
}

export interface Concurrency {
  /** How many calls may be under way at once. */
  slots(): Slots
  /** A call leaves; returns the way to tell what came of it, once. */
  enter(direction: Direction): (outcome: Outcome) => void
  /** Calls back whenever `slots` has another answer. Returns the way to stop listening. */
  onChange(listener: () => void): () => void
}

export function createConcurrency(deps: {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly most: Slots
  readonly emit: Emit
}): Concurrency {
  const { clock, most, emit } = deps
  const listeners = new Set<() => void>()
  const underWay: Record<Direction, number> = { uploads: 0, downloads: 0 }
  const allowances: Record<Direction, Allowance> = {
    uploads: fullAllowance(most.uploads, clock.monotonicMs()),
    downloads: fullAllowance(most.downloads, clock.monotonicMs()),
  }

  function become(direction: Direction, next: Allowance) {
    const { limit } = allowances[direction]
    allowances[direction] = next
    if (next.limit === limit) return
    if (next.limit < limit)
      emit({ kind: 'concurrency-lowered', direction, from: limit, to: next.limit })
    for (const listener of [...listeners]) listener()
  }

  return Object.freeze({
    slots: () => ({ uploads: allowances.uploads.limit, downloads: allowances.downloads.limit }),
    enter(direction: Direction) {
      underWay[direction]++
      const { lowerings } = allowances[direction]
      return (outcome: Outcome) => {
        const call = { lowerings, underWay: underWay[direction] }
        underWay[direction]--
        const nowMs = clock.monotonicMs()
        if (isTooMany(outcome)) become(direction, afterTooMany(allowances[direction], call, nowMs))
        else if (diagnose(outcome) === 'well')
          become(direction, afterCallWell(allowances[direction], call, nowMs))
      }
    },
    onChange(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  } satisfies Concurrency)
}

const isTooMany = (outcome: Outcome): boolean =>
  outcome instanceof WecomRefused && outcome.errcode === TOO_MANY_AT_ONCE
