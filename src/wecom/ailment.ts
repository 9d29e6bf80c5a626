// Answers for what an outcome says about the service as a whole, and for how long it is wise to leave an ill service alone.
// Pure. Not for what the circuit does with it (`circuit-state.ts`).
import { type MirrorError, type WecomRefused, WecomUnreachable } from '../errors.ts'

/** What can be wrong with the service or our standing with it, by how long it is wise to wait. */
export type Ailment = 'stopped' | 'slowed' | 'failing'
export type ServiceError = WecomRefused | WecomUnreachable

export interface Illness {
  readonly ailment: Ailment
  readonly error: ServiceError
}

/** What came of a call: it went well, it failed so, or it was given up and proves nothing. */
export type Outcome = 'well' | 'nothing' | MirrorError

/** The outcome as the circuit sees it; `nothing` when it says nothing about the service (a file of ours, say). */
export function diagnose(outcome: Outcome): Illness | 'well' | 'nothing' {
  if (typeof outcome === 'string') return outcome
  if (outcome instanceof WecomUnreachable) {
    // One file that is too large for a proxy must not hold up all that fit through it.
    return outcome.remedy === 'skip' ? 'well' : { ailment: 'failing', error: outcome }
  }
  if (outcome.code !== 'WECOM_REFUSED') return 'nothing'
  switch (outcome.remedy) {
    case 'stop':
      return { ailment: 'stopped', error: outcome }
    case 'slow-down':
      return { ailment: 'slowed', error: outcome }
    case 'retry':
    case 'refresh-token':
      return { ailment: 'failing', error: outcome }
    case 'skip':
      return 'well'
  }
}

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS

/** The least and the most that is waited before the next probe, after so many in vain. Any moment in between is as likely. */
export function probeWaitMs(
  ailment: Ailment,
  probes: number,
): { readonly leastMs: number; readonly mostMs: number } {
  switch (ailment) {
    case 'stopped':
      // Somebody is perhaps mending it right now; after that rarely: a wrong secret is shown at most 13 times an hour,
      // where 300 calls of gettoken an hour were once allowed for an address, and many wrong ones block it.
      return probes === 0
        ? { leastMs: MINUTE_MS, mostMs: 3 * MINUTE_MS }
        : { leastMs: 5 * MINUTE_MS, mostMs: 15 * MINUTE_MS }
    case 'slowed': {
      // The block lasts as long as the window that was exceeded, and the answer does not say which: a minute, else an
      // hour. A day's or a month's costs a call an hour.
      const windowMs = probes === 0 ? MINUTE_MS : 60 * MINUTE_MS
      return { leastMs: windowMs, mostMs: windowMs * 1.1 }
    }
    case 'failing': {
      const mostMs = Math.min(MINUTE_MS, 5 * SECOND_MS * 2 ** Math.min(probes, 10))
      return { leastMs: mostMs / 6, mostMs }
    }
  }
}

/** How long to wait before the next probe; `random` is drawn once, in [0, 1). */
export function probeDelayMs(ailment: Ailment, probes: number, random: number): number {
  const { leastMs, mostMs } = probeWaitMs(ailment, probes)
  return Math.round(leastMs + random * (mostMs - leastMs))
}
