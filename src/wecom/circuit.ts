// Answers for stopping all calls while they can only do harm, and for finding out when they make sense again. One per
// credential. The transfer queue asks it before each step and tells it each outcome; it wraps nothing.
import type { MirrorError } from '../errors.ts'
import type { Clock, Timer } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'
import {
  admit,
  afterIll,
  afterNothingLearnt,
  afterWait,
  afterWell,
  type CircuitState,
  diagnose,
  HEALTHY,
  nextAdmissionAtMs,
} from './circuit-state.ts'

interface CircuitView {
  readonly kind: 'closed' | 'open' | 'half-open'
  readonly error?: MirrorError
  readonly sinceMs?: number
  readonly nextProbeAtMs?: number
}

type Outcome = 'well' | 'nothing' | MirrorError

export interface Circuit {
  /** Whether a call may go now. Ask only to go: while the circuit is half-open, the first yes is the only one. */
  admits(): boolean
  /** When it is worth asking again; undefined while the circuit is closed. */
  nextProbeAtMs(): number | undefined
  /** Tells what came of an admitted call: it went well, it failed so, or it was never made and proves nothing. */
  observe(outcome: Outcome): void
  /** Calls back whenever `admits` may have another answer. Returns the way to stop listening. */
  onChange(listener: () => void): () => void
  state(): CircuitView
  /** Gives the timer back. */
  stop(): void
}

export function createCircuit(deps: {
  readonly clock: Pick<Clock, 'nowMs' | 'after'>
  readonly random: () => number
  readonly emit: Emit
}): Circuit {
  const { clock, random, emit } = deps
  const listeners = new Set<() => void>()
  let state: CircuitState = HEALTHY
  let timer: Timer | undefined

  const arm = () => {
    timer?.cancel()
    timer = undefined
    const atMs = nextAdmissionAtMs(state)
    // Half-open and nobody out: whoever asks is let through, there is nothing to wait for.
    if (atMs === undefined || (state.kind === 'half-open' && state.probeSentAtMs === undefined))
      return
    timer = clock.after(atMs - clock.nowMs(), () => {
      become(state.kind === 'open' ? afterWait(state) : afterNothingLearnt(state))
    })
  }

  const become = (next: CircuitState) => {
    if (next === state) return
    const before = state
    state = next
    arm()
    tell(before, next, clock.nowMs(), emit)
    for (const listener of [...listeners]) listener()
  }

  return Object.freeze({
    admits() {
      const answer = admit(state, clock.nowMs())
      // The one who asks knows already, so nobody is told: listeners that ask in turn would never come to an end.
      if (answer.state !== state) {
        state = answer.state
        arm()
      }
      return answer.admitted
    },
    nextProbeAtMs: () => nextAdmissionAtMs(state),
    observe(outcome: Outcome) {
      const found = typeof outcome === 'string' ? outcome : diagnose(outcome)
      if (found === 'nothing') become(afterNothingLearnt(state))
      else if (found === 'well') become(afterWell(state))
      else become(afterIll(state, found, { nowMs: clock.nowMs(), random: random() }))
    },
    onChange(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    state(): CircuitView {
      const nextProbeAtMs = nextAdmissionAtMs(state)
      if (state.kind === 'closed' || nextProbeAtMs === undefined) return { kind: 'closed' }
      const { kind, error, sinceMs } = state
      return { kind, error, sinceMs, nextProbeAtMs }
    },
    stop() {
      timer?.cancel()
      timer = undefined
      listeners.clear()
    },
  } satisfies Circuit)
}

/** Once per outage and kind of trouble, not once per probe. */
function tell(before: CircuitState, next: CircuitState, nowMs: number, emit: Emit) {
  if (next.kind === 'closed') {
    if (before.kind !== 'closed') {
      emit({ kind: 'circuit-closed', openedForMs: Math.max(0, nowMs - before.sinceMs) })
    }
  } else if (next.kind === 'open') {
    const isNews = before.kind === 'closed' || before.ailment !== next.ailment
    if (isNews) {
      emit({ kind: 'circuit-opened', error: next.error, nextProbeAtMs: next.nextProbeAtMs })
    }
  }
}
