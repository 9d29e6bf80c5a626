// Answers for the form in which the domain leaves the program: entries, problems, references and failures as JSON has them. Pure.
import {
  ConfigError,
  isMirrorError,
  isSystemError,
  type MirrorError,
  WecomRefused,
} from '../errors.ts'
import { deadlineMs, isAlive, safeUntilMs } from '../media/lifetime.ts'
import type { ManifestEntry, Problem, Reference } from '../media/media.ts'
import type { Capacity } from '../plan/capacity.ts'
import { renderStep, type Step } from '../plan/step.ts'
import { adviseOnCapacity, renderCapacity } from '../support/capacity-text.ts'
import type {
  CapacityAnswer,
  FailureAnswer,
  ListedReference,
  LiveMedia,
  MediaAnswer,
  ProblemAnswer,
  ReferenceAnswer,
  StepAnswer,
} from './desk.ts'

export const iso = (atMs: number): string => new Date(atMs).toISOString()

/** An entry as it is told: its id only while that lives. */
export const mediaAnswer = (entry: ManifestEntry, nowMs: number): MediaAnswer =>
  isAlive(entry, nowMs)
    ? liveMedia(entry, nowMs)
    : { ...entryAnswer(entry), alive: false, media_id: null, safe_until: null, safe_for_ms: 0 }

/** Of an entry that is alive. */
export const liveMedia = (entry: ManifestEntry, nowMs: number): LiveMedia => ({
  ...entryAnswer(entry),
  alive: true,
  media_id: entry.mediaId,
  safe_until: iso(safeUntilMs(entry)),
  safe_for_ms: safeUntilMs(entry) - nowMs,
})

const entryAnswer = (entry: ManifestEntry) => ({
  path: entry.path,
  type: entry.kind,
  created_at: iso(entry.createdAtMs),
  expires_at: iso(entry.expiresAtMs),
  renew_at: entry.renewAtMs === undefined ? null : iso(entry.renewAtMs),
  size: entry.sizeBytes,
  sha256: entry.fingerprint,
  origin: entry.origin,
})

export const capacityAnswer = (capacity: Capacity): CapacityAnswer => ({
  media: { count: capacity.media.count, bytes: capacity.media.sizeBytes },
  mean_age_ms: capacity.meanAgeMs,
  needed: rateAnswer(capacity.needed),
  allowed: rateAnswer(capacity.allowed),
  slots: { calls_per_hour: capacity.slotCallsPerHour ?? null },
  limit: capacity.limit,
  fits: capacity.fits,
  most_media: Number.isFinite(capacity.mostMedia) ? capacity.mostMedia : null,
  summary: renderCapacity(capacity),
  advice: adviseOnCapacity(capacity) ?? null,
})

const rateAnswer = <Bytes extends number | undefined>(rate: {
  callsPerHour: number
  bytesPerSecond: Bytes
}) => ({ calls_per_hour: rate.callsPerHour, bytes_per_second: rate.bytesPerSecond ?? null })

export const problemAnswer = ({ path, code, message, sinceMs }: Problem): ProblemAnswer => ({
  path,
  code,
  message,
  since: iso(sinceMs),
})

export const referenceAnswer = (reference: Reference): ReferenceAnswer => ({
  media_id: reference.mediaId,
  path: reference.path ?? null,
  into: reference.into ?? null,
  hd: reference.isHd === true,
  state: reference.state,
  landed_path: reference.landedPath ?? null,
  message: reference.message ?? null,
})

export const listedReference = (
  reference: Reference,
  { lifetimeMs, isLanding }: { readonly lifetimeMs: number; readonly isLanding: boolean },
): ListedReference => ({
  ...referenceAnswer(reference),
  state: isLanding ? 'landing' : reference.state,
  from: reference.from ?? null,
  accepted_at: iso(reference.acceptedAtMs),
  created_at: reference.createdAtMs === undefined ? null : iso(reference.createdAtMs),
  expires_at: iso(deadlineMs(reference, lifetimeMs)),
})

export const failureAnswer = (error: MirrorError): FailureAnswer => ({
  code: error.code,
  message: error.message,
  hint: error.hint ?? null,
  remedy: error.remedy,
  errcode: error instanceof WecomRefused ? error.errcode : null,
})

/** A failure that was foreseen, as the wire has it; undefined for what is a bug. An operating system that says no is foreseen. */
export function foreseenAnswer(error: unknown): FailureAnswer | undefined {
  if (isMirrorError(error)) return failureAnswer(error)
  if (!isSystemError(error)) return undefined
  const hint = 'See to the permissions, the mount and the space of what it names.'
  return failureAnswer(new ConfigError(`the system refused: ${error.message}`, [], { hint }))
}

export const stepAnswer = (step: Step): StepAnswer => ({
  step: step.kind,
  path: step.kind === 'land' ? (step.reference.path ?? null) : step.path,
  media_id: mediaIdOf(step),
  because: renderStep(step),
})

function mediaIdOf(step: Step): string | null {
  if (step.kind === 'land') return step.reference.mediaId
  return 'entry' in step ? step.entry.mediaId : null
}
