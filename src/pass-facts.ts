// Answers for the facts of a pass: which paths it looks at, and what folder and manifest say of each. Remembers what steps
// left undone, so that a tick costs what is undone and due, whatever the size of folder and manifest. Whoever only wants to
// look (a preview) makes another one, and leaves the memory of the passes alone. Not for what has become due: renewal-release.ts.
import { setImmediate } from 'node:timers/promises'
import type { ManifestReader } from './manifest/manifest.ts'
import { isDue } from './media/lifetime.ts'
import type { FileFacts, Fingerprint, ManifestEntry, MediaPath, Reference } from './media/media.ts'
import { conflictPath, type Offered } from './plan/offers.ts'
import type { Sight } from './plan/plan.ts'
import { landingPath } from './plan/step.ts'
import type { Released } from './renewal-release.ts'

/** Longer than any path has to wait for its next look. */
const MOST_AHEAD_MS = 2 * 60 * 60 * 1000

/** After so many paths other work may go on. */
const PATHS_PER_TURN = 1000

/** What a pass needs to know of the folder. */
export interface FolderFacts {
  /** The file at the path, once it has settled. */
  get(path: MediaPath): FileFacts | undefined
  isUnsettled(path: MediaPath): boolean
  /** Has it looked at on the disk, soon. */
  lookAt(path: MediaPath): void
  paths(): Iterable<MediaPath>
  belief():
    | { readonly kind: 'believed' }
    | { readonly kind: 'doubted'; readonly because: string; readonly hint: string }
}

/** What other hosts say. */
export interface OfferFacts {
  at(path: MediaPath): readonly ManifestEntry[]
  paths(): Iterable<MediaPath>
}

/** What a pass looks at. */
export interface Scope {
  readonly paths: ReadonlySet<MediaPath>
  /** Everything in folder and manifest. */
  readonly all: boolean
  /** What earlier passes left undone. What has become due is among the paths. */
  readonly due: boolean
  /** Also act on files that are gone. */
  readonly missing: boolean
  /** By a person, who waits for it. */
  readonly asked: boolean
}

