// Answers for giving one file of the folder a live media_id: by keeping, sharing or moving the one its bytes already have, else by uploading.
import { FileUnreadable } from '../errors.ts'
import type { Change, Manifest } from '../manifest/manifest.ts'
import type { KindPolicy } from '../media/kind.ts'
import { isAlive, isDue, type RenewalPolicy } from '../media/lifetime.ts'
import {
  describeForgotten,
  type Fingerprint,
  hadFile,
  type ManifestEntry,
  type MediaPath,
  type Problem,
} from '../media/media.ts'
import { advance, type Version } from '../media/version.ts'
import { stepInAtMs } from '../plan/offers.ts'
import type { Step } from '../plan/step.ts'
import type { Emit } from '../support/events.ts'
import { createTurns } from '../support/turns.ts'
import type { Wecom } from '../wecom/wecom.ts'
import { type Medium, readMedium } from './medium.ts'
import { isFileAt } from './place.ts'
import { wireName } from './safe-name.ts'
import { createSend, type Gain } from './send.ts'
import { createUnrecorded } from './unrecorded.ts'

type UploadStep = Extract<Step, { kind: 'upload' | 'renew' }>

/** A file that changes under our hands is sent again this often at once; after that it waits until it has settled. */
const MAX_READS = 3

export interface UploadDeps {
  root: string
  wecom: Pick<Wecom, 'upload'>
  manifest: Pick<
    Manifest,
    'findEntry' | 'findByFingerprint' | 'findProblem' | 'findReference' | 'commit'
  >
  kindPolicy: KindPolicy
  renewal: RenewalPolicy
  /** Whether what was downloaded is kept alive; if not, it is never uploaded. */
  renewReferences: boolean
  /** The service's clock: an id's life is counted on it. */
  clock: { nowMs(): number }
  random: () => number
  emit: Emit
  /** What this host is called in versions; without a name they are not kept. */
  host?: string
  /** What other hosts have with these bytes, where there are others. */
  offers?: { withBytes(fingerprint: Fingerprint): readonly ManifestEntry[] }
}

