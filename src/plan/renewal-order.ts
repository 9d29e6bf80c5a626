// Answers for which step comes first when not all can be performed at once. Pure; reads no clock.
import { isAlive, isEndangered } from '../media/lifetime.ts'
import type { MediaPath } from '../media/media.ts'
import type { Step } from './step.ts'

/** Who competes with whom. Lanes that upload share the slots by the rule of `nextUploadLane`; the others have their own. */
export type Lane = 'local' | UploadLane | 'download'

/** `renewal`: what still lives; `expired`: what died before its turn came; `fresh`: what never had an id, or other bytes. */
export type UploadLane = 'renewal' | 'expired' | 'fresh'

export function laneOf(step: Step, nowMs: number): Lane {
  switch (step.kind) {
    case 'renew':
      return isAlive(step.entry, nowMs) ? 'renewal' : 'expired'
    case 'upload':
      return 'fresh'
    case 'restore':
    case 'land':
      return 'download'
    case 'forget':
    case 'report-lost':
    case 'drop-problem':
      return 'local'
  }
}

/**
 * Within a lane the smaller rank goes first. Renewals and downloads go by deadline. Of what is dead, what was asked for last,
 * then what died last. Of new files the one that changed last, so that a file dropped in during a bulk upload is
 * not behind the whole bulk.
 */
export function rankOf(
  step: Step,
  nowMs: number,
  askedAtMs: (path: MediaPath) => number | undefined = () => undefined,
): number {
  switch (step.kind) {
    case 'renew':
    case 'restore': {
      if (isAlive(step.entry, nowMs)) return step.entry.expiresAtMs
      const asked = askedAtMs(step.path)
      return asked === undefined ? -step.entry.expiresAtMs : BEFORE_ALL_MOMENTS_MS - asked
    }
    case 'upload':
      return -step.file.changedAtMs
    case 'land':
      return step.reference.createdAtMs ?? step.reference.acceptedAtMs
    case 'forget':
    case 'report-lost':
    case 'drop-problem':
      return 0
  }
}

/** Below every real moment with its sign turned (year 9999 in ms is 2.5e14), still exact in a double. */
const BEFORE_ALL_MOMENTS_MS = -(2 ** 51)

/** Who waits for an upload slot, and who has one. */
export interface UploadDemand {
  readonly slots: number
  readonly waiting: Readonly<Record<UploadLane, number>>
  readonly running: Readonly<Record<UploadLane, number>>
  /** How much of the allowed rate the coming deaths need, see `foresee`. */
  readonly pressure: number
  /** The most urgent renewal has less than a twelfth of its life left. */
  readonly isEmergency: boolean
  /** Who got the last slot. */
  readonly last: UploadLane | undefined
}

/**
 * Who gets the next free slot. While others wait, renewals may have as many slots as the coming deaths need of the rate, at
 * least one and, so that new files never wait for ever, at most all but one; in an emergency they have that many. What is
 * dead already shares the rest with new files, turn by turn, and waits while the living need nearly all. A single slot goes round.
 */
export function nextUploadLane(demand: UploadDemand): UploadLane | undefined {
  const { slots, waiting, running, pressure, isEmergency, last } = demand
  if (running.renewal + running.expired + running.fresh >= slots) return undefined
  const mayRevive = waiting.expired > 0 && (waiting.renewal === 0 || pressure < CALM_BELOW_PRESSURE)
  const other = chooseOther(waiting.fresh > 0, mayRevive, last)
  if (waiting.renewal === 0) return other
  if (other === undefined) return 'renewal'
  if (slots === 1) return last === 'renewal' ? other : 'renewal'
  const share = isEmergency
    ? slots - 1
    : Math.min(slots - 1, Math.max(1, Math.ceil(pressure * slots)))
  return running.renewal < share ? 'renewal' : other
}

function chooseOther(
  hasFresh: boolean,
  hasExpired: boolean,
  last: UploadLane | undefined,
): UploadLane | undefined {
  if (hasFresh && hasExpired) return last === 'fresh' ? 'expired' : 'fresh'
  if (hasFresh) return 'fresh'
  return hasExpired ? 'expired' : undefined
}

/** With so much of the rate left over, reviving one medium kills no other, even if the next look at the deaths is minutes away. */
const CALM_BELOW_PRESSURE = 0.75

/** Whether this renewal, the most urgent one, can wait no longer. */
export const isUrgent = (step: Step, nowMs: number): boolean =>
  step.kind === 'renew' && isEndangered(step.entry, nowMs)
