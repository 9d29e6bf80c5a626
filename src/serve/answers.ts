// Answers for the form in which the domain leaves the program: entries, problems, references and failures as JSON has them. Pure.
import { ConfigError, isMirrorError, type MirrorError, WecomRefused } from '../errors.ts'
import { isAlive } from '../media/lifetime.ts'
import type { ManifestEntry, MediaPath, Problem, Reference } from '../media/media.ts'
import { renderStep, type Step } from '../plan/step.ts'
import type {
  FailureAnswer,
  LookUpAnswer,
  MediaAnswer,
  ProblemAnswer,
  ReferenceAnswer,
  StepAnswer,
} from './desk.ts'

export const iso = (atMs: number): string => new Date(atMs).toISOString()

export const mediaAnswer = (entry: ManifestEntry, nowMs: number): MediaAnswer => ({
  path: entry.path,
  type: entry.kind,
  media_id: entry.mediaId,
  alive: isAlive(entry, nowMs),
  created_at: iso(entry.createdAtMs),
  expires_at: iso(entry.expiresAtMs),
  renew_at: entry.renewAtMs === undefined ? null : iso(entry.renewAtMs),
  size: entry.sizeBytes,
  sha256: entry.fingerprint,
  origin: entry.origin,
})

export const problemAnswer = ({ path, code, message, sinceMs }: Problem): ProblemAnswer => ({
  path,
  code,
  message,
  since: iso(sinceMs),
})

export const referenceAnswer = (reference: Reference): ReferenceAnswer => ({
  media_id: reference.mediaId,
  path: reference.path ?? null,
  state: reference.state,
  landed_path: reference.landedPath ?? null,
  message: reference.message ?? null,
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

/** Only what a system call refused has its name; an error of Node's own use has not. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'

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

/** The one judgement of P2: an id that may be dead is never handed out as live. */
export function lookUpAnswer(
  path: MediaPath,
  known: { entry: ManifestEntry | undefined; problem: Problem | undefined },
  nowMs: number,
): LookUpAnswer {
  const { entry, problem } = known
  if (entry && isAlive(entry, nowMs))
    return { kind: 'live', media: mediaAnswer(entry, nowMs), safe_until: iso(entry.expiresAtMs) }
  if (problem) return { kind: 'not-live', path, because: problem.message }
  if (entry) return { kind: 'not-live', path, because: whyDead(entry) }
  return {
    kind: 'unknown',
    path,
    because:
      'the manifest does not know this path (is the file in the folder, and the daemon running?)',
  }
}

const whyDead = (entry: ManifestEntry): string =>
  entry.renewAtMs === undefined
    ? 'it was downloaded, and its media_id is not kept alive (`references.renew` is false)'
    : `its media_id expired at ${iso(entry.expiresAtMs)} and has not been renewed yet`
