// Answers for bringing bytes to a path that another host has there: from our own disk where it has them, else from WeCom; to a free path,
// or in place of the file that is known to be the older one. Not for whether that is right (plan/offers.ts).
import { randomBytes } from 'node:crypto'
import { type FileHandle, lstat, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError, MediaUnacceptable } from '../errors.ts'
import type { Change, Manifest } from '../manifest/manifest.ts'
import {
  createStamp,
  type Fingerprint,
  type ManifestEntry,
  type MediaPath,
  type Problem,
  type Reference,
  stampOfNoFile,
} from '../media/media.ts'
import { createTempName } from '../media/temp-name.ts'
import type { Step } from '../plan/step.ts'
import type { Emit } from '../support/events.ts'
import type { Wecom } from '../wecom/wecom.ts'
import { type DeadIds, isDeadId } from './dead-ids.ts'
import type { DiskRoom } from './disk-room.ts'
import { type Fetched, fetchMedium } from './fetched.ts'
import { fingerprintFile } from './fingerprint.ts'
import { Obstructed, openInside } from './inside.ts'
import { statOf } from './landing.ts'
import { isTaken, placeFile, replaceFile } from './place.ts'

type TakeStep = Extract<Step, { kind: 'take' }>

/** The part of what was fetched that is needed here. */
type Brought = Pick<Fetched, 'file' | 'sizeBytes' | 'fingerprint' | 'discard'>

export interface TakeDeps {
  root: string
  wecom: Pick<Wecom, 'download'>
  room: Pick<DiskRoom, 'require'>
  manifest: Pick<
    Manifest,
    'findEntry' | 'findProblem' | 'findReference' | 'findByFingerprint' | 'commit'
  >
  deadIds: Pick<DeadIds, 'end'>
  clock: { nowMs(): number }
  emit: Emit
}

/** Performs `take` steps: resolves when the file is at its path and the outcome durable, or when there is nothing to take any more. */
export function createTaker(deps: TakeDeps) {
  const { root, manifest, clock, emit } = deps

  async function take(step: TakeStep, signal: AbortSignal): Promise<void> {
    if (!(await isStillRight(step))) return
    const startedAtMs = clock.nowMs()
    const brought = await bring(step.entry, signal)
    if (brought === 'lost') return reportLost(step.entry)
    try {
      if (brought.fingerprint !== step.entry.fingerprint) throw otherBytes(step.entry, brought)
      if (!(await isStillRight(step))) return
      const isPlaced = step.over ? await replace(step.over, brought) : await place(step, brought)
      if (!isPlaced) return
    } finally {
      await brought.discard()
    }
    const entry = { ...step.entry, ...(await statOf(root, step.path)) }
    await commit(step, entry)
    emit({ kind: 'landed', entry, tookMs: clock.nowMs() - startedAtMs })
  }

  /** Whether entry and file are what the step was decided on, and no person has spoken since. */
  async function isStillRight({ path, entry, over }: TakeStep): Promise<boolean> {
    const standing = await manifest.findEntry(path)
    if (over) return isSame(standing, over) && (await stampAt(path)) === over.stamp
    const problem = await manifest.findProblem(path)
    const isUnwanted = problem?.code === 'FORGOTTEN' && problem.fingerprint === entry.fingerprint
    return !standing && !isUnwanted && !(await isTaken(root, path))
  }

  async function stampAt(path: MediaPath) {
    try {
      return createStamp(await lstat(join(root, path)))
    } catch (error) {
      if (isSystemError(error)) return undefined
      throw error
    }
  }

  async function bring(entry: ManifestEntry, signal: AbortSignal): Promise<Brought | 'lost'> {
    const { mediaId, isHd, sizeBytes: expectedBytes, modifiedAtMs, fingerprint } = entry
    for (const twin of await manifest.findByFingerprint(fingerprint)) {
      await deps.room.require(expectedBytes, mediaId)
      const copy = await copyFile(twin.path, modifiedAtMs)
      if (copy?.fingerprint === fingerprint) return copy
      await copy?.discard()
    }
    try {
      const known = { expectedBytes, modifiedAtMs, fingerprint }
      const wanted = {
        mediaId,
        directory: root,
        isHd,
        ...known,
        ...(!isHd && { isResumed: true as const }),
      }
      return await fetchMedium(deps, wanted, signal)
    } catch (error) {
      if (isDeadId(error)) return 'lost'
      throw error
    }
  }

  /** A copy of a file of the folder in a temporary one, flushed; undefined when the file is not to be had. */
  async function copyFile(path: MediaPath, modifiedAtMs: number): Promise<Brought | undefined> {
    const source = await openInside(root, path).catch(unlessAway)
    if (!source) return undefined
    const file = join(root, createTempName(randomBytes(8).toString('hex')))
    const discard = () => rm(file, { force: true })
    const target = await open(file, 'wx+')
    try {
      const copied = await copyBytes(source, target)
      await target.utimes(modifiedAtMs / 1000, modifiedAtMs / 1000)
      await target.sync()
      return { file, discard, ...copied }
    } catch (error) {
      await discard()
      throw error
    } finally {
      await Promise.all([source.close(), target.close()])
    }
  }

  /** The entry comes first, as with everything that lands: were the file there without it, it would be uploaded as new. */
  async function place({ path, entry }: TakeStep, { file }: Brought): Promise<boolean> {
    let isPlaced = false
    await manifest.commit([{ kind: 'put-entry', entry }])
    try {
      isPlaced = await placeFile(root, file, path)
    } finally {
      const standing = isPlaced ? undefined : await manifest.findEntry(path)
      if (standing && isSame(standing, entry)) await manifest.commit([{ kind: 'drop-entry', path }])
    }
    return isPlaced
  }

  /**
   * The file comes first: were the entry there without it, the old bytes would count as a change of the new ones. After a crash in
   * between, the new bytes count as our own change to what they are there, which is the same content.
   */
  const replace = (over: ManifestEntry, { file }: Brought): Promise<boolean> =>
    replaceFile(root, file, over.path, over.stamp)

  async function commit(step: TakeStep, entry: ManifestEntry): Promise<void> {
    const { path, mediaId } = entry
    const conflict = step.beside && describeConflict(entry, step.beside, clock.nowMs())
    const known = await manifest.findProblem(path)
    await manifest.commit([
      { kind: 'put-entry', entry },
      ...((await manifest.findReference(mediaId)) ? [] : toldAsLanded(entry, clock.nowMs())),
      ...(conflict ? [{ kind: 'put-problem', problem: conflict } as const] : []),
      ...(known && !conflict ? [{ kind: 'drop-problem', path } as const] : []),
    ])
    if (conflict) emit({ kind: 'problem-found', problem: conflict, hint: CONFLICT_HINT })
    else if (known) emit({ kind: 'problem-solved', path })
  }

  async function reportLost({ mediaId, path, createdAtMs }: ManifestEntry): Promise<void> {
    await deps.deadIds.end(mediaId)
    const message = `cannot fetch ${mediaId} for \`${path}\`: WeCom does not know it, though another host's manifest says that it lives`
    const reference: Reference = {
      mediaId,
      path,
      createdAtMs,
      acceptedAtMs: clock.nowMs(),
      state: 'lost',
      message,
    }
    await manifest.commit([{ kind: 'put-reference', reference }])
    emit({ kind: 'lost', path, mediaId, message })
  }

  return take
}

