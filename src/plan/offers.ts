// Answers for what another host's word about a path means here: nothing, a newer id for the same bytes, other bytes in place of ours,
// or two changes of which neither knew the other. Pure. Several hosts that decide by it come to the same folder, in whatever order
// they hear of each other: versions (media/version.ts) only grow, and of two changes side by side all hosts choose the same.
import { isAlive } from '../media/lifetime.ts'
import {
  baseName,
  type Fingerprint,
  type ManifestEntry,
  type MediaPath,
  stampOfNoFile,
} from '../media/media.ts'
import { advance, join, relate, type Version } from '../media/version.ts'
import type { Sight } from './plan.ts'
import type { Step } from './step.ts'

/** What other hosts say of a path. */
export interface Offered {
  /** Their entries, without those whose id was found to be dead. */
  readonly offers: readonly ManifestEntry[]
  /** Contents of the path that stand beside it under the name of a conflict, or did until a person did away with them. */
  readonly copies: ReadonlySet<Fingerprint>
}

export interface OfferPolicy {
  readonly renewReferences: boolean
  readonly isIgnored: (path: MediaPath) => boolean
  /** What this host is called in versions. */
  readonly host: string
}

/** The one step that an offer for this path calls for; undefined when all is well, or is to be looked at first. */
export function planOffer(sight: Sight, policy: OfferPolicy, nowMs: number): Step | undefined {
  const { path, file, isUnsettled, entry, offered } = sight
  if (!offered || isUnsettled || policy.isIgnored(path)) return undefined
  const living = offered.offers.filter((offer) => isAlive(offer, nowMs))
  if (living.length === 0) return undefined
  if (!entry) return file ? undefined : planNewcomer(sight, living, policy)
  // Bytes that nobody has read yet are not compared with any.
  if (file && file.stamp !== entry.stamp) return undefined
  const adoption = planAdoption(entry, living, policy)
  if (adoption || !file) return adoption
  for (const offer of living) {
    if (offer.fingerprint === entry.fingerprint) continue
    const step = planOtherBytes(entry, offer, offered.copies, policy, nowMs)
    if (step) return step
  }
  return undefined
}

/** Nothing is here: what a person did away with here stays away until it is another content there. */
function planNewcomer(
  { path, problem }: Sight,
  living: readonly ManifestEntry[],
  policy: OfferPolicy,
): Step | undefined {
  const unwanted = problem?.code === 'FORGOTTEN' ? problem.fingerprint : undefined
  const offers = living.filter(({ fingerprint }) => fingerprint !== unwanted)
  if (offers.length === 0) return undefined
  const best = offers.reduce((a, b) => (isBehind(a, b) ? b : a))
  return { kind: 'take', path, entry: standIn(path, best, best.version, 'reference', policy) }
}

/** Whether the first makes way for the second, where nothing of ours is concerned. */
function isBehind(a: ManifestEntry, b: ManifestEntry): boolean {
  if (a.fingerprint === b.fingerprint) return isNewerId(b, a)
  const relation = relate(a.version, b.version)
  if (relation === 'before' || relation === 'after') return relation === 'before'
  return !comesFirst(a, b)
}

/** The same bytes: their id where it is the newer one, and what their version knows. A local step, without a call. */
function planAdoption(
  entry: ManifestEntry,
  living: readonly ManifestEntry[],
  policy: OfferPolicy,
): Step | undefined {
  const same = living.filter(({ fingerprint }) => fingerprint === entry.fingerprint)
  if (same.length === 0) return undefined
  const version = same.reduce<Version | undefined>(
    (known, offer) => join(known, offer.version),
    entry.version,
  )
  const newest = same
    .filter((offer) => offer.kind === entry.kind)
    .reduce<ManifestEntry>((best, offer) => (isNewerId(offer, best) ? offer : best), entry)
  if (newest === entry && version === entry.version) return undefined
  const { path } = entry
  if (newest === entry) return { kind: 'adopt', path, over: entry, entry: { ...entry, version } }
  const { stamp, modifiedAtMs } = entry
  const adopted = standIn(path, newest, version, entry.origin, policy)
  return { kind: 'adopt', path, over: entry, entry: { ...adopted, stamp, modifiedAtMs } }
}

