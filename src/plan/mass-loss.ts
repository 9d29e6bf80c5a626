// Answers for whether what is missing may be acted on. While files keep vanishing it waits, so that a slow deletion is judged as a
// whole; when more than half of what the manifest knows, and at least 20, vanished within ten minutes, it waits for a person's word.
// Not for what a missing file means then (plan/plan.ts), nor for finding it out (pass-facts.ts). Remembers in memory only: after a
// restart what is missing is judged anew, from the moment it is seen.
import type { MediaPath } from '../media/media.ts'

/** Below this many missing files their number alone is no reason for doubt. */
const MIN_VANISHED = 20
const WINDOW_MS = 10 * 60_000
/** It has to be calm for so long for each file that vanished, and never longer than this: one deletion hardly waits. */
const CALM_PER_FILE_MS = 500
const MAX_CALM_MS = 20_000
/** Where something vanishes all the time, it is acted on this often all the same. */
const MAX_WAIT_MS = WINDOW_MS

/** `doubt`: a person has to say what it means. */
export type Verdict = 'act' | 'wait' | 'doubt'

export interface Missing {
  /** Without what may have been renamed: that is not known yet. */
  readonly paths: ReadonlySet<MediaPath>
  /** In the manifest, with and without their file. */
  readonly entryCount: number
}

interface Act {
  readonly atMs: number
  /** The entry is gone as well. */
  readonly isDropped: boolean
}

export function createMassLoss(clock: { nowMs(): number }) {
  /** What was acted on because it was missing; it counts as vanished for as long as the window. */
  const acts = new Map<MediaPath, Act>()
  /** What a person wants back, whatever is done with missing files otherwise. */
  const wantedBack = new Set<MediaPath>()
  let vanishedAtMs = Number.NEGATIVE_INFINITY
  let waitsSinceMs: number | undefined
  let isDoubted = false

  function isMassLoss({ paths, entryCount }: Missing, undecided: number): boolean {
    if (undecided === 0) return false
    const earlier = [...acts].filter(([path]) => !paths.has(path))
    const vanished = undecided + earlier.length
    const known = entryCount + earlier.filter(([, { isDropped }]) => isDropped).length
    return vanished >= MIN_VANISHED && vanished > known / 2
  }

  /** The clock may be set back: what lies in the future is as good as long ago. */
  const isWithin = (atMs: number, spanMs: number) => {
    const ageMs = clock.nowMs() - atMs
    return ageMs >= 0 && ageMs < spanMs
  }

  function isCalm(undecided: number): boolean {
    const calmMs = Math.min(MAX_CALM_MS, CALM_PER_FILE_MS * (undecided + acts.size))
    return !isWithin(vanishedAtMs, calmMs)
  }

  /** How many of the missing no person has spoken of. */
  function tidy({ paths }: Missing): number {
    for (const [path, { atMs }] of acts) if (!isWithin(atMs, WINDOW_MS)) acts.delete(path)
    for (const path of wantedBack) if (!paths.has(path)) wantedBack.delete(path)
    const undecided = [...paths].filter((path) => !wantedBack.has(path)).length
    // Once in doubt, half of it coming back does not say what the other half means.
    if (undecided === 0 && isDoubted) settle()
    return undecided
  }

  function settle() {
    isDoubted = false
    acts.clear()
  }

  function mustWait(undecided: number): boolean {
    if (isCalm(undecided)) waitsSinceMs = undefined
    else waitsSinceMs ??= clock.nowMs()
    if (waitsSinceMs === undefined) return false
    if (isWithin(waitsSinceMs, MAX_WAIT_MS)) return true
    waitsSinceMs = undefined
    return false
  }

  return {
    /** Whether it looks like a mass loss at this moment, calm or not. */
    isDoubtful: (missing: Missing): boolean => {
      const undecided = tidy(missing)
      return isDoubted || isMassLoss(missing, undecided)
    },
    /** `isAsked`: by a person, who does not want to wait for calm. */
    judge(missing: Missing, isAsked: boolean): Verdict {
      const undecided = tidy(missing)
      if (isDoubted) return 'doubt'
      if (!isAsked && mustWait(undecided)) return 'wait'
      isDoubted = isMassLoss(missing, undecided)
      return isDoubted ? 'doubt' : 'act'
    },
    noteVanished() {
      vanishedAtMs = clock.nowMs()
    },
    /** Something was done because the file was missing. */
    noteAct(path: MediaPath, isDropped: boolean) {
      if (!wantedBack.has(path)) acts.set(path, { atMs: clock.nowMs(), isDropped })
    },
    /** A person has spoken: these are to come back, and nothing that vanished before is a reason for doubt. */
    takeWord(back: Iterable<MediaPath>) {
      for (const path of back) wantedBack.add(path)
      settle()
    },
    wantedBack: wantedBack as ReadonlySet<MediaPath>,
  }
}