const CONFLICT_HINT =
  'Keep what you want of the two: change or remove one of them, on any of the hosts.'

const isSame = (a: ManifestEntry | undefined, b: ManifestEntry): boolean =>
  a?.mediaId === b.mediaId && a.stamp === b.stamp && a.version === b.version

/** For whoever follows what lands; it is the other host's manifest that remembers the reference. */
const toldAsLanded = (
  { mediaId, path }: ManifestEntry,
  acceptedAtMs: number,
): readonly Change[] => [
  {
    kind: 'put-reference',
    reference: { mediaId, path, acceptedAtMs, state: 'landed', landedPath: path },
  },
  { kind: 'drop-reference', mediaId },
]

/** Has a stamp, so that it goes with the file. */
function describeConflict(
  { path, sizeBytes }: ManifestEntry,
  of: MediaPath,
  sinceMs: number,
): Problem {
  const stamp = stampOfNoFile(sizeBytes)
  const message = `\`${of}\` was changed on two hosts at once: the change written last has the path, the other is kept as \`${path}\``
  return { path, code: 'PATH_CONFLICT', message, sinceMs, stamp }
}

function otherBytes({ path, mediaId }: ManifestEntry, { sizeBytes }: Brought): MediaUnacceptable {
  return new MediaUnacceptable(
    `cannot take \`${path}\` from another host: WeCom returned ${sizeBytes} bytes for ${mediaId} that are not those of its manifest`,
    { hint: 'See that the manifest is that of a host of the same corp, and not written by hand.' },
  )
}

function unlessAway(error: unknown): undefined {
  if (!(error instanceof Obstructed) && !isSystemError(error)) throw error
}

const CHUNK_BYTES = 256 * 1024

async function copyBytes(
  source: FileHandle,
  target: FileHandle,
): Promise<{ readonly sizeBytes: number; readonly fingerprint: Fingerprint }> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  let sizeBytes = 0
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES, sizeBytes)
    if (bytesRead === 0) break
    await target.writeFile(buffer.subarray(0, bytesRead))
    sizeBytes += bytesRead
  }
  return { sizeBytes, fingerprint: await fingerprintFile(target) }
}
