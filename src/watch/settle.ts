// Answers for whether a file is finished or still being written. Decides from what was seen and when; looks at nothing.

/** What has been seen of a file that is not known to stand still yet. */
export interface Observation {
  readonly sizeBytes: number
  readonly modifiedAtMs: number
  /** Since when, on our clock, size and mtime are what they are; before anything changed under our eyes, by its mtime. */
  readonly stoodSinceMs: number
  readonly firstSeenMs: number
}

export type Settling =
  | { readonly kind: 'settled' }
  | {
      readonly kind: 'unsettled'
      readonly observation: Observation
      readonly lookAgainAtMs: number
      /** It has been so for so long that a person should know. */
      readonly isProblem: boolean
    }

interface SizeAndTime {
  readonly sizeBytes: number
  readonly modifiedAtMs: number
}

/** Short of this no change is worth a word; above it, so many times the time that a file must stand still. */
const PROBLEM_AFTER_MS = 30_000
const PROBLEM_AFTER_SETTLES = 30

/**
 * Judges a look at a file that is new, or differs from when it last stood still, or is not known to stand still.
 * A first look believes the mtime, so what was renamed in complete is settled at once. Once the file has changed under our
 * eyes only our own clock counts: a writer may set any mtime it likes.
 */
export function judgeSettling(
  previous: Observation | undefined,
  seen: SizeAndTime,
  { nowMs, settleMs }: { readonly nowMs: number; readonly settleMs: number },
): Settling {
  const observation = observe(previous, seen, nowMs)
  if (nowMs - observation.stoodSinceMs >= settleMs) return { kind: 'settled' }
  const patienceMs = Math.max(PROBLEM_AFTER_MS, PROBLEM_AFTER_SETTLES * settleMs)
  return {
    kind: 'unsettled',
    observation,
    // An mtime has fractions of a millisecond, our clock has none.
    lookAgainAtMs: Math.ceil(observation.stoodSinceMs + settleMs),
    isProblem: nowMs - observation.firstSeenMs >= patienceMs,
  }
}

function observe(previous: Observation | undefined, seen: SizeAndTime, nowMs: number): Observation {
  const { sizeBytes, modifiedAtMs } = seen
  const facts = { sizeBytes, modifiedAtMs }
  // An mtime in the future tells nothing: the file counts as standing still from now on.
  if (!previous)
    return { ...facts, stoodSinceMs: Math.min(modifiedAtMs, nowMs), firstSeenMs: nowMs }
  const changed = previous.sizeBytes !== sizeBytes || previous.modifiedAtMs !== modifiedAtMs
  // The clock fell back: what was seen "later than now" would otherwise have to wait until then.
  const fellBack = previous.stoodSinceMs > nowMs
  return {
    ...facts,
    stoodSinceMs: changed || fellBack ? nowMs : previous.stoodSinceMs,
    firstSeenMs: Math.min(previous.firstSeenMs, nowMs),
  }
}
