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
    case 'take':
      return 'download'
    case 'adopt':
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
      return step.expiresAtMs
    case 'take':
      return step.entry.expiresAtMs
    case 'adopt':
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
  /** Who got a slot last, the latest first. */
  readonly latest: readonly UploadLane[]
}

/**
 * Who gets the next free slot. While others wait, renewals may have as many slots as the coming deaths need of the rate, at
 * least one and, so that new files never wait for ever, at most all but one; in an emergency they have that many. What is
 * dead already comes after the living: while renewals wait it has a single slot, in turn with new files, and none
 * while the living need most of the rate. Where there is one slot, it goes round.
 */
export function nextUploadLane(demand: UploadDemand): UploadLane | undefined {
  const { slots, waiting, running, pressure, isEmergency } = demand
  if (running.renewal + running.expired + running.fresh >= slots) return undefined
  const isCalm = pressure < calmBelow(slots) && (slots === 1 || running.expired === 0)
  const mayRevive = waiting.expired > 0 && (waiting.renewal === 0 || isCalm)
  const claims = LANES_IN_TURN.filter((lane) =>
    lane === 'expired' ? mayRevive : waiting[lane] > 0,
  )
  const others = claims.filter((lane) => lane !== 'renewal')
  if (waiting.renewal === 0) return longestAgo(others, demand)
  if (slots === 1) return longestAgo(claims, demand)
  const needed = Math.max(1, Math.ceil(pressure * slots))
  const share = isEmergency || waiting.fresh === 0 ? slots - 1 : Math.min(slots - 1, needed)
  return running.renewal < share ? 'renewal' : (longestAgo(others, demand) ?? 'renewal')
}

const LANES_IN_TURN = ['renewal', 'fresh', 'expired'] as const

/** Whose last turn is the longest ago. */
function longestAgo(
  lanes: readonly UploadLane[],
  { latest }: UploadDemand,
): UploadLane | undefined {
  const sinceTurn = (lane: UploadLane) => {
    const at = latest.indexOf(lane)
    return at === -1 ? latest.length : at
  }
  return lanes.toSorted((a, b) => sinceTurn(b) - sinceTurn(a))[0]
}

/**
 * With so much of the rate left over, reviving one medium kills no other, even if the next look at the deaths is minutes away.
 * Never more than what the living keep when the dead have their slot, or every other turn of the only one.
 */
const calmBelow = (slots: number): number =>
  Math.min(CALM_BELOW_PRESSURE, 1 - 1 / Math.max(2, slots))

const CALM_BELOW_PRESSURE = 0.75

/** Whether this renewal, the most urgent one, can wait no longer. */
export const isUrgent = (step: Step, nowMs: number): boolean =>
  step.kind === 'renew' && isEndangered(step.entry, nowMs)