/** Performs `upload` and `renew` steps: resolves when the outcome is durable in the manifest and told. */
export function createUploader(deps: UploadDeps) {
  const { root, manifest, clock, emit } = deps
  const send = createSend(deps)
  const unrecorded = createUnrecorded<Gain>()
  /** The same bytes one after the other, commit included, so that whoever comes second finds the id of the first. */
  const turns = createTurns<Fingerprint>()

  async function perform(step: UploadStep, signal: AbortSignal): Promise<void> {
    for (let read = 0; read < MAX_READS; read++) {
      const medium = await readMedium(root, step.path, deps.kindPolicy)
      if (!medium) return
      try {
        if (await turns.take(medium.fingerprint, () => settle(step, medium, signal))) return
      } finally {
        await medium.close()
      }
    }
    throw new FileUnreadable(
      `cannot upload \`${step.path}\`: it changed each of the ${MAX_READS} times it was sent`,
      {
        hint: 'Write the file under another name and rename it when it is complete.',
      },
    )
  }

  /** False when the file changed meanwhile and must be read again. */
  async function settle(step: UploadStep, medium: Medium, signal: AbortSignal): Promise<boolean> {
    const startedAtMs = clock.nowMs()
    // A person may have said so since the step was planned.
    if (isForgotten(await manifest.findProblem(step.path), medium)) return true
    const twins = await manifest.findByFingerprint(medium.fingerprint)
    const own = twins.find((twin) => twin.path === step.path)
    const moved = own ? undefined : await findMoved(twins)
    const known = own ?? moved
    if (own && keepsItsId(own, step, startedAtMs)) {
      const kept = createEntry(step.path, medium, own, own)
      if (
        await commit(
          own.checkedAtMs === undefined ? kept : { ...kept, checkedAtMs: own.checkedAtMs },
        )
      )
        emit({ kind: 'unchanged', path: step.path })
      return true
    }
    const shared =
      known && isDownloaded(known)
        ? known
        : [...twins, ...(await findOffers(medium))].find(
            (twin) =>
              canShare(twin, step.path, medium, startedAtMs) &&
              (step.kind === 'upload' || twin.createdAtMs > step.entry.createdAtMs),
          )
    const gain =
      shared ??
      findUnrecorded(step.path, medium, startedAtMs) ??
      (await send(step.path, medium, signal).catch(asChanged))
    if (gain === 'changed') return false
    if (!shared) unrecorded.keep(step.path, medium.fingerprint, gain)
    if (!(await medium.isUnchanged())) return false
    const origin = known?.origin ?? 'folder'
    const version = own ? own.version : await nextVersion(step.path)
    const entry = createEntry(step.path, medium, gain, { origin, version })
    const isKept = await commit(entry, moved)
    unrecorded.drop(step.path)
    if (!isKept) return true
    if (moved) emit({ kind: 'renamed', entry, from: moved.path })
    else if (shared) emit({ kind: 'shared', entry, with: shared.path })
    else tell(step, entry, medium, clock.nowMs() - startedAtMs)
    return true
  }

  /** One upload serves all hosts; each that did not make it renews later than the one that did. */
  async function findOffers({ fingerprint }: Medium): Promise<ManifestEntry[]> {
    const offers: ManifestEntry[] = []
    for (const offer of deps.offers?.withBytes(fingerprint) ?? []) {
      const isLost = (await manifest.findReference(offer.mediaId))?.state === 'lost'
      if (isLost || offer.renewAtMs === undefined) continue
      offers.push({ ...offer, renewAtMs: stepInAtMs(offer) })
    }
    return offers
  }

  /** These bytes are newer than whatever was known of the path. */
  async function nextVersion(path: MediaPath): Promise<Version | undefined> {
    const standing = await manifest.findEntry(path)
    return deps.host === undefined
      ? standing?.version
      : advance(standing?.version, deps.host, clock.nowMs())
  }

  /** What an earlier attempt gained and could not record. */
  function findUnrecorded(path: MediaPath, medium: Medium, nowMs: number): Gain | undefined {
    const gain = unrecorded.find(path, medium.fingerprint)
    const isGood = gain !== undefined && isAlive(gain, nowMs) && !isDue(gain, nowMs)
    return isGood && (gain.kind === medium.kind || gain.kind === 'file') ? gain : undefined
  }

  /** What was downloaded is never uploaded back as if it were new. */
  const isDownloaded = (entry: ManifestEntry) =>
    entry.origin === 'reference' && !deps.renewReferences

  /**
   * An id that was chosen to be renewed early is not kept; one that replaced it meanwhile is, and one that was due only by a clock
   * that has been set right since.
   */
  function keepsItsId(own: ManifestEntry, step: UploadStep, nowMs: number): boolean {
    if (isDownloaded(own)) return true
    const isChosen = step.kind === 'renew' && step.isEarly && own.mediaId === step.entry.mediaId
    return !isChosen && isAlive(own, nowMs) && !isDue(own, nowMs)
  }

  /** Bytes that are not those which were read before: it is the file that changed, and it is read again. */
  function asChanged(error: unknown): 'changed' {
    if (error instanceof FileUnreadable) return 'changed'
    throw error
  }

  function tell(step: UploadStep, entry: ManifestEntry, medium: Medium, tookMs: number) {
    const { downgradedBecause } = medium
    if (step.kind === 'renew') emit({ kind: 'renewed', entry, tookMs })
    else emit({ kind: 'uploaded', entry, because: step.because, downgradedBecause, tookMs })
  }

  /** The entry that this file was until it was renamed: same bytes, and its own file is gone, and not yet to come. */
  async function findMoved(twins: readonly ManifestEntry[]): Promise<ManifestEntry | undefined> {
    for (const twin of twins) {
      // Anything but "not there" leaves the other path in possession of its entry.
      const isThere = await isFileAt(root, twin.path).catch(() => true)
      if (!isThere && hadFile(twin)) return twin
    }
    return undefined
  }

  /** False when the path was forgotten meanwhile: then nothing is kept of it. */
  async function commit(entry: ManifestEntry, moved?: ManifestEntry): Promise<boolean> {
    const hadProblem = await manifest.findProblem(entry.path)
    if (isForgotten(hadProblem, entry)) return false
    await manifest.commit([
      { kind: 'put-entry', entry },
      ...(moved ? leave(moved) : []),
      ...(hadProblem ? [{ kind: 'drop-problem', path: entry.path } as const] : []),
    ])
    if (hadProblem) emit({ kind: 'problem-solved', path: entry.path })
    return true
  }

  /** Other hosts know the file by its former name still; that it left this one is remembered, or it would come back from there. */
  const leave = (moved: ManifestEntry): readonly Change[] => [
    { kind: 'drop-entry', path: moved.path },
    ...(deps.offers
      ? [{ kind: 'put-problem', problem: describeForgotten(moved, clock.nowMs()) } as const]
      : []),
  ]

  return perform
}

/** Forgotten at a person's word, and not touched since. */
const isForgotten = (problem: Problem | undefined, { stamp }: Pick<ManifestEntry, 'stamp'>) =>
  problem?.code === 'FORGOTTEN' && problem.stamp === stamp

/** An id serves another path too when receivers would see no difference: for `file` they see the name. */
function canShare(twin: ManifestEntry, path: MediaPath, medium: Medium, nowMs: number): boolean {
  if (twin.kind !== medium.kind || isDue(twin, nowMs) || !isAlive(twin, nowMs)) return false
  // A landed reference that nobody keeps alive would let its id die under the file.
  if (twin.renewAtMs === undefined) return false
  return twin.kind !== 'file' || wireName(twin.path) === wireName(path)
}

const createEntry = (
  path: MediaPath,
  medium: Medium,
  gain: Gain,
  { origin, version }: Pick<ManifestEntry, 'origin' | 'version'>,
): ManifestEntry => ({
  path,
  mediaId: gain.mediaId,
  kind: gain.kind,
  createdAtMs: gain.createdAtMs,
  expiresAtMs: gain.expiresAtMs,
  renewAtMs: gain.renewAtMs,
  sizeBytes: medium.sizeBytes,
  modifiedAtMs: medium.modifiedAtMs,
  fingerprint: medium.fingerprint,
  stamp: medium.stamp,
  origin,
  ...(version === undefined ? {} : { version }),
  ...(gain.isHd && { isHd: gain.isHd }),
})
