// The port to the durable map path -> media_id. Answers for what is promised of any store, not for how one keeps it.
import type { Delivery } from '../media/delivery.ts'
import type {
  Fingerprint,
  ManifestEntry,
  MediaId,
  MediaPath,
  Problem,
  Reference,
} from '../media/media.ts'

/** One durable alteration; a list of them is committed whole or not at all. */
export type Change =
  | { readonly kind: 'put-entry'; readonly entry: ManifestEntry }
  | { readonly kind: 'drop-entry'; readonly path: MediaPath }
  /** Its id was seen to live at that moment. Counts only if the entry that stands there in its turn still has that id. */
  | {
      readonly kind: 'mark-checked'
      readonly path: MediaPath
      readonly mediaId: MediaId
      readonly atMs: number
    }
  /** Its id is dead from that moment on, and due if it is ever renewed. The same condition, and the entry was to live longer. */
  | {
      readonly kind: 'end-life'
      readonly path: MediaPath
      readonly mediaId: MediaId
      readonly atMs: number
    }
  | { readonly kind: 'put-problem'; readonly problem: Problem }
  | { readonly kind: 'drop-problem'; readonly path: MediaPath }
  | { readonly kind: 'put-reference'; readonly reference: Reference }
  | { readonly kind: 'drop-reference'; readonly mediaId: MediaId }
  /** The folder's root marker has been placed: from now on its absence means "not believed". */
  | { readonly kind: 'mark-folder'; readonly folder: string }
  /**
   * What hooks are owed for the changes that follow it in its commit. Asked for in its turn with what stands there before them, so
   * that no commit in between is overlooked; more than once where the turn did not come at once, so the asking alters nothing.
   */
  | {
      readonly kind: 'put-deliveries'
      readonly deliveries: (standing: Standing) => readonly Delivery[]
    }
  | { readonly kind: 'drop-delivery'; readonly id: string }

/** The entry under a path, at the moment when the turn of a commit has come. */
export type Standing = (path: MediaPath) => ManifestEntry | undefined

/** After the one moment, where it is given, and not after the other. */
export interface MomentRange {
  readonly afterMs?: number
  readonly untilMs: number
}

/** Media that are kept alive and whose ids die within the same short time. */
export interface WorkloadSlice {
  /** None of them lives at this moment. */
  readonly untilMs: number
  readonly count: number
  readonly sizeBytes: number
}

/** What stands in the manifest under one path. */
export interface Rows {
  readonly entry: ManifestEntry | undefined
  readonly problem: Problem | undefined
}

/** The half of the port that only looks; the command line has it without the lock. */
export interface ManifestReader {
  /** The folder whose marker was placed, if one ever was. */
  markedFolder(): Promise<string | undefined>
  findEntry(path: MediaPath): Promise<ManifestEntry | undefined>
  findProblem(path: MediaPath): Promise<Problem | undefined>
  /** What stands under each of these paths, in their order and in one question. */
  findRows(paths: readonly MediaPath[]): Promise<readonly Rows[]>
  findReference(mediaId: MediaId): Promise<Reference | undefined>
  /** Entries with these bytes, for sharing one upload and for recognising a rename. */
  findByFingerprint(fingerprint: Fingerprint): Promise<readonly ManifestEntry[]>
  /** Entries by their `renewAtMs`, earliest first, at most `limit`; out of an index, whatever the manifest's size. */
  findDue(range: MomentRange, limit: number): Promise<readonly ManifestEntry[]>
  /** The same entries, those that are kept alive, by their `expiresAtMs`. */
  findDying(range: MomentRange, limit: number): Promise<readonly ManifestEntry[]>
  /** When the next entry becomes due, or undefined when there is none. */
  nextDueAtMs(): Promise<number | undefined>
  /**
   * How much of what is kept alive dies when, earliest first; at the cost of the slices, whatever the manifest's size. To be read
   * at once: the slices may be the manifest's own, and change with it.
   */
  workload(): Promise<readonly WorkloadSlice[]>
  /** Every entry, in order of its path; yields to the event loop now and then. */
  entries(): AsyncIterable<ManifestEntry>
  problems(): AsyncIterable<Problem>
  references(): AsyncIterable<Reference>
  findDelivery(id: string): Promise<Delivery | undefined>
  /** What hooks are still owed, in order of the ids. */
  deliveries(): AsyncIterable<Delivery>
  count(): Promise<{ entries: number; problems: number; references: number }>
}

export interface Manifest extends ManifestReader {
  /**
   * Makes the changes durable, then visible to the `find` methods: resolves after both, rejects having done neither.
   * Times are kept in whole milliseconds.
   * Concurrent commits share one flush and take effect in the order of their calls.
   */
  commit(changes: readonly Change[]): Promise<void>
  /** Resolves when changes could be made durable at this moment, a good many of them; rejects as `commit` would. */
  probe(): Promise<void>
  /** Brings the document up to date and gives everything back: files, timers, lock. Safe to call twice. */
  close(): Promise<void>
}
