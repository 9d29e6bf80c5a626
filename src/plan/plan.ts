// The one decision: from what is (folder, manifest, references) to what is to be done. Pure; touches nothing.
// Not for the order of the steps (renewal-order.ts) nor for performing them (transfer/).
import { deadlineMs, isAlive, isDue, offeredAgainAtMs } from '../media/lifetime.ts'
import {
  type FileFacts,
  hadFile,
  type ManifestEntry,
  type MediaId,
  type MediaPath,
  type Problem,
  type Reference,
} from '../media/media.ts'
import { type Offered, type OfferPolicy, planOffer } from './offers.ts'
import { landingPath, type Step } from './step.ts'

export interface PlanPolicy extends OfferPolicy {
  readonly onDelete: 'restore' | 'forget'
  /** How long the service keeps a medium. */
  readonly lifetimeMs: number
  /** Whether landed references are kept alive like files of the folder. */
  readonly renewReferences: boolean
  /** Whether this pass may act on files that are gone: on restore ticks, not on every event, so that a rename is seen whole. */
  readonly actOnMissing: boolean
  /** Missing files that a person wants back, whatever is done about others. */
  readonly wantedBack: ReadonlySet<MediaPath>
  /** Whether files that were not taken are judged anew: at start and at a person's wish, since limits and rules may have changed. */
  readonly judgeAgain: boolean
  /** What the folder passes by; an entry whose path it passes by now is dropped. */
  readonly isIgnored: (path: MediaPath) => boolean
}

/** What is known of one path. */
export interface Sight {
  readonly path: MediaPath
  /** The file, once it has settled. */
  readonly file: FileFacts | undefined
  /** It is there but still being written: neither to be read nor to be called missing. */
  readonly isUnsettled: boolean
  readonly entry: ManifestEntry | undefined
  readonly problem: Problem | undefined
  /** Undefined where no other host says anything of it. */
  readonly offered?: Offered | undefined
}

/** What a pass looks at. */
export interface PassFacts {
  readonly folder: {
    /** A folder that lost its marker, or half its files at once, is not believed: its absences mean nothing. */
    readonly believed: boolean
    /** Sizes of files that have no entry yet: each may be a missing one under a new name. */
    readonly newSizes: ReadonlySet<number>
  }
  /** The paths in its scope, each once. */
  readonly sights: readonly Sight[]
  readonly references: readonly Reference[]
  /** Ids that somebody referred to and that have not landed yet; unlike the references, all of them, whatever the pass looks at. */
  readonly landing: ReadonlySet<MediaId>
  /** Paths to be renewed although they are not due, so that what came together does not fall due together. */
  readonly early: ReadonlySet<MediaPath>
  readonly policy: PlanPolicy
}

/** The steps that bring manifest and folder together; at most one for a path, none when nothing is to be done. */
export function planPass(facts: PassFacts, nowMs: number): Step[] {
  if (!facts.folder.believed) return []
  const steps: Step[] = []
  for (const sight of facts.sights) {
    const step = planPath(sight, facts, nowMs)
    if (step) steps.push(step)
  }
  return facts.references.length === 0 ? steps : [...steps, ...planLandings(facts, steps)]
}

function planPath(sight: Sight, facts: PassFacts, nowMs: number): Step | undefined {
  const { path, file, isUnsettled, entry, problem } = sight
  const offer = planOffer(sight, facts.policy, nowMs)
  if (offer) return offer
  if (file) return planFile(file, entry, problem, facts, nowMs)
  if (isUnsettled) return undefined
  const step = entry && planMissing(entry, problem, facts, nowMs)
  if (step || !problem || !isAboutFile(problem)) return step
  return { kind: 'drop-problem', path }
}

/** A path that has a step already is not landed at as well. */
function planLandings({ references, policy }: PassFacts, steps: readonly Step[]): Step[] {
  const landings: Step[] = []
  const taken = new Set(steps.map((step) => step.path))
  for (const reference of references) {
    const path = landingPath(reference.mediaId, reference.path)
    if (reference.state !== 'accepted' || taken.has(path)) continue
    taken.add(path)
    const expiresAtMs = deadlineMs(reference, policy.lifetimeMs)
    landings.push({ kind: 'land', path, reference, expiresAtMs })
  }
  return landings
}