export function createPassFacts(deps: {
  folder: FolderFacts
  manifest: ManifestReader
  /** The service's clock. */
  clock: { nowMs(): number }
  /** None where there are no other hosts. */
  offers?: OfferFacts | undefined
  /** An entry is without its file that had one before. */
  onMissing?: () => void
}) {
  const { folder, manifest, clock } = deps
  /** Paths that are not yet as they should be, and from when on they are looked at again. */
  const undone = new Map<MediaPath, number>()
  /** What stands in the manifest while its file is gone. */
  const missing = new Set<MediaPath>()
  /** Sizes of files that have no entry yet: each may be a missing one under a new name. */
  const fresh = new Map<MediaPath, number>()

  /** What seems to lie further ahead than any wait was written under a clock that has been set back since. */
  const isAhead = (fromMs: number): boolean => {
    const aheadMs = fromMs - clock.nowMs()
    return aheadMs > 0 && aheadMs <= MOST_AHEAD_MS
  }

  async function gatherPaths(scope: Scope, released: Released): Promise<Set<MediaPath>> {
    const paths = new Set(released.due)
    for (const path of released.early) paths.add(path)
    for (const path of scope.paths) paths.add(path)
    if (scope.due || scope.missing) {
      for (const [path, fromMs] of undone) if (!isAhead(fromMs)) paths.add(path)
      for (const path of missing) paths.add(path)
    }
    if (!scope.all) return paths
    await addInTurns(folder.paths(), paths)
    await addInTurns(deps.offers?.paths() ?? [], paths)
    for await (const entry of manifest.entries()) paths.add(entry.path)
    for await (const problem of manifest.problems()) paths.add(problem.path)
    return paths
  }

  /** Those that are to land; without what could not be written a moment ago, since each attempt fetches it anew. */
  async function openReferences(scope: Scope): Promise<Reference[]> {
    const open: Reference[] = []
    if (!scope.all && !scope.due && !scope.missing) return open
    for await (const reference of manifest.references()) {
      const path = landingPath(reference.mediaId, reference.path)
      const mayWait = !scope.asked && !scope.paths.has(path) && isAhead(undone.get(path) ?? 0)
      if (reference.state === 'accepted' && !mayWait) open.push(reference)
    }
    return open
  }

  /** The facts about some paths; keeps what is remembered true on the way. */
  async function look(paths: readonly MediaPath[]): Promise<Sight[]> {
    const rows = await manifest.findRows(paths)
    const sights: Sight[] = []
    for (const [at, path] of paths.entries()) {
      const entry = rows[at]?.entry
      const offers = deps.offers?.at(path) ?? []
      const sight = {
        path,
        file: folder.get(path),
        isUnsettled: folder.isUnsettled(path),
        entry,
        problem: rows[at]?.problem,
        ...(offers.length > 0 && { offered: await judgeOffers(path, entry, offers) }),
      }
      remember(sight)
      sights.push(sight)
    }
    return sights
  }

  async function judgeOffers(
    path: MediaPath,
    entry: ManifestEntry | undefined,
    found: readonly ManifestEntry[],
  ): Promise<Offered> {
    const offers: ManifestEntry[] = []
    const copies = new Set<Fingerprint>()
    for (const offer of found) {
      const isLost = (await manifest.findReference(offer.mediaId))?.state === 'lost'
      if (!isLost) offers.push(offer)
      if (!entry || offer.fingerprint === entry.fingerprint) continue
      for (const { fingerprint } of [entry, offer])
        if (await isKeptAside(path, fingerprint)) copies.add(fingerprint)
    }
    return { offers, copies }
  }

  async function isKeptAside(path: MediaPath, fingerprint: Fingerprint): Promise<boolean> {
    const copy = conflictPath(path, fingerprint)
    const [rows] = await manifest.findRows([copy])
    const isThere = rows?.entry?.fingerprint === fingerprint && folder.get(copy) !== undefined
    return isThere || rows?.problem?.fingerprint === fingerprint
  }

  function remember({ path, file, isUnsettled, entry, problem }: Sight) {
    if (file && !entry && !problem) fresh.set(path, file.sizeBytes)
    else if (fresh.size > 0) fresh.delete(path)
    if (entry && !file && !isUnsettled) {
      if (!missing.has(path)) deps.onMissing?.()
      missing.add(path)
    } else if (missing.size > 0) missing.delete(path)
    // Perhaps it is not there at all, behind a directory that is closed just now: nobody will tell when that is open again.
    if (!file && isUnsettled && (entry || problem)) undone.set(path, 0)
    else if (undone.size > 0) undone.delete(path)
  }

  /** How many are missing still: what was renamed or forgotten since it was looked at is not. */
  async function countMissing(): Promise<number> {
    for (const path of [...missing]) if (!(await manifest.findEntry(path))) missing.delete(path)
    return missing.size
  }

  /** The missing ones that are not perhaps there under a new name, which is known only when every new file has been read. */
  async function surelyMissing(): Promise<ReadonlySet<MediaPath>> {
    const sizes = newSizes()
    const sure = new Set<MediaPath>()
    for (const path of [...missing]) {
      const entry = await manifest.findEntry(path)
      if (!entry) missing.delete(path)
      else if (!sizes.has(entry.sizeBytes)) sure.add(path)
    }
    return sure
  }

  const newSizes = (): ReadonlySet<number> => new Set(fresh.values())

  return {
    countMissing,
    surelyMissing,
    gatherPaths,
    openReferences,
    look,
    missing: missing as ReadonlySet<MediaPath>,
    newSizes,
    leaveUndone: (path: MediaPath, fromMs: number) => void undone.set(path, fromMs),
    /** The step came to its end. */
    markDone(path: MediaPath) {
      undone.delete(path)
      fresh.delete(path)
    },
    /** Its file went while the step was under way: the pass that heard of it found no entry yet to be missing, nor a problem. */
    lookAgainIfGone(path: MediaPath) {
      if (!folder.get(path)) undone.set(path, 0)
    },
    /** The step brought a file that may have been due when it came: if so, it is looked at again. */
    async markBrought(path: MediaPath) {
      const entry = await manifest.findEntry(path)
      if (entry && isDue(entry, clock.nowMs())) undone.set(path, clock.nowMs())
    },
  }
}

/** What is added to the paths meanwhile, or taken away, is told of by itself. */
async function addInTurns(paths: Iterable<MediaPath>, to: Set<MediaPath>): Promise<void> {
  let count = 0
  for (const path of paths) {
    to.add(path)
    if (++count % PATHS_PER_TURN === 0) await setImmediate()
  }
}
