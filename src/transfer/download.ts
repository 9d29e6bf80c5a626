// Answers for media that WeCom has and the folder has not: restoring what is missing, landing what was referred to, and
// saying what nobody can fetch any more. Where a newcomer lands is landing.ts.
import { FileUnreadable, MediaUnacceptable } from '../errors.ts'
import type { Change, Manifest } from '../manifest/manifest.ts'
import {
  isSameWish,
  type ManifestEntry,
  type MediaId,
  type MediaPath,
  NO_PATH,
  type Problem,
  type Reference,
} from '../media/media.ts'
import type { Step } from '../plan/step.ts'
import type { Arrivals } from '../support/arrivals.ts'
import type { Emit } from '../support/events.ts'
import { createTurns, type Turns } from '../support/turns.ts'
import type { Wecom } from '../wecom/wecom.ts'
import { type DeadIds, isDeadId } from './dead-ids.ts'
import type { DiskRoom } from './disk-room.ts'
import { type Fetched, fetchMedium } from './fetched.ts'
import {
  createLanding,
  describeConflict,
  describeDisguise,
  type Landed,
  type LandingDeps,
  statOf,
} from './landing.ts'
import { findObstacle, findOccupant, isFileAt, placeFile, removeFile } from './place.ts'
import { createTaker } from './take.ts'

type RestoreStep = Extract<Step, { kind: 'restore' }>
type TakeStep = Extract<Step, { kind: 'take' }>
type LandStep = Extract<Step, { kind: 'land' }>

export interface DownloadDeps extends LandingDeps {
  wecom: Pick<Wecom, 'download'>
  room: Pick<DiskRoom, 'require'>
  manifest: Pick<
    Manifest,
    'findEntry' | 'findProblem' | 'findReference' | 'findByFingerprint' | 'entries' | 'commit'
  >
  /** Where dead ids are told of, shared with whoever else finds some. */
  deadIds: DeadIds
  /** How far each download has come. */
  onArrival?: Arrivals['tell']
  /** Of whoever decides about a reference: what is wished anew while its landing is recorded must not be taken for landed. */
  referenceTurns?: Turns<MediaId>
  emit: Emit
}

