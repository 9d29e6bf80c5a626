// Answers for how long a message is remembered once its medium has landed: a day longer than the medium's id lives. WeCom repeats a
// message within seconds, and one that somebody kept is refused an hour after it was signed; so what is dropped here comes again
// from nobody, and what people send in a week is all that is remembered. What was lost stays, for somebody to read.
import { isUnwritable } from '../errors.ts'
import type { Change, Manifest } from '../manifest/manifest.ts'
import type { Reference } from '../media/media.ts'

const LONGER_THAN_LIFE_MS = 24 * 60 * 60_000

/** So many references are dropped in one commit. */
const CHUNK_REFERENCES = 1000

export async function forgetOldMessages(
  manifest: Pick<Manifest, 'references' | 'commit'>,
  { nowMs, lifetimeMs }: { nowMs: number; lifetimeMs: number },
): Promise<void> {
  let old: Change[] = []
  const drop = async () => {
    const changes = old
    old = []
    if (changes.length > 0) await manifest.commit(changes).catch(leaveForNextTime)
  }
  const isOld = ({ messageId, state, acceptedAtMs }: Reference) =>
    messageId !== undefined &&
    state === 'landed' &&
    acceptedAtMs + lifetimeMs + LONGER_THAN_LIFE_MS < nowMs
  for await (const reference of manifest.references()) {
    if (!isOld(reference)) continue
    old.push({ kind: 'drop-reference', mediaId: reference.mediaId })
    if (old.length === CHUNK_REFERENCES) await drop()
  }
  await drop()
}

/** A full disk is told of by those whose outcomes it concerns. */
function leaveForNextTime(error: unknown): void {
  if (!isUnwritable(error)) throw error
}
