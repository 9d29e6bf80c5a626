// Answers for stopping all calls while they can only do harm, and for finding out when they make sense again. One per
// credential. The transfer queue asks it before each step; every call asks again as it leaves and tells what came of it
// (`observed-wecom.ts`). When what may go is decided in `circuit-state.ts`.
import { type MirrorError, WecomRefused, WecomUnreachable } from '../errors.ts'
import type { Clock, Timer } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'
import { diagnose, type Outcome, type ServiceError } from './ailment.ts'
import {
  admit,
  afterCall,
  afterLapse,
  afterStep,
  afterWait,
  type CircuitState,
  HEALTHY,
} from './circuit-state.ts'

interface CircuitView {
  readonly kind: 'closed' | 'open' | 'half-open'
  readonly error?: MirrorError
  readonly sinceMs?: number
  readonly nextProbeAtMs?: number
}

/** Tells what came of one call. Only the first telling counts. */
export type Tell = (outcome: Outcome) => void

export interface Circuit {
  /** Whether a step may start now. Ask only to start it: while the circuit is half-open, the first yes is the only one. */
  admits(): boolean
  /** To be called when a step that was let start has ended, whatever came of it: it may have called nobody. */
  release(): void
  /** Lets one call leave, and hears what came of it. Throws what the circuit is open for when none may go. */
  enter(): Tell
  /** Calls back whenever `admits` may have another answer. Returns the way to stop listening. */
  onChange(listener: () => void): () => void
  state(): CircuitView
  /** Gives the timer back. */
  stop(): void
}

/** Longer than any transfer and any wait for the quota. A safety net only: every call reports, every step releases. */
const PROBE_LAPSE_MS = 2 * 60 * 60_000

export function createCircuit(deps: {
  readonly clock: Pick<Clock, 'nowMs' | 'after'>
  readonly random: () => number
  readonly emit: Emit
}): Circuit {
  const { clock, random, emit } = deps
  const listeners = new Set<() => void>()
  let state: CircuitState = HEALTHY
  let timer: Timer | undefined

  function arm() {
    timer?.cancel()
    timer = undefined
    if (state.kind === 'open') {
      timer = clock.after(state.nextProbeAtMs - clock.nowMs(), () => become(afterWait(state)))
    } else if (state.kind === 'half-open' && state.probe !== 'free') {
      timer = clock.after(PROBE_LAPSE_MS, () => become(afterLapse(state)))
    }
  }

  /** False when nothing is different. */
  function change(next: CircuitState): boolean {
    if (next === state) return false
    state = next
    arm()
    return true
  }

  function become(next: CircuitState) {
    const before = state
    if (!change(next)) return
    tellOf(before, next, clock.nowMs(), emit)
    for (const listener of [...listeners]) listener()
  }

  return Object.freeze({
    admits() {
      const admission = admit(state, 'step', clock.nowMs())
      // The one who asks knows already, so nobody is told: listeners that ask in turn would never come to an end.
      change(admission.state)
      return admission.admitted
    },
    release: () => become(afterStep(state)),
    enter() {
      const admission = admit(state, 'call', clock.nowMs())
      change(admission.state)
      if (!admission.admitted) throw asNotCalled(admission.state.error)
      const { era } = admission.state
      let told = false
      return (outcome: Outcome) => {
        if (told) return
        told = true
        const moment = { nowMs: clock.nowMs(), random: random() }
        become(afterCall(state, { era, found: diagnose(outcome) }, moment))
      }
    },
    onChange(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    state(): CircuitView {
      if (state.kind === 'closed') return { kind: 'closed' }
      const { kind, error, sinceMs, nextProbeAtMs } = state
      return { kind, error, sinceMs, nextProbeAtMs }
    },
    stop() {
      timer?.cancel()
      timer = undefined
      listeners.clear()
    },
  } satisfies Circuit)
}

/** The reason is another call's, which its message names; the kind of error and what to do about it stay the same. */
function asNotCalled(error: ServiceError): ServiceError {
  const message = `WeCom is not called at present, because of this: ${error.message}`
  const details = { hint: error.hint, cause: error }
  return error instanceof WecomRefused
    ? new WecomRefused(message, { ...error, mayGoAsFile: false }, details)
    : new WecomUnreachable(message, details)
}

/** Once per outage and kind of trouble, not once per probe. */
function tellOf(before: CircuitState, next: CircuitState, nowMs: number, emit: Emit) {
  if (next.kind === 'closed') {
    if (before.kind === 'closed') return
    emit({ kind: 'circuit-closed', openedForMs: Math.max(0, nowMs - before.sinceMs) })
  } else if (next.kind === 'open' && isNews(before, next)) {
    emit({ kind: 'circuit-opened', error: next.error, nextProbeAtMs: next.nextProbeAtMs })
  }
}

function isNews(before: CircuitState, next: Exclude<CircuitState, { kind: 'closed' }>): boolean {
  if (before.kind === 'closed' || before.ailment !== next.ailment) return true
  switch (next.ailment) {
    case 'stopped':
      // The administrator has mended one thing, and now has to mend another.
      return errcodeOf(before.error) !== errcodeOf(next.error)
    case 'slowed':
      // Not a minute, an hour.
      return next.probes === 1
    case 'failing':
      return false
  }
}

const errcodeOf = (error: ServiceError): number | undefined =>
  error instanceof WecomRefused ? error.errcode : undefined
