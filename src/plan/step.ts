// Answers for what a pass may decide to do: steps as data, each with the facts that it was decided on.
import {
  type FileFacts,
  type ManifestEntry,
  type MediaId,
  type MediaPath,
  type Reference,
  ROOT,
} from '../media/media.ts'

export type Step =
  /** The folder has bytes that the manifest does not know. */
  | {
      readonly kind: 'upload'
      readonly path: MediaPath
      readonly file: FileFacts
      readonly because: 'new' | 'changed'
    }
  /** The id nears its end, or has passed it: the same bytes get a new one. */
  | {
      readonly kind: 'renew'
      readonly path: MediaPath
      readonly file: FileFacts
      readonly entry: ManifestEntry
      /** Chosen although it is not due, so that what came together does not fall due together. */
      readonly isEarly: boolean
    }
  /** The file is gone while its id lives: fetch it back. */
  | { readonly kind: 'restore'; readonly path: MediaPath; readonly entry: ManifestEntry }
  /** Someone referred to a medium that has not landed yet. */
  | {
      readonly kind: 'land'
      readonly path: MediaPath
      readonly reference: Reference
      /** When its id dies, as far as anybody knows. */
      readonly expiresAtMs: number
    }
  /** Another host has bytes for the path that are newer than ours, or that we have not; or those that had to make way, for their copy. */
  | {
      readonly kind: 'take'
      readonly path: MediaPath
      /** What is to stand there, once its file does. */
      readonly entry: ManifestEntry
      /** What it takes the place of. */
      readonly over?: ManifestEntry
      /** The path that two hosts changed at once, where this is the copy of one change. */
      readonly beside?: MediaPath
    }
  /** Another host has a newer id for the same bytes, or knows more of where they come from: a matter of the manifest alone. */
  | {
      readonly kind: 'adopt'
      readonly path: MediaPath
      readonly over: ManifestEntry
      readonly entry: ManifestEntry
    }
  /** The entry is dropped: its file is gone, or is none of ours any more although it is there. */
  | {
      readonly kind: 'forget'
      readonly path: MediaPath
      readonly because: string
      readonly evenIfThere?: true
    }
  /** Missing and expired: nobody can fetch it any more. */
  | { readonly kind: 'report-lost'; readonly path: MediaPath; readonly entry: ManifestEntry }
  /** The file that had a problem is gone, and the problem with it; or it is back, and the problem was that it could not be reached. */
  | { readonly kind: 'drop-problem'; readonly path: MediaPath; readonly evenIfThere?: true }

/** The name under which a reference without a path waits in the queue: no file can have it. */
export const landingPath = (mediaId: MediaId, path?: MediaPath): MediaPath =>
  path ?? (`\0${mediaId}` as MediaPath)

/** Where it is to land, for people. */
export function renderPlace({ path, into }: Reference): string {
  if (path !== undefined) return `at ${path}`
  return `in ${into === undefined ? 'the inbox' : into === ROOT ? 'the folder' : into}`
}

/** The sentence for people: what would be done, and why. */
export function renderStep(step: Step): string {
  switch (step.kind) {
    case 'upload':
      return `upload ${step.path} (${step.because})`
    case 'renew':
      return `renew ${step.path} (its media_id dies at ${new Date(step.entry.expiresAtMs).toISOString()})`
    case 'restore':
      return `restore ${step.path} (the file is gone, its media_id lives until ${new Date(step.entry.expiresAtMs).toISOString()})`
    case 'land':
      return `land ${step.reference.mediaId}${step.reference.isHd ? ' in high definition' : ''} ${renderPlace(step.reference)}`
    case 'take':
      return renderTaking(step)
    case 'adopt':
      return step.entry.mediaId === step.over.mediaId
        ? `note for ${step.path} what other hosts know of its version`
        : `adopt ${step.entry.mediaId} for ${step.path} (another host uploaded the same bytes later)`
    case 'forget':
      return `forget ${step.path} (${step.because})`
    case 'report-lost':
      return `report ${step.path} as lost (the file is gone and its media_id is dead)`
    case 'drop-problem':
      return `drop the problem of ${step.path} (the file is ${step.evenIfThere ? 'back' : 'gone'})`
  }
}

function renderTaking({ path, over, beside }: Extract<Step, { kind: 'take' }>): string {
  if (beside !== undefined)
    return `take ${path} (${beside} was changed on two hosts at once, and both are kept)`
  return `take ${path} from another host (${over ? 'it was changed there' : 'it is not here'})`
}