/**
 * A problem with a stamp was found in a file; when the file goes, it goes. The others are told and solved elsewhere. That a person did
 * away with a content is remembered as long as another host may still offer it.
 */
const isAboutFile = ({ code, stamp, fingerprint }: Problem): boolean =>
  stamp !== undefined && !(code === 'FORGOTTEN' && fingerprint !== undefined)

function planFile(
  file: FileFacts,
  entry: ManifestEntry | undefined,
  problem: Problem | undefined,
  { policy, early }: PassFacts,
  nowMs: number,
): Step | undefined {
  const { path } = file
  if (problem && isSettledBy(problem, file, entry, policy, nowMs)) return undefined
  if (!entry) return { kind: 'upload', path, file, because: 'new' }
  if (entry.stamp !== file.stamp) return { kind: 'upload', path, file, because: 'changed' }
  const isEarly = !isDue(entry, nowMs)
  if (!wantsRenewal(entry, policy, !isEarly || early.has(path)))
    return isOutOfReach(problem) ? { kind: 'drop-problem', path, evenIfThere: true } : undefined
  return { kind: 'renew', path, file, entry, isEarly }
}

/** Of a file that was missing, or behind something closed; one that can be seen, as it was when its id was got, has it no more. */
const isOutOfReach = (problem: Problem | undefined): boolean =>
  problem?.code === 'FILE_UNREADABLE' && problem.stamp === undefined

/** A download that failed for good is not made again on every tick; when the id is dead, the entry is reported as lost. */
const isRefused = (problem: Problem | undefined): boolean =>
  problem?.code === 'MEDIA_UNACCEPTABLE' || problem?.code === 'MEDIA_REFUSED'

/** Whether a problem says all there is to say about the file as it is. */
function isSettledBy(
  problem: Problem,
  file: FileFacts,
  entry: ManifestEntry | undefined,
  policy: PlanPolicy,
  nowMs: number,
): boolean {
  if (problem.stamp !== file.stamp) return false
  switch (problem.code) {
    case 'FILE_UNREADABLE':
      return false
    case 'MEDIA_UNACCEPTABLE':
      return !policy.judgeAgain
    case 'MEDIA_REFUSED':
      if (policy.judgeAgain) return false
      // WeCom took these bytes once, so that it will not now may pass; what it never took is not offered again by itself.
      return entry?.stamp !== file.stamp || nowMs < offeredAgainAtMs(problem, entry)
    default:
      return true
  }
}

function wantsRenewal(entry: ManifestEntry, policy: PlanPolicy, isTime: boolean): boolean {
  if (entry.origin === 'folder') return isTime
  return policy.renewReferences && (entry.renewAtMs === undefined || isTime)
}

function planMissing(
  entry: ManifestEntry,
  problem: Problem | undefined,
  { folder, landing, policy }: PassFacts,
  nowMs: number,
): Step | undefined {
  const { path } = entry
  const isWantedBack = policy.wantedBack.has(path)
  if (!policy.actOnMissing && !isWantedBack) return undefined
  // Written ahead of its file by a landing under way, or by one that a crash cut short and that is made again.
  if (entry.origin === 'reference' && landing.has(entry.mediaId)) return undefined
  if (policy.isIgnored(path))
    return { kind: 'forget', path, because: 'the folder ignores it now', evenIfThere: true }
  // A file of this size is waiting to be looked at: it may be this one under a new name. The next pass will know.
  if (folder.newSizes.has(entry.sizeBytes)) return undefined
  if (policy.onDelete === 'forget' && !isWantedBack && hadFile(entry))
    return { kind: 'forget', path, because: 'the file was deleted' }
  if (isAlive(entry, nowMs))
    return isRefused(problem) ? undefined : { kind: 'restore', path, entry }
  if (entry.origin === 'reference')
    return { kind: 'forget', path, because: 'it had landed, was removed, and its media_id is dead' }
  return { kind: 'report-lost', path, entry }
}
