// Answers for which media are late: less than a quarter of their life is left, or none, and they were not renewed. Derived at the
// time of asking, at a bounded cost, and stored nowhere. Not for telling anybody (late-watch.ts).
import type { ManifestReader, MomentRange } from '../manifest/manifest.ts'
import { isLate } from '../media/lifetime.ts'
import type { ManifestEntry, MediaPath } from '../media/media.ts'
import { type Circumstances, foreseeReturn, type Prospect } from './prospect.ts'

/** So many of those that live are counted, and so many of those that are dead. */
const MOST_COUNTED = 10_000
/** So many are told by name. */
const MOST_NAMED = 20

/** All that are late, a few of them by name. */
export interface LateRenewals {
  readonly count: number
  /** There are more than were counted. */
  readonly isMore: boolean
  /** Dead already. */
  readonly expired: number
  /** Of those that live; undefined when none does. */
  readonly nextDeathAtMs: number | undefined
  /** The next to die first, then what died first. */
  readonly named: readonly LateRenewal[]
}

export interface LateRenewal {
  readonly entry: ManifestEntry
  readonly sinceMs: number
  readonly prospect: Prospect
}

export interface LateRenewalsDeps {
  readonly manifest: Pick<ManifestReader, 'findDying' | 'findProblem'>
  readonly lifetimeMs: number
  /** What stands in the way of a path; undefined when no daemon runs. */
  readonly circumstances: (path: MediaPath) => Promise<Circumstances | undefined>
}

/** What is dead and has a problem of its own is not late: that was told, and waits for its owner. */
export async function findLateRenewals(
  deps: LateRenewalsDeps,
  nowMs: number,
): Promise<LateRenewals> {
  const { manifest } = deps
  const find = async (range: MomentRange) => {
    const found = await manifest.findDying(range, MOST_COUNTED)
    const late = found.filter((entry) => isLate(entry, nowMs))
    return { isMore: found.length === MOST_COUNTED, late }
  }
  async function name(entry: ManifestEntry): Promise<LateRenewal> {
    const problem = await manifest.findProblem(entry.path)
    const prospect = foreseeReturn({ entry, problem }, await deps.circumstances(entry.path), nowMs)
    return { entry, sinceMs: lateSinceMs(entry), prospect }
  }

  const dying = await find({ afterMs: nowMs, untilMs: nowMs + deps.lifetimeMs / 4 })
  const dead = await find({ untilMs: nowMs })
  const expired: ManifestEntry[] = []
  for (const entry of dead.late) if (!(await manifest.findProblem(entry.path))) expired.push(entry)
  const named: LateRenewal[] = []
  for (const entry of [...dying.late, ...expired].slice(0, MOST_NAMED))
    named.push(await name(entry))
  return {
    count: dying.late.length + expired.length,
    isMore: dying.isMore || dead.isMore,
    expired: expired.length,
    nextDeathAtMs: dying.late[0]?.expiresAtMs,
    named,
  }
}

const lateSinceMs = ({ createdAtMs, expiresAtMs, renewAtMs = 0 }: ManifestEntry): number =>
  Math.max(renewAtMs, expiresAtMs - (expiresAtMs - createdAtMs) / 4)
