// Answers for what the changes of one commit mean to those who follow the media: pure. Whoever commits need not know of hooks.

import type { Change, Standing } from '../manifest/manifest.ts'
import type { DeliveredMedium, Delivery } from '../media/delivery.ts'
import type { ManifestEntry, Reference } from '../media/media.ts'

/** A delivery before it is known to whom and when. */
export type Occurrence = Omit<Delivery, 'id' | 'hook' | 'atMs'>

/** Whether it is worth asking: most commits are. */
export const mayTell = (changes: readonly Change[]): boolean =>
  changes.some(({ kind }) => ['put-entry', 'put-reference', 'put-problem'].includes(kind))

/** In the order of the changes; `standing` is what stands there before them. */
export const findOccurrences = (
  changes: readonly Change[],
  standing: Standing,
): readonly Occurrence[] =>
  changes.flatMap((change) => {
    if (change.kind === 'put-entry') return idOf(change.entry, changes, standing) ?? []
    if (change.kind === 'put-reference') return fateOf(change.reference, changes, standing) ?? []
    if (change.kind !== 'put-problem' || change.problem.code !== 'MEDIA_LOST') return []
    const { path, message } = change.problem
    const entry = isDropped(path, changes) ? standing(path) : undefined
    return entry ? lossOf(entry, message) : []
  })

function idOf(
  entry: ManifestEntry,
  changes: readonly Change[],
  standing: Standing,
): Occurrence | undefined {
  const { path, mediaId } = entry
  const before = standing(path)
  if (before?.mediaId === mediaId) return undefined
  const told = { path, mediaId, medium: describe(entry) }
  if (before) return { ...told, happening: 'changed-id', oldMediaId: before.mediaId }
  const oldPath = renamedFrom(entry, changes, standing)
  if (oldPath !== undefined) return { ...told, happening: 'first-id', oldPath }
  // The entry of what is landing comes before its file: it is told of when the reference has landed.
  return entry.origin === 'folder' ? { ...told, happening: 'first-id' } : undefined
}

function fateOf(
  reference: Reference,
  changes: readonly Change[],
  standing: Standing,
): Occurrence | undefined {
  const { mediaId, state, path, landedPath, message, from } = reference
  // Whoever did that knows.
  if (reference.dismissedAtMs !== undefined) return undefined
  const told = { referenceId: mediaId, ...(from === undefined ? {} : { from }) }
  if (state === 'lost')
    return {
      ...told,
      happening: 'lost',
      mediaId,
      ...(path === undefined ? {} : { path }),
      ...(message === undefined ? {} : { because: message }),
    }
  if (state !== 'landed' || landedPath === undefined) return undefined
  const entry =
    changes.flatMap((change) =>
      change.kind === 'put-entry' && change.entry.path === landedPath ? [change.entry] : [],
    )[0] ?? standing(landedPath)
  return {
    ...told,
    happening: 'landed',
    path: landedPath,
    // The path may have had an id of its own for these bytes.
    mediaId: entry?.mediaId ?? mediaId,
    ...(entry && { medium: describe(entry) }),
  }
}

const lossOf = (entry: ManifestEntry, because: string): Occurrence => ({
  happening: 'lost',
  path: entry.path,
  mediaId: entry.mediaId,
  because,
  medium: describe(entry),
})

const isDropped = (path: ManifestEntry['path'], changes: readonly Change[]): boolean =>
  changes.some((change) => change.kind === 'drop-entry' && change.path === path)

/** The path whose entry makes way in the same commit, and had this id. */
const renamedFrom = ({ mediaId }: ManifestEntry, changes: readonly Change[], standing: Standing) =>
  changes.flatMap((change) =>
    change.kind === 'drop-entry' && standing(change.path)?.mediaId === mediaId ? [change.path] : [],
  )[0]

const describe = (entry: ManifestEntry): DeliveredMedium => ({
  kind: entry.kind,
  createdAtMs: entry.createdAtMs,
  expiresAtMs: entry.expiresAtMs,
  sizeBytes: entry.sizeBytes,
  fingerprint: entry.fingerprint,
  origin: entry.origin,
})