function planOtherBytes(
  entry: ManifestEntry,
  offer: ManifestEntry,
  copies: ReadonlySet<Fingerprint>,
  policy: OfferPolicy,
  nowMs: number,
): Step | undefined {
  const { path, origin } = entry
  const relation = relationOf(entry, offer)
  if (relation === 'after') return undefined
  const known = join(entry.version, offer.version)
  const theirs = (version: Version | undefined): Step => ({
    kind: 'take',
    path,
    entry: standIn(path, offer, version, origin, policy),
    over: entry,
  })
  if (relation === 'before') return theirs(offer.version)
  const isOurs = relation === 'beside' ? comesFirst(entry, offer) : hasFirstBytes(entry, offer)
  const [loser, loserOrigin] = isOurs ? [offer, 'reference' as const] : [entry, origin]
  // First both are kept, then it is settled which one has the path.
  if (!copies.has(loser.fingerprint)) {
    const copy = conflictPath(path, loser.fingerprint)
    const kept = standIn(copy, loser, loser.version, loserOrigin, policy)
    return { kind: 'take', path: copy, entry: kept, beside: path }
  }
  if (!isOurs) return theirs(known)
  // Where versions cannot tell, ours is from now on the newer one.
  const settled = relation === 'beside' ? known : advance(known, policy.host, nowMs)
  return { kind: 'adopt', path, over: entry, entry: { ...entry, version: settled } }
}

/** Of what has no version nothing is known, and different bytes cannot be of one version: that is no reason to give up either. */
function relationOf(a: ManifestEntry, b: ManifestEntry): 'before' | 'after' | 'beside' | 'unknown' {
  if (a.version === undefined || b.version === undefined) return 'unknown'
  const relation = relate(a.version, b.version)
  return relation === 'same' ? 'unknown' : relation
}

/**
 * Who has the path, of two changes that knew nothing of each other: the one that was written last. Where hosts wrote the same bytes at
 * different times they may choose differently, and then have different bytes of one version, which `hasFirstBytes` settles.
 */
const comesFirst = (a: ManifestEntry, b: ManifestEntry): boolean =>
  a.modifiedAtMs === b.modifiedAtMs ? hasFirstBytes(a, b) : a.modifiedAtMs > b.modifiedAtMs

/** No better than chance, and the same on every host at any time. */
const hasFirstBytes = (a: ManifestEntry, b: ManifestEntry): boolean => a.fingerprint > b.fingerprint

/** Never back and forth: ids of one second have an order, too. */
const isNewerId = (a: ManifestEntry, b: ManifestEntry): boolean =>
  a.createdAtMs === b.createdAtMs ? a.mediaId > b.mediaId : a.createdAtMs > b.createdAtMs

/** What is to stand under the path, once its file is there. */
function standIn(
  path: MediaPath,
  offer: ManifestEntry,
  version: Version | undefined,
  origin: ManifestEntry['origin'],
  { renewReferences }: OfferPolicy,
): ManifestEntry {
  const { mediaId, kind, createdAtMs, expiresAtMs, sizeBytes, modifiedAtMs, fingerprint } = offer
  return {
    path,
    mediaId,
    kind,
    createdAtMs,
    expiresAtMs,
    renewAtMs: origin === 'folder' || renewReferences ? stepInAtMs(offer) : undefined,
    sizeBytes,
    modifiedAtMs,
    fingerprint,
    stamp: stampOfNoFile(sizeBytes),
    origin,
    ...(version === undefined ? {} : { version }),
    ...(offer.isHd && { isHd: true }),
  }
}

/**
 * When we renew what another host uploaded: a fifth of what is left of its life later than that host would, so that it renews and we
 * hear of it, and early enough for us where it does not.
 */
export function stepInAtMs({
  createdAtMs,
  expiresAtMs,
  renewAtMs = createdAtMs + Math.floor(((expiresAtMs - createdAtMs) * 2) / 3),
}: ManifestEntry): number {
  return renewAtMs + Math.max(0, Math.floor((expiresAtMs - renewAtMs) / 5))
}

/** Longer names are cut, so that they fit a directory entry. */
const MOST_STEM_BYTES = 200

/** Where a content of the path is kept that had to make way: the same on every host, so that it is the same file there. */
export function conflictPath(path: MediaPath, fingerprint: Fingerprint): MediaPath {
  const name = baseName(path)
  const directory = path.slice(0, path.length - name.length)
  const dot = name.lastIndexOf('.')
  const end = dot > 0 && name.length - dot <= 16 ? dot : name.length
  let stem = name.slice(0, end)
  while (Buffer.byteLength(stem) > MOST_STEM_BYTES) stem = [...stem].slice(0, -1).join('')
  return `${directory}${stem} (conflict ${fingerprint.slice(0, 8)})${name.slice(end)}` as MediaPath
}
