// The desk: what a person or a program may ask of the mirror, and the form of each answer (as JSON prints it).
// The daemon answers from its own parts (local-desk.ts); the command line reaches it through a socket (cli/remote-desk.ts).
import type { ProblemCode } from '../media/media.ts'

export interface Desk {
  status(): Promise<StatusAnswer>
  /** Entries in order of their path; a glob without a slash matches names at any depth. */
  list(glob?: string): Promise<readonly MediaAnswer[]>
  lookUp(path: string): Promise<LookUpAnswer>
  plan(): Promise<readonly StepAnswer[]>
  /** One full pass to its end: everything looked at, due and missing media included. */
  mirror(onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<MirrorAnswer>
  /** Adds a reference and waits until it has landed, or cannot. */
  pull(mediaId: string, path: string | undefined, signal: AbortSignal): Promise<PullAnswer>
  forget(paths: readonly string[], options: ForgetOptions): Promise<readonly ForgetAnswer[]>
}

export interface ForgetOptions {
  readonly deleteFile: boolean
  /** Also everything that stands in the manifest while its file is gone. */
  readonly vanished: boolean
}

export interface MediaAnswer {
  readonly path: string
  readonly type: string
  readonly media_id: string
  readonly alive: boolean
  readonly created_at: string
  readonly expires_at: string
  readonly renew_at: string | null
  readonly size: number
  readonly sha256: string
  readonly origin: string
}

export type LookUpAnswer =
  | {
      readonly kind: 'live'
      readonly media: MediaAnswer /** Until when the id may be used. */
      readonly safe_until: string
    }
  | { readonly kind: 'not-live'; readonly path: string; readonly because: string }
  | { readonly kind: 'unknown'; readonly path: string; readonly because: string }

export interface ProblemAnswer {
  readonly path: string
  readonly code: ProblemCode
  readonly message: string
  readonly since: string
}

export interface ReferenceAnswer {
  readonly media_id: string
  readonly path: string | null
  readonly state: string
  readonly landed_path: string | null
  readonly message: string | null
}

export interface FailureAnswer {
  readonly code: string
  readonly message: string
  readonly hint: string | null
  readonly remedy: string
  readonly errcode: number | null
}

export interface StatusAnswer {
  readonly corp_id: string
  readonly folder: string
  readonly state: string
  readonly daemon: {
    readonly running: boolean
    readonly pid: number | null
    readonly started_at: string | null
  }
  readonly media: {
    readonly total: number
    readonly alive: number
    readonly due: number
    readonly expired: number
    /** Null when nobody looks: only a running daemon knows. */
    readonly missing: number | null
  }
  readonly problems: readonly ProblemAnswer[]
  /** Files that are there and not mirrored, at a person's word, until they change. */
  readonly forgotten: number
  readonly references: { readonly accepted: number; readonly landed: number; readonly lost: number }
  readonly next_renewals: readonly { readonly path: string; readonly renew_at: string }[]
  readonly queue: { readonly waiting: number; readonly in_flight: readonly string[] }
  readonly circuit: {
    readonly state: 'closed' | 'open' | 'half-open' | 'unknown'
    readonly since: string | null
    readonly next_probe_at: string | null
    readonly because: FailureAnswer | null
    /** The address that WeCom saw the calls come from, where its answer told it. */
    readonly from_ip: string | null
  }
  /** Why nothing is done about the folder at the moment, or null when all is well, or when no daemon runs that would know. */
  readonly doubt: { readonly because: string; readonly hint: string } | null
  readonly clock_skew_ms: number
  readonly not_available_yet: readonly string[]
}

export interface StepAnswer {
  readonly step: string
  readonly path: string | null
  readonly media_id: string | null
  readonly because: string
}

export interface Progress {
  readonly done: number
  readonly total: number
  readonly failed: number
  readonly doneBytes: number
  readonly current: readonly string[]
}

export interface MirrorAnswer {
  readonly uploaded: number
  readonly renewed: number
  readonly shared: number
  readonly renamed: number
  readonly restored: number
  readonly landed: number
  readonly forgotten: number
  /** What was left undone, and why. */
  readonly failed: readonly { readonly path: string; readonly message: string }[]
  /** Files without a live media_id that their owner must see to. */
  readonly problems: number
  /** What stopped the pass before its end, if anything did. */
  readonly stopped_by: FailureAnswer | null
}

export type PullAnswer =
  | { readonly kind: 'landed'; readonly reference: ReferenceAnswer }
  | { readonly kind: 'lost'; readonly reference: ReferenceAnswer }
  /** Durable, and fetched as soon as it can be. */
  | {
      readonly kind: 'accepted'
      readonly reference: ReferenceAnswer
      readonly because: FailureAnswer
    }
  | { readonly kind: 'refused'; readonly because: string }

export interface ForgetAnswer {
  readonly path: string
  readonly forgotten: boolean
  readonly file_deleted: boolean
  /** The file was to be deleted and is there still; `because` says why. */
  readonly delete_failed: boolean
  readonly because: string
}
