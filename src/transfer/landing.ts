// Answers for where a medium lands that somebody referred to: the first name that nobody else has, by file, by entry or by
// another landing under way. Not for fetching it, nor for making the outcome durable (download.ts).
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { MediaUnacceptable } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { chooseKind, isMisannounced, type KindPolicy, kindOfContentType } from '../media/kind.ts'
import {
  createStamp,
  type ManifestEntry,
  type MediaKind,
  type MediaPath,
  type Problem,
  type Reference,
  stampOfNoFile,
} from '../media/media.ts'
import { advance } from '../media/version.ts'
import type { Fetched } from './fetched.ts'
import { fingerprintFile } from './fingerprint.ts'
import { createInboxPath } from './inbox-path.ts'
import { Obstructed, openInside } from './inside.ts'
import { isTaken, numberedPath, placeFile } from './place.ts'

/** So many newcomers may share a name before something is wrong. */
const MAX_NUMBER = 1000

/** For what has no path yet: its content alone says what it is. */
const NO_NAME = 'medium' as MediaPath

export interface LandingDeps {
  root: string
  manifest: Pick<Manifest, 'findEntry' | 'findByFingerprint' | 'commit'>
  kindPolicy: KindPolicy
  lifetimeMs: number
  /** What the folder passes by must not land under such a name: nobody would see it again. */
  isIgnored: (path: string) => boolean
  /** Template of the path for a reference that names none. */
  inboxOf: (reference: Reference) => string
  clock: { nowMs(): number }
  /** What this host is called in versions; without a name they are not kept. */
  host?: string
}

export interface Landed {
  readonly entry: ManifestEntry
  /** Where it was to land; another path than the entry's when a different medium has that one. */
  readonly wanted: MediaPath
}

/** Puts fetched media into the folder; resolves when the file is at its path. */
export function createLanding(deps: LandingDeps) {
  const { root, manifest, clock } = deps
  /** Paths that a landing under way has its eye on: neither file nor entry may tell of them yet. */
  const reserved = new Set<MediaPath>()

  async function land(reference: Reference, fetched: Fetched): Promise<Landed> {
    const wanted = visiblePath(reference.path ?? inboxPath(reference, fetched))
    for (const path of pathsFor(wanted, await findBegun(reference, fetched))) {
      if (reserved.has(path)) continue
      reserved.add(path)
      try {
        const entry = await landAt(path, reference, fetched)
        if (entry) return { entry, wanted }
      } finally {
        reserved.delete(path)
      }
    }
    throw new MediaUnacceptable(
      `cannot land ${reference.mediaId}: ${MAX_NUMBER} files already have the name \`${wanted}\``,
      { hint: 'Move some of them away, or refer to another path.' },
    )
  }

  /**
   * Where a landing of this reference was begun that a crash cut short. It goes on there, also if a lower number is free by now: the one who
   * had its eye on that may have left no trace.
   */
  async function findBegun(
    reference: Reference,
    { fingerprint }: Fetched,
  ): Promise<ReadonlySet<MediaPath>> {
    const entries = await manifest.findByFingerprint(fingerprint)
    return new Set(
      entries
        .filter((entry) => entry.origin === 'reference' && isSame(entry, reference))
        .map(({ path }) => path),
    )
  }

  /** Undefined when the path is somebody else's. */
  async function landAt(
    path: MediaPath,
    reference: Reference,
    fetched: Fetched,
  ): Promise<ManifestEntry | undefined> {
    const known = await manifest.findEntry(path)
    if (await holdsSameBytes(path, fetched)) {
      // An entry of other bytes is that of the file before it changed: the next pass looks at it.
      if (known && known.fingerprint !== fetched.fingerprint) return known
      return { ...(known ?? describe(reference, fetched, path)), ...(await statOf(root, path)) }
    }
    // Its file may be missing, its id alive: it is to be restored, not replaced.
    const isOthers = known !== undefined && !isSame(known, reference)
    if (isOthers) return undefined
    const entry = known ?? describe(reference, fetched, path)
    // It may be taken since it was looked at: by the same medium, restored at the same time.
    const isPlaced =
      !(await isTaken(root, path)) &&
      (known ? await placeFile(root, fetched.file, path) : await place(entry, fetched))
    // After a crash the same medium may be restored at the same time: whoever was first placed it for both.
    if (!isPlaced && !(known && (await holdsSameBytes(path, fetched)))) return undefined
    return { ...entry, ...(await statOf(root, path)) }
  }

  /** The entry comes first: were the file there without it, the next start would upload it as new. */
  async function place(entry: ManifestEntry, fetched: Fetched): Promise<boolean> {
    let isPlaced = false
    await manifest.commit([{ kind: 'put-entry', entry }])
    try {
      isPlaced = await placeFile(root, fetched.file, entry.path)
    } finally {
      if (!isPlaced) await takeBack(entry)
    }
    return isPlaced
  }

  /** Only its own entry: whoever was faster with a file may have an entry of that by now. */
  async function takeBack({ path, mediaId, stamp }: ManifestEntry): Promise<void> {
    const standing = await manifest.findEntry(path)
    if (standing?.mediaId !== mediaId || standing.stamp !== stamp) return
    await manifest.commit([{ kind: 'drop-entry', path }])
  }

  function inboxPath(reference: Reference, fetched: Fetched): MediaPath {
    const kind = kindOf(NO_NAME, reference, fetched)
    const path = createInboxPath(deps.inboxOf(reference), reference, { ...fetched, kind })
    // A person may be called like what the folder passes by (`bob.tmp`): a directory of that name would hide what is in it.
    const parts = path.split('/')
    for (let depth = 1; depth < parts.length; depth++)
      if (deps.isIgnored(parts.slice(0, depth).join('/'))) parts[depth - 1] += '_'
    return parts.join('/') as MediaPath
  }

  function kindOf(path: MediaPath, { isHd }: Reference, { sizeBytes, format }: Fetched): MediaKind {
    // Its id is that of a voice, and fits what a voice fits, whatever the bytes are that one gets for it in high definition.
    if (isHd) return 'voice'
    const choice = chooseKind({ path, sizeBytes, format }, deps.kindPolicy)
    return 'kind' in choice ? choice.kind : 'file'
  }

  function visiblePath(path: MediaPath): MediaPath {
    if (!deps.isIgnored(path)) return path
    const visible = `${path}.file` as MediaPath
    if (!deps.isIgnored(visible)) return visible
    throw new MediaUnacceptable(`cannot land \`${path}\`: the folder ignores files of that name`, {
      hint: 'Choose another path, or mend `folder.ignore`.',
    })
  }

  function describe(reference: Reference, fetched: Fetched, path: MediaPath): ManifestEntry {
    const { sizeBytes, fingerprint } = fetched
    // An id of unknown age may die at any moment: it is never handed out as live.
    const createdAtMs = reference.createdAtMs ?? clock.nowMs() - deps.lifetimeMs
    return {
      path,
      mediaId: reference.mediaId,
      kind: kindOf(path, reference, fetched),
      createdAtMs,
      expiresAtMs: createdAtMs + deps.lifetimeMs,
      renewAtMs: undefined,
      sizeBytes,
      modifiedAtMs: clock.nowMs(),
      fingerprint,
      stamp: stampOfNoFile(sizeBytes),
      origin: 'reference',
      ...(deps.host !== undefined && { version: advance(undefined, deps.host, clock.nowMs()) }),
      ...(reference.isHd && { isHd: true }),
    }
  }

  async function holdsSameBytes(path: MediaPath, fetched: Fetched): Promise<boolean> {
    if (!(await isTaken(root, path))) return false
    const stat = await lstat(join(root, path))
    if (!stat.isFile() || stat.size !== fetched.sizeBytes) return false
    const handle = await openInside(root, path).catch(unlessObstructed)
    if (!handle) return false
    try {
      return (await fingerprintFile(handle)) === fetched.fingerprint
    } finally {
      await handle.close()
    }
  }

  return { land }
}

