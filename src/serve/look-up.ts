// Answers for what is said when somebody asks for the id of a path: the id and what it is worth, or why there is none and when
// there is one again. The one judgement of P2: an id that may be dead is never handed out as live. Pure.
import { isAlive, safeUntilMs } from '../media/lifetime.ts'
import type { ManifestEntry, MediaPath } from '../media/media.ts'
import { iso, liveMedia } from './answers.ts'
import type { LookUpAnswer, NoLiveId } from './desk.ts'
import { type Circumstances, foreseeReturn, type Known } from './prospect.ts'

export function lookUpAnswer(
  path: MediaPath,
  known: Known,
  circumstances: Circumstances | undefined,
  nowMs: number,
): LookUpAnswer {
  const { entry, problem } = known
  if (entry && isAlive(entry, nowMs))
    return { kind: 'live', media: liveMedia(entry, nowMs), safe_until: iso(safeUntilMs(entry)) }
  if (!entry && !problem && !isInFolder(circumstances)) return unknown(path, circumstances)
  const { because, hint, expected, backAtMs } = foreseeReturn(known, circumstances, nowMs)
  // A problem names its path and tells the whole.
  const state = because === problem?.message ? '' : describeState(entry, nowMs)
  return {
    kind: 'not-live',
    path,
    because: `${state}${because}`,
    hint: hint ?? null,
    expected_back_at: backAtMs === undefined ? null : iso(backAtMs),
    expected_back: expected,
  }
}

/** No path inside the folder, whatever the folder holds. */
export const outsideAnswer = (text: string): NoLiveId => ({
  kind: 'unknown',
  path: text,
  because: 'it is no path inside the folder',
  hint: null,
  expected_back_at: null,
  expected_back: 'never',
})

const isInFolder = (circumstances: Circumstances | undefined): boolean =>
  circumstances?.file === 'there' || circumstances?.file === 'unsettled'

function unknown(path: MediaPath, circumstances: Circumstances | undefined): NoLiveId {
  const answer = (because: string, expected: string): NoLiveId => ({
    kind: 'unknown',
    path,
    because,
    hint: null,
    expected_back_at: null,
    expected_back: expected,
  })
  if (circumstances === undefined)
    return answer(
      'the manifest does not know it, and no daemon is running that would look for the file',
      'not before a daemon runs',
    )
  if (circumstances.file === 'unseen')
    return answer(
      'the manifest does not know it, and the folder is looked at for the first time since the start',
      'soon, if the file is there',
    )
  return answer(
    'there is no such file in the folder, nor in the manifest',
    'never, unless somebody puts the file there',
  )
}

function describeState(entry: ManifestEntry | undefined, nowMs: number): string {
  if (!entry) return 'it has not been uploaded yet: '
  if (entry.renewAtMs === undefined) return ''
  return entry.expiresAtMs <= nowMs
    ? `its media_id expired at ${iso(entry.expiresAtMs)}: `
    : `nothing is known of the life of its media_id, which was made at ${iso(entry.createdAtMs)}, a moment that is yet to come: `
}
