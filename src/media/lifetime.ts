// Answers for when a medium is due, expired and safe to hand out. Every function takes the moment as a value.
import type { ManifestEntry, Problem, Reference } from './media.ts'

export interface RenewalPolicy {
  /** How long the service keeps a medium: three days (path/96484: 仅三天内有效). */
  readonly lifetimeMs: number
  /** How long before its end a medium is renewed at the latest. */
  readonly beforeMs: number
  /** Up to this much earlier, at random, so that what was uploaded together is not renewed together. */
  readonly spreadMs: number
}

/** What is known of the life of an id. */
type Life = Pick<ManifestEntry, 'createdAtMs' | 'expiresAtMs'>

/** When an upload made at `createdAtMs` dies, and when to replace it. `random` is drawn once, in [0, 1). */
export function planLife(createdAtMs: number, policy: RenewalPolicy, random: number) {
  const expiresAtMs = createdAtMs + policy.lifetimeMs
  const renewAtMs = Math.floor(expiresAtMs - policy.beforeMs - random * policy.spreadMs)
  return { createdAtMs, expiresAtMs, renewAtMs }
}

/** Due: still alive or not, it is time to upload again. */
export const isDue = (entry: Pick<ManifestEntry, 'renewAtMs'>, nowMs: number): boolean =>
  entry.renewAtMs !== undefined && nowMs >= entry.renewAtMs

/** Alive: WeCom accepts the id at this moment, by the service's own statement of its life. */
export const isAlive = (entry: Life, nowMs: number): boolean =>
  nowMs >= entry.createdAtMs - CLOCK_TOLERANCE_MS && nowMs < safeUntilMs(entry)

/**
 * Until when an id may be handed out: five seconds before its death (less of a life of minutes), since the service tells its
 * time in whole seconds and our reckoning of it may be two off.
 */
export const safeUntilMs = (entry: Life): number =>
  entry.expiresAtMs - Math.min(SAFETY_MS, lifetimeOf(entry) / 72)

const SAFETY_MS = 5_000

/** An id "created in the future" by more than this was written under a wrong clock, and nothing about its life is known. */
const CLOCK_TOLERANCE_MS = 24 * 60 * 60 * 1000

/** Less than a twelfth of its life is left (six hours of three days): whatever the schedule says, it is renewed now. */
export const isEndangered = (entry: ManifestEntry, nowMs: number): boolean =>
  nowMs >= entry.expiresAtMs - lifetimeOf(entry) / 12

/** Less than a quarter of its life is left, and it has not been renewed: time to tell somebody. */
export const isLate = (entry: ManifestEntry, nowMs: number): boolean =>
  isDue(entry, nowMs) && nowMs >= entry.expiresAtMs - lifetimeOf(entry) / 4

/**
 * When WeCom is offered again what it took once and refuses now: after as long as it has been refused so far, so that the waits
 * double; within a half of an hour and six hours of a life of three days, so that a handful of tries come before it dies of it.
 */
export function offeredAgainAtMs(
  { sinceMs, triedAtMs = sinceMs }: Problem,
  entry: ManifestEntry,
): number {
  const lifetimeMs = lifetimeOf(entry)
  return triedAtMs + Math.max(lifetimeMs / 144, Math.min(triedAtMs - sinceMs, lifetimeMs / 12))
}

/** Until when a medium must have landed: of one whose age nobody told, as if it had been new when it was heard of. */
export const deadlineMs = (
  { createdAtMs, acceptedAtMs }: Pick<Reference, 'createdAtMs' | 'acceptedAtMs'>,
  lifetimeMs: number,
): number => (createdAtMs ?? acceptedAtMs) + lifetimeMs

const lifetimeOf = ({ createdAtMs, expiresAtMs }: Life): number => expiresAtMs - createdAtMs