/** In the order in which they are tried. */
function* pathsFor(wanted: MediaPath, begun: ReadonlySet<MediaPath>): Generator<MediaPath> {
  if (begun.size > 0) for (const path of numbered(wanted)) if (begun.has(path)) yield path
  yield* numbered(wanted)
}

function* numbered(wanted: MediaPath): Generator<MediaPath> {
  for (let number = 1; number <= MAX_NUMBER; number++) yield numberedPath(wanted, number)
}

/** One id stands for two media: what the ordinary call gives, and the high definition. */
const isSame = (entry: ManifestEntry, { mediaId, isHd }: Reference): boolean =>
  entry.mediaId === mediaId && entry.isHd === isHd

/** Has a stamp, so that it goes with the file; not the file's own, which would keep the file from being renewed. */
export function describeConflict({ entry, wanted }: Landed, sinceMs: number): Problem | undefined {
  const { path, sizeBytes } = entry
  if (path === wanted) return undefined
  const message = `\`${path}\` was landed beside \`${wanted}\`, the path it was meant for, where something else is`
  return { path, code: 'PATH_CONFLICT', message, sinceMs, stamp: stampOfNoFile(sizeBytes) }
}

/** What to warn of where a medium is surely not what its message, or the service, announced. */
export function describeDisguise(
  { kind }: Reference,
  { contentType, format }: Fetched,
  path: MediaPath,
): { readonly message: string; readonly hint: string } | undefined {
  const announced = kind ?? kindOfContentType(contentType)
  if (announced === undefined || !isMisannounced(announced, format)) return undefined
  return {
    message: `\`${path}\` was announced as ${announced}, and is ${format} by its content`,
    hint: 'Look at what it is before anybody opens it.',
  }
}

/** What cannot be reached is not known to be the same; it is placing that says why. */
function unlessObstructed(error: unknown): undefined {
  if (!(error instanceof Obstructed)) throw error
}

/** What an entry says of the file that is at its path now. */
export async function statOf(root: string, path: MediaPath) {
  const stat = await lstat(join(root, path))
  return { stamp: createStamp(stat), modifiedAtMs: Math.floor(stat.mtimeMs) }
}
