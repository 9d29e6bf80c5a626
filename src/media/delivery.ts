// Answers for what programs can be told of a medium, and for one such telling to one hook. Not for what counts as which
// (hooks/happenings.ts), nor for the form in which it is told (hooks/hook-body.ts).
import type { ManifestEntry, MediaId, MediaPath } from './media.ts'

/** It is in the folder now; its path has an id now; has another; cannot be had any more. */
export const HAPPENINGS = ['landed', 'first-id', 'changed-id', 'lost'] as const

export type Happening = (typeof HAPPENINGS)[number]

/** One thing that happened, owed to one hook: durable together with what it tells of, and until it has been told. */
export interface Delivery {
  /** Sorts in the order in which things happened; the same each time that it is told. */
  readonly id: string
  /** The name of the hook. */
  readonly hook: string
  readonly happening: Happening
  readonly atMs: number
  /** None for a reference that was lost before anybody knew where it belonged. */
  readonly path?: MediaPath
  /** The id that the path has; of what is lost, the dead one. */
  readonly mediaId: MediaId
  /** The id that it took the place of. */
  readonly oldMediaId?: MediaId
  /** What the file was called when it was renamed, and keeps its id. */
  readonly oldPath?: MediaPath
  /** Of what landed, or was lost on its way: the id that was referred to, and by whom. */
  readonly referenceId?: MediaId
  readonly from?: string
  /** Why it is lost. */
  readonly because?: string
  /** None where nothing was ever fetched. */
  readonly medium?: DeliveredMedium
}

export type DeliveredMedium = Pick<
  ManifestEntry,
  'kind' | 'createdAtMs' | 'expiresAtMs' | 'sizeBytes' | 'fingerprint' | 'origin'
>

/** Printable, and no longer than any that was ever made. */
export function parseDeliveryId(text: string): string | undefined {
  return /^[0-9a-z-]{1,64}$/.test(text) ? text : undefined
}
