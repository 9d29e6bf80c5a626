// Answers for how long a reference is remembered once it has landed, or a person has dismissed it: a day longer than its id can live,
// and for as long as a reference file lists it, so that it does not come again out of that. A message comes again from nobody: WeCom
// repeats it within seconds, and one that somebody kept is refused an hour after it was signed. What was lost stays thirty days, for
// somebody to read. What waits to land is never dropped.
import { isUnwritable } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { MediaId, Reference } from '../media/media.ts'
import type { Turns } from '../support/turns.ts'
import type { ReferenceFiles } from './reference-files.ts'

export const DAY_MS = 24 * 60 * 60_000

/** Also for what may stand in a file that has not been read since the start: it may never be there again. */
export const LONG_MS = 30 * DAY_MS

/** So many references are dropped side by side, and share a flush of the disk. */
const CHUNK_REFERENCES = 1000

interface Moment {
  readonly nowMs: number
  readonly lifetimeMs: number
}

export async function forgetOldReferences(
  deps: {
    readonly manifest: Pick<Manifest, 'references' | 'findReference' | 'commit'>
    /** Of whoever decides about a reference: one that is wanted anew at this moment must not be dropped. */
    readonly referenceTurns: Turns<MediaId>
    readonly referenceFiles: Pick<ReferenceFiles, 'lists' | 'areRead'>
  },
  moment: Moment,
): Promise<void> {
  const { manifest, referenceFiles, referenceTurns } = deps
  const isOld = (reference: Reference) => isOutlived(reference, referenceFiles, moment)

  const drop = (mediaId: MediaId) =>
    referenceTurns.take(mediaId, async () => {
      const standing = await manifest.findReference(mediaId)
      if (standing && isOld(standing)) await manifest.commit([{ kind: 'drop-reference', mediaId }])
    })
  const dropAll = async (mediaIds: readonly MediaId[]) => {
    await Promise.all(mediaIds.map((mediaId) => drop(mediaId).catch(leaveForNextTime)))
  }

  let old: MediaId[] = []
  for await (const reference of manifest.references()) {
    if (!isOld(reference)) continue
    old.push(reference.mediaId)
    if (old.length < CHUNK_REFERENCES) continue
    await dropAll(old)
    old = []
  }
  await dropAll(old)
}

function isOutlived(
  { mediaId, messageId, state, acceptedAtMs, dismissedAtMs }: Reference,
  files: Pick<ReferenceFiles, 'lists' | 'areRead'>,
  { nowMs, lifetimeMs }: Moment,
): boolean {
  if (state === 'accepted' || files.lists(mediaId)) return false
  const isToBeRead = state === 'lost' && dismissedAtMs === undefined
  const mayBeListed = messageId === undefined && !files.areRead()
  const keptMs = isToBeRead || mayBeListed ? LONG_MS : DAY_MS
  return acceptedAtMs + lifetimeMs + keptMs < nowMs
}

/** A full disk is told of by those whose outcomes it concerns. */
export function leaveForNextTime(error: unknown): void {
  if (!isUnwritable(error)) throw error
}
