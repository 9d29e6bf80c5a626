// Answers for when the daemon may call the service at all: pure transitions over (state, observation, moment, chance).
// Who asks, waits and tells is `circuit.ts`.
import { type MirrorError, type WecomRefused, WecomUnreachable } from '../errors.ts'

/** What can be wrong with the service, by how long it is wise to wait. */
export type Ailment = 'stopped' | 'slowed' | 'failing'
export type ServiceError = WecomRefused | WecomUnreachable

export type CircuitState =
  /** `failures`: how many calls in a row only time can cure. */
  | { readonly kind: 'closed'; readonly failures: number }
  | ({ readonly kind: 'open' } & Illness)
  /** `probeSentAtMs`: when the one probe was let through, if it was. */
  | ({ readonly kind: 'half-open'; readonly probeSentAtMs: number | undefined } & Illness)

interface Illness {
  readonly ailment: Ailment
  readonly error: ServiceError
  readonly sinceMs: number
  readonly nextProbeAtMs: number
  /** Probes in vain since the ailment began. */
  readonly probes: number
}

interface Moment {
  readonly nowMs: number
  /** Drawn once, in [0, 1). */
  readonly random: number
}

export const HEALTHY: CircuitState = { kind: 'closed', failures: 0 }

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS

/** One failed call is an accident, three in a row are an outage. */
const FAILURES_TO_OPEN = 3
/** A probe that never reports back (abandoned at a reload, say) frees its place after this. */
const PROBE_LAPSE_MS = 2 * MINUTE_MS

/** How long to wait before the next probe. */
export function probeDelayMs(ailment: Ailment, probes: number, random: number): number {
  switch (ailment) {
    case 'stopped':
      // Somebody is perhaps fixing it right now; after that, rarely, and never on the same second as other hosts.
      return (probes === 0 ? 2 * MINUTE_MS : 10 * MINUTE_MS) * (0.8 + 0.4 * random)
    case 'slowed':
      // The block lasts as long as the window that was exceeded, and the answer does not say which: a minute, else an hour.
      return (probes === 0 ? MINUTE_MS : 60 * MINUTE_MS) * (1 + 0.05 * random)
    case 'failing':
      return SECOND_MS + random * Math.min(MINUTE_MS, 5 * SECOND_MS * 2 ** Math.min(probes, 10))
  }
}

/** The error as the circuit sees it; `nothing` when it says nothing about the service (a file of ours, say). */
export function diagnose(
  error: MirrorError,
): { readonly ailment: Ailment; readonly error: ServiceError } | 'well' | 'nothing' {
  if (error instanceof WecomUnreachable) return { ailment: 'failing', error }
  if (error.code !== 'WECOM_REFUSED') return 'nothing'
  switch (error.remedy) {
    case 'stop':
      return { ailment: 'stopped', error }
    case 'slow-down':
      return { ailment: 'slowed', error }
    case 'retry':
    case 'refresh-token':
      return { ailment: 'failing', error }
    case 'skip':
      return 'well'
  }
}

/** After a call went through, or was refused for its own file's sake. */
export function afterWell(state: CircuitState): CircuitState {
  // A straggler from before the circuit opened proves that the service is reachable, and nothing about its quota or rights.
  return state.kind === 'open' && state.ailment !== 'failing' ? state : HEALTHY
}

/** After a call that shows the service, or our standing with it, to be ill. */
export function afterIll(
  state: CircuitState,
  ill: { readonly ailment: Ailment; readonly error: ServiceError },
  moment: Moment,
): CircuitState {
  if (state.kind === 'closed') {
    const failures = state.failures + 1
    const isAccident = ill.ailment === 'failing' && failures < FAILURES_TO_OPEN
    return isAccident ? { kind: 'closed', failures } : open(ill, moment.nowMs, 0, moment)
  }
  // Stragglers of the same outage must not lengthen it; one that shows something graver counts.
  const isGraver = state.ailment === 'failing' && ill.ailment !== 'failing'
  if (state.kind === 'open' && !isGraver) return state
  const probes = ill.ailment === state.ailment ? state.probes + 1 : 0
  return open(ill, state.sinceMs, probes, moment)
}

const open = (
  ill: { readonly ailment: Ailment; readonly error: ServiceError },
  sinceMs: number,
  probes: number,
  { nowMs, random }: Moment,
): CircuitState => ({
  kind: 'open',
  ...ill,
  sinceMs,
  probes,
  nextProbeAtMs: Math.round(nowMs + probeDelayMs(ill.ailment, probes, random)),
})

/** After an outcome that says nothing: a probe that was out gives its place back at once. */
export const afterNothingLearnt = (state: CircuitState): CircuitState =>
  state.kind === 'half-open' ? { ...state, probeSentAtMs: undefined } : state

/** When the wait is over: ready for one probe. */
export const afterWait = (state: CircuitState): CircuitState =>
  state.kind === 'open' ? { ...state, kind: 'half-open', probeSentAtMs: undefined } : state

/** Whether a call may go now, and the state once it has gone. */
export function admit(
  state: CircuitState,
  nowMs: number,
): { readonly admitted: boolean; readonly state: CircuitState } {
  if (state.kind === 'closed') return { admitted: true, state }
  // The timer does not run while the machine sleeps, so the wait may be over before it fires.
  const awake = state.kind === 'open' && nowMs >= state.nextProbeAtMs ? afterWait(state) : state
  if (awake.kind !== 'half-open' || isProbeOut(awake.probeSentAtMs, nowMs)) {
    return { admitted: false, state: awake }
  }
  return { admitted: true, state: { ...awake, probeSentAtMs: nowMs } }
}

/** When `admit` will say yes: now when closed, else at the next probe. */
export function nextAdmissionAtMs(state: CircuitState): number | undefined {
  if (state.kind === 'closed') return undefined
  if (state.kind === 'open') return state.nextProbeAtMs
  return state.probeSentAtMs === undefined
    ? state.nextProbeAtMs
    : state.probeSentAtMs + PROBE_LAPSE_MS
}

const isProbeOut = (sentAtMs: number | undefined, nowMs: number): boolean =>
  sentAtMs !== undefined && Math.abs(nowMs - sentAtMs) < PROBE_LAPSE_MS