/** Performs `restore` and `land` steps: resolves when the file is on disk and the outcome durable. */
export function createDownloader(deps: DownloadDeps) {
  const { root, manifest, clock, emit, deadIds } = deps
  const { referenceTurns = createTurns<MediaId>() } = deps
  const landing = createLanding(deps)
  /** Never two downloads of one id at once. */
  const turns = createTurns<MediaId>()

  const restore = (step: RestoreStep, signal: AbortSignal): Promise<void> =>
    turns.take(step.entry.mediaId, () => restoreNow(step, signal))

  async function restoreNow({ entry, path }: RestoreStep, signal: AbortSignal): Promise<void> {
    if ((await isFileAt(root, path)) || !(await findSame(entry))) return
    // What stands in the way may be gone at the next tick; until then nothing is fetched for it.
    const obstacle = (await findObstacle(root, path)) ?? (await findOccupant(root, path))
    if (obstacle) throw new FileUnreadable(obstacle.message, obstacle)
    const startedAtMs = clock.nowMs()
    const { mediaId, isHd, sizeBytes: expectedBytes, modifiedAtMs, fingerprint } = entry
    const known = { expectedBytes, modifiedAtMs, fingerprint, ...resuming(isHd) }
    const wanted = { mediaId, isHd, directory: root, ...known }
    const fetched = await fetchMedium(deps, wanted, signal).catch(asLost)
    if (fetched === 'lost') return reportDead(entry)
    try {
      requireSameBytes(entry, fetched)
      if (!(await findSame(entry))) return
      // Somebody put a file there meanwhile: theirs counts, and the next pass looks at it.
      if (!(await placeFile(root, fetched.file, path))) return
    } finally {
      await fetched.discard()
    }
    await commitRestored(entry, startedAtMs)
  }

  async function commitRestored(entry: ManifestEntry, startedAtMs: number): Promise<void> {
    const { path } = entry
    const placed = await statOf(root, path)
    const standing = await findSame(entry)
    if (!standing) return takeAway(path, placed)
    const restored = { ...standing, ...placed }
    await commit([{ kind: 'put-entry', entry: restored }], path)
    emit({ kind: 'restored', entry: restored, tookMs: clock.nowMs() - startedAtMs })
  }

  /** The entry as it stands, unless the path was forgotten, renamed or uploaded anew since the step was planned. */
  async function findSame({ path, mediaId }: ManifestEntry): Promise<ManifestEntry | undefined> {
    const standing = await manifest.findEntry(path)
    return standing?.mediaId === mediaId ? standing : undefined
  }

  /** What was forgotten while it was placed would be uploaded as new; what somebody wrote there since is theirs. */
  async function takeAway(path: MediaPath, placed: Pick<ManifestEntry, 'stamp'>): Promise<void> {
    await removeFile(root, path, placed.stamp)
  }

  /** Who waited for another step of the same id looks again: it may have landed, been forgotten, or be wanted elsewhere by now. */
  const land = (step: LandStep, signal: AbortSignal): Promise<void> =>
    turns.take(step.reference.mediaId, async () => {
      const reference = await findWanted(step.reference)
      if (reference) await landNow(reference, signal)
    })

  /** The reference as it stands, unless it is not to land there any more. */
  async function findWanted(planned: Reference): Promise<Reference | undefined> {
    const standing = await manifest.findReference(planned.mediaId)
    return standing && isSameWish(standing, planned) ? standing : undefined
  }

  async function landNow(reference: Reference, signal: AbortSignal): Promise<void> {
    const startedAtMs = clock.nowMs()
    const { mediaId, isHd } = reference
    const wanted = { mediaId, isHd, directory: root, ...resuming(isHd) }
    const fetched = await fetchMedium(deps, wanted, signal).catch(asLost)
    if (fetched === 'lost') return reportReferenceLost(reference)
    try {
      const landed = await landing.land(reference, fetched)
      const isEnded = await referenceTurns.take(mediaId, () => recordLanded(reference, landed))
      if (!isEnded) return
      // The entry may have an id of its own for these bytes; who waits for this reference knows only the other.
      const tookMs = clock.nowMs() - startedAtMs
      emit({ kind: 'landed', entry: { ...landed.entry, mediaId }, tookMs })
      const disguise = describeDisguise(reference, fetched, landed.entry.path)
      if (disguise) emit({ kind: 'warned', ...disguise })
    } finally {
      await fetched.discard()
    }
  }

  /** Whether that is the end of the reference. */
  async function recordLanded(reference: Reference, landed: Landed): Promise<boolean> {
    const { entry } = landed
    const ended = await endOf(reference, entry.path)
    const changes: Change[] = [{ kind: 'put-entry', entry }]
    if (ended) changes.push({ kind: 'put-reference', reference: ended })
    // In the inbox many are called the same; only a path that somebody named is a conflict.
    const conflict = reference.path && describeConflict(landed, clock.nowMs())
    await commit(changes, entry.path, conflict)
    return ended !== undefined
  }

  /** Undefined when it was dismissed meanwhile, or accepted for another place or in HD, and somebody told so: landing as that is its end. */
  async function endOf(
    reference: Reference,
    landedPath: MediaPath,
  ): Promise<Reference | undefined> {
    const standing = await findWanted(reference)
    return standing && { ...standing, state: 'landed', landedPath }
  }

  /** The conflict, if there is one, takes the place of any problem that the path had. */
  async function commit(
    changes: readonly Change[],
    path: MediaPath,
    conflict?: Problem,
  ): Promise<void> {
    const known = await manifest.findProblem(path)
    if (known?.message === conflict?.message) return manifest.commit(changes)
    if (conflict) {
      await manifest.commit([...changes, { kind: 'put-problem', problem: conflict }])
      const hint = 'Rename or remove one of the two, and mend what refers to it.'
      return emit({ kind: 'problem-found', problem: conflict, hint })
    }
    await manifest.commit([...changes, { kind: 'drop-problem', path }])
    emit({ kind: 'problem-solved', path })
  }

  /** An id is dead wherever it stands; that comes first, for no lookup may find it alive once this path is given up. */
  async function reportDead(entry: ManifestEntry): Promise<void> {
    await deadIds.end(entry.mediaId, entry.path)
    await reportLost(entry, 'WeCom no longer knows its media_id')
  }

  async function reportLost(entry: ManifestEntry, because: string): Promise<void> {
    const { path, mediaId } = entry
    if (!(await findSame(entry))) return
    const message = `cannot restore \`${path}\`: ${because}`
    const problem = { path, code: 'MEDIA_LOST', message, sinceMs: clock.nowMs() } as const
    await manifest.commit([
      { kind: 'drop-entry', path },
      { kind: 'put-problem', problem },
    ])
    emit({ kind: 'lost', path, mediaId, message })
  }

  async function reportReferenceLost(reference: Reference): Promise<void> {
    // That there is no high definition of it says nothing about its life.
    if (!reference.isHd) await deadIds.end(reference.mediaId)
    const { mediaId, path = NO_PATH } = reference
    const message = describeLoss(reference)
    const isEnded = await referenceTurns.take(mediaId, async () => {
      const standing = await findWanted(reference)
      // What was wished anew meanwhile learns its own fate, and what was dismissed has none.
      if (!standing) return false
      await manifest.commit([
        { kind: 'put-reference', reference: { ...standing, state: 'lost', message } },
      ])
      return true
    })
    if (isEnded) emit({ kind: 'lost', path, mediaId, message })
  }

  const taker = createTaker(deps)

  return {
    restore,
    land,
    take: (step: TakeStep, signal: AbortSignal): Promise<void> =>
      turns.take(step.entry.mediaId, () => taker(step, signal)),
    reportLost,
  }
}

/** Voices in high definition are other bytes under the same id, and too small to be gone on from. */
const resuming = (isHd: true | undefined): { readonly isResumed?: true } =>
  isHd ? {} : { isResumed: true }

/** WeCom does not say which it is. */
const describeLoss = ({ mediaId, isHd }: Reference): string =>
  isHd
    ? `cannot fetch ${mediaId} in high definition: WeCom does not know it as a voice that a web page recorded (it is another medium, it expired, or belongs to another corp)`
    : `cannot fetch ${mediaId}: WeCom does not know it (it expired, or belongs to another corp)`

function asLost(error: unknown): 'lost' {
  if (isDeadId(error)) return 'lost'
  throw error
}

function requireSameBytes(entry: ManifestEntry, fetched: Fetched): void {
  if (fetched.fingerprint === entry.fingerprint) return
  throw new MediaUnacceptable(
    `cannot restore \`${entry.path}\`: WeCom returned ${fetched.sizeBytes} bytes that are not the ${entry.sizeBytes} bytes that were uploaded`,
    {
      hint: 'Put the file back from a backup; the mirror does not write what it cannot vouch for.',
    },
  )
}
