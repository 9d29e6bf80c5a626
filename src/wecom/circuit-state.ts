// Answers for when the daemon may call the service at all: pure transitions over (state, observation, moment, chance).
// Who asks, waits and tells is `circuit.ts`; what an error says about the service is `ailment.ts`.
//
// Time is cut into eras: while the circuit is closed, while it is open, while one probe is out. A call belongs to the era
// it left in, and its outcome counts only as long as that era lasts. So a straggler from before neither ends an outage nor
// lengthens it, and nothing but the probe's own outcome decides about the probe.
import { type Illness, probeDelayMs } from './ailment.ts'

export type CircuitState = ClosedState | OpenState | HalfOpenState

interface ClosedState {
  readonly kind: 'closed'
  readonly era: number
  /** How many calls in a row only time can cure. */
  readonly failures: number
}

interface Trouble extends Illness {
  readonly era: number
  readonly sinceMs: number
  readonly nextProbeAtMs: number
  /** Probes in vain since the ailment began. */
  readonly probes: number
}

interface OpenState extends Trouble {
  readonly kind: 'open'
}

interface HalfOpenState extends Trouble {
  readonly kind: 'half-open'
  /** The place of the one probe: free, kept for a step that was let start, or taken by a call that is out. */
  readonly probe: 'free' | 'kept' | 'out'
}

interface Moment {
  readonly nowMs: number
  /** Drawn once, in [0, 1). */
  readonly random: number
}

export const HEALTHY: CircuitState = { kind: 'closed', era: 0, failures: 0 }

/** One failed call is an accident, three in a row are an outage. */
const FAILURES_TO_OPEN = 3

export type Admission =
  | { readonly admitted: true; readonly state: CircuitState }
  | { readonly admitted: false; readonly state: OpenState | HalfOpenState }

/** Whether a step may start or a call may leave now, and the state once it has. A call may take the place kept for a step. */
export function admit(state: CircuitState, asker: 'step' | 'call', nowMs: number): Admission {
  if (state.kind === 'closed') return { admitted: true, state }
  // The timer does not run while the machine sleeps, so the wait may be over before it fires.
  const awake = state.kind === 'open' && nowMs >= state.nextProbeAtMs ? halfOpen(state) : state
  if (awake.kind === 'open') return { admitted: false, state: awake }
  if (asker === 'step') {
    if (awake.probe !== 'free') return { admitted: false, state: awake }
    return { admitted: true, state: { ...awake, probe: 'kept' } }
  }
  if (awake.probe === 'out') return { admitted: false, state: awake }
  return { admitted: true, state: { ...awake, probe: 'out', era: awake.era + 1 } }
}

/** After the outcome of a call that left in the given era. */
export function afterCall(
  state: CircuitState,
  call: { readonly era: number; readonly found: Illness | 'well' | 'nothing' },
  moment: Moment,
): CircuitState {
  if (call.era !== state.era) return state
  if (call.found === 'nothing') return state.kind === 'half-open' ? freed(state) : state
  if (call.found === 'well') return afterWell(state)
  return state.kind === 'closed'
    ? afterFirstIll(state, call.found, moment)
    : afterProbeInVain(state, call.found, moment)
}

/** After a step that was let start: a place kept for it is free again. */
export const afterStep = (state: CircuitState): CircuitState =>
  state.kind === 'half-open' && state.probe === 'kept' ? freed(state) : state

/** When the wait is over: ready for one probe. */
export const afterWait = (state: CircuitState): CircuitState =>
  state.kind === 'open' ? halfOpen(state) : state

/** When a probe has not been heard of for too long: its place is free, and it is not listened to any more. */
export const afterLapse = (state: CircuitState): CircuitState =>
  state.kind === 'half-open' && state.probe !== 'free' ? freed(state) : state

function afterWell(state: CircuitState): CircuitState {
  if (state.kind !== 'closed') return { kind: 'closed', era: state.era + 1, failures: 0 }
  return state.failures === 0 ? state : { ...state, failures: 0 }
}

function afterFirstIll(state: ClosedState, ill: Illness, moment: Moment): CircuitState {
  const failures = state.failures + 1
  const isAccident = ill.ailment === 'failing' && failures < FAILURES_TO_OPEN
  if (isAccident) return { ...state, failures }
  return open(ill, { era: state.era, sinceMs: moment.nowMs, probes: 0 }, moment)
}

/**
 * "Too many calls" repeats when the probe itself is refused: then it was the hour's window and not the minute's. After a
 * probe that went well the block was over, and one that comes soon after is another one: it begins with the minute again.
 */
function afterProbeInVain(state: Trouble, found: Illness, moment: Moment): CircuitState {
  // What only an administrator can cure is disproved by a call that goes well and by nothing less: an outage or a
  // block in between must not bring back the short waits.
  const { ailment, error } =
    state.ailment === 'stopped' && found.ailment !== 'stopped' ? state : found
  const probes = ailment === state.ailment ? state.probes + 1 : 0
  return open({ ailment, error }, { era: state.era, sinceMs: state.sinceMs, probes }, moment)
}

const open = (
  { ailment, error }: Illness,
  { era, sinceMs, probes }: Pick<Trouble, 'era' | 'sinceMs' | 'probes'>,
  { nowMs, random }: Moment,
): OpenState => ({
  kind: 'open',
  era: era + 1,
  ailment,
  error,
  sinceMs,
  probes,
  nextProbeAtMs: nowMs + probeDelayMs(ailment, probes, random),
})

const halfOpen = (state: OpenState): HalfOpenState => ({
  ...state,
  kind: 'half-open',
  probe: 'free',
})

const freed = (state: HalfOpenState): HalfOpenState => ({
  ...state,
  probe: 'free',
  era: state.era + 1,
})
