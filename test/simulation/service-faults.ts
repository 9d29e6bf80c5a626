// Answers for what goes wrong at the modelled service, and how often: the kinds of failure as they show at the port, after
// what the HTTP layer does about them. Which call meets which is drawn from the seed.
import { type MirrorError, WecomRefused, WecomUnreachable } from '../../src/errors.ts'

export interface Fault {
  readonly name: string
  /** Part of all faults. */
  readonly part: number
  /** How long the caller waits for it; undefined: as long as for an answer. */
  readonly afterMs?: number
  /** The medium is stored all the same, and the caller never learns its id. */
  readonly isStored?: true
  /** An answer of WeCom, so that its `Date` is noted. */
  readonly isAnswer?: true
  /** Only where the same bytes were taken before: what is refused the first time is not offered again, by design. */
  readonly onlyKnown?: true
  readonly error: MirrorError
}

const refused = (errcode: number, remedy: WecomRefused['remedy'], errmsg: string) =>
  new WecomRefused(`cannot upload: ${errmsg} (errcode ${errcode})`, { errcode, errmsg, remedy })
const unreachable = (what: string) => new WecomUnreachable(`cannot reach WeCom: ${what}`)

/** Errors are made once: no run looks at their stacks, and millions of them would cost more than the engine. */
export const FAULTS: readonly Fault[] = [
  { name: 'reset', part: 0.33, error: unreachable('ECONNRESET') },
  { name: 'gateway page', part: 0.27, error: unreachable('HTTP 502, not JSON') },
  { name: 'busy', part: 0.3, isAnswer: true, error: refused(-1, 'retry', 'system busy') },
  // What the port shows when a new token is refused too (http-wecom.ts).
  { name: 'token', part: 0.06, isAnswer: true, error: refused(42001, 'retry', 'token expired') },
  {
    name: 'timeout',
    part: 0.03,
    afterMs: 60_000,
    isStored: true,
    error: unreachable('no answer within 60 s'),
  },
  {
    name: 'refused',
    part: 0.01,
    isAnswer: true,
    onlyKnown: true,
    error: refused(40007, 'skip', 'invalid media_id'),
  },
]

/** While it is out of reach. */
export const OUT_OF_REACH: Fault = { name: 'out', part: 0, error: unreachable('ECONNREFUSED') }
/** While it blocks us: our own windows were kept, but the service "may adjust the threshold". */
export const BLOCKED: Fault = {
  name: 'blocked',
  part: 0,
  isAnswer: true,
  error: refused(45009, 'slow-down', 'api freq out of limit'),
}
/** While it suffers fewer calls at a time than usual. */
export const CROWDED: Fault = {
  name: 'crowded',
  part: 0,
  isAnswer: true,
  error: refused(45033, 'slow-down', 'concurrent calls over limit'),
}

/** The fault for a draw in [0, 1), by the parts above. */
export function faultOf(draw: number): Fault {
  let rest = draw
  for (const fault of FAULTS) {
    rest -= fault.part
    if (rest < 0) return fault
  }
  return OUT_OF_REACH
}

/** How often it blocks us or feels crowded, on average, and for how long. */
export const SPELLS = {
  blockedEveryMs: 12 * 3_600_000,
  blockedForMs: 60_000,
  crowdedEveryMs: 6 * 3_600_000,
  crowdedForMs: 20_000,
  /** So many calls at a time it suffers even then. */
  crowdedAbove: 2,
} as const
