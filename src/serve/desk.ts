// The desk: what a person or a program may ask of the mirror, and the form of each answer (as JSON prints it).
// The daemon answers from its own parts (local-desk.ts); the command line reaches it through a socket (cli/remote-desk.ts).
// Types and nothing else: one contract, in one place, which is why it is long.
import type { ProblemCode } from '../media/media.ts'

export interface Desk {
  status(): Promise<StatusAnswer>
  /** Entries in order of their path; a glob without a slash matches names at any depth. */
  list(glob?: string): Promise<readonly MediaAnswer[]>
  /** What has not landed yet first, the next to die before the others; then what was lost, then what has landed. */
  references(): Promise<readonly ListedReference[]>
  lookUp(path: string): Promise<LookUpAnswer>
  plan(): Promise<readonly StepAnswer[]>
  /** One full pass to its end: everything looked at, due and missing media included. */
  mirror(
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
    options?: MirrorOptions,
  ): Promise<MirrorAnswer>
  /** Adds references and waits until each has landed, or cannot; each is answered once, as soon as it is decided. */
  pull(wish: PullWish, tell: (told: PullTold) => void, signal: AbortSignal): Promise<void>
  forget(paths: readonly string[], options: ForgetOptions): Promise<readonly ForgetAnswer[]>
}

export interface MirrorOptions {
  /** Everything that stands in the manifest while its file is gone is fetched back, whatever `folder.onDelete` says. */
  readonly restoreVanished: boolean
}

/** So many ids are pulled at once at most: as many as fit into one request, however long they are. */
export const MOST_PULLED = 2000

export interface PullWish {
  /** One that is named twice is one. */
  readonly mediaIds: readonly string[]
  /** A path, where there is one id, or a directory: one that is there, or a name that ends with a slash. */
  readonly to?: string | undefined
  /** Voices in high definition. */
  readonly isHd: boolean
}

export type PullTold =
  /** Its reference is durable: whatever becomes of the caller, it is fetched. */
  | { readonly accepted: ReferenceAnswer }
  | { readonly progress: Progress }
  | { readonly answer: PullAnswer }

export interface ForgetOptions {
  readonly deleteFile: boolean
  /** Also everything that stands in the manifest while its file is gone. */
  readonly vanished: boolean
}

export type MediaAnswer = LiveMedia | DeadMedia

export interface LiveMedia extends EntryAnswer {
  readonly alive: true
  readonly media_id: string
  /**
   * Up to this moment, on WeCom's clock, the id works unless WeCom breaks its own word. It is five seconds before its `expires_at`; the path has
   * another id well before, and this one works all the same.
   */
  readonly safe_until: string
  /** How long that is from the moment of the answer, whatever the clock of the one who asks says. */
  readonly safe_for_ms: number
}

/** An id that may be dead is not handed out. The manifest's document has it all the same. */
export interface DeadMedia extends EntryAnswer {
  readonly alive: false
  readonly media_id: null
  readonly safe_until: null
  readonly safe_for_ms: 0
}

interface EntryAnswer {
  readonly path: string
  readonly type: string
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
      readonly media: LiveMedia
      /** As in `media`: until when the id may be used. */
      readonly safe_until: string
    }
  | NoLiveId

export interface NoLiveId {
  /** `unknown`: neither the manifest nor, where a daemon looks, the folder has such a path. */
  readonly kind: 'not-live' | 'unknown'
  readonly path: string
  readonly because: string
  readonly hint: string | null
  /** By then, if nothing else goes wrong; null when nothing is done about it before a person acts. */
  readonly expected_back_at: string | null
  /** The same in words, such as `within about 3 min` or `not before the file changes`. */
  readonly expected_back: string
}

export interface ProblemAnswer {
  readonly path: string
  /** `RENEWAL_LATE` is found at the time of asking, and stands in no manifest: see `late`. */
  readonly code: ProblemCode | 'RENEWAL_LATE'
  readonly message: string
  readonly since: string
}

export interface ReferenceAnswer {
  readonly media_id: string
  readonly path: string | null
  /** The directory that it goes to under its own name; `.` is the folder itself. */
  readonly into: string | null
  /** It is a voice in high definition: speex, 16 kHz. */
  readonly hd: boolean
  readonly state: string
  readonly landed_path: string | null
  readonly message: string | null
}

/** A reference with all that is known of it. */
export interface ListedReference extends ReferenceAnswer {
  /** `accepted` waits its turn, `landing` is being fetched; the others are as they will stay. */
  readonly state: 'accepted' | 'landing' | 'landed' | 'lost'
  readonly from: string | null
  readonly accepted_at: string
  readonly created_at: string | null
  /** By then it must have landed; of one whose age nobody told, a lifetime after it was accepted. */
  readonly expires_at: string
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
    /** Of those that are to be kept alive. */
    readonly expired: number
    /** Landed, and dead since, as `references.renew` is off: nothing is wrong with them. */
    readonly unkept: number
    /** Null when nobody looks: only a running daemon knows. */
    readonly missing: number | null
  }
  /** Those of the manifest, and the first of what is late. */
  readonly problems: readonly ProblemAnswer[]
  /** Media with less than a quarter of their life left, or none, that were not renewed. */
  readonly late: {
    readonly count: number
    /** There are more than were counted. */
    readonly is_more: boolean
    readonly expired: number
    /** Of those that live. */
    readonly next_death_at: string | null
  }
  /** Files that are there and not mirrored, at a person's word, until they change. */
  readonly forgotten: number
  readonly references: {
    /** They wait their turn. */
    readonly accepted: number
    readonly landing: number
    readonly landed: number
    readonly lost: number
  }
  /** Those of `references.files`; none when no daemon runs. */
  readonly reference_files: readonly {
    readonly file: string
    /** Null as long as nothing could be read of it. */
    readonly kind: 'list' | 'manifest' | null
    readonly count: number
    readonly read_at: string | null
    /** What is wrong with it; what it said before counts still. */
    readonly problem: string | null
  }[]
  /** What the receiver of messages has seen since it was started; null where there is none, or no daemon. */
  readonly callback: {
    /** How often WeCom checked the address. */
    readonly verified: number
    readonly accepted: number
    /** The same medium told again, as WeCom does when it missed an answer. */
    readonly duplicates: number
    /** Events and messages without a medium, by type. */
    readonly ignored: Readonly<Record<string, number>>
    /** By reason, such as `signature`. */
    readonly refused: Readonly<Record<string, number>>
    readonly last_accepted_at: string | null
  } | null
  readonly next_renewals: readonly { readonly path: string; readonly renew_at: string }[]
  /** Null when no daemon runs. */
  readonly renewals: {
    /** The lowest constant part of the allowed rate that renews everything `renewal.before` its death; above 1 it does not fit. */
    readonly pace: number
    /** The same for the deaths themselves: above 1 something dies. */
    readonly pressure: number
    readonly waiting: number
    /** Of those that wait: dead already, and renewed with what the living leave. */
    readonly waiting_dead: number
  } | null
  readonly capacity: CapacityAnswer
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
  readonly hooks: readonly HookAnswer[]
  /**
   * What this machine does not give at present; none when no daemon runs. `state` and `handles` stop all transfers, `folder` (it cannot
   * be written) and `room` (it would be full) downloads.
   */
  readonly troubles: readonly {
    readonly of: 'state' | 'folder' | 'room' | 'handles' | 'document' | 'log'
    readonly message: string
    readonly hint: string | null
    readonly since: string
  }[]
  readonly clock_skew_ms: number
  readonly not_available_yet: readonly string[]
}

/** How it goes with one hook of the configuration. */
export interface HookAnswer {
  readonly name: string
  /** What it does, without any secret. */
  readonly target: string
  readonly events: readonly string[]
  /** Deliveries that it is still owed. */
  readonly waiting: number
  /** Since the daemon began, as is `given_up`; null when no daemon runs. */
  readonly delivered: number | null
  readonly given_up: number | null
  readonly failing_since: string | null
  readonly last_error: string | null
}

/** What keeping everything alive takes in the long run, against what is allowed. */
export interface CapacityAnswer {
  readonly media: { readonly count: number; readonly bytes: number }
  /** From one upload to the next of the same medium, on average. */
  readonly mean_age_ms: number
  readonly needed: { readonly calls_per_hour: number; readonly bytes_per_second: number | null }
  readonly allowed: { readonly calls_per_hour: number; readonly bytes_per_second: number | null }
  /** What the upload slots have been seen to give of such media; null as long as too little was seen. */
  readonly slots: { readonly calls_per_hour: number | null }
  /** Which of them is reached first. */
  readonly limit: 'quota' | 'bandwidth' | 'slots'
  /** `without-reserve`: nothing dies as long as nothing goes wrong; `too-much`: some are dead at any time. */
  readonly fits: 'yes' | 'without-reserve' | 'too-much'
  /** So many media of the present mean size can be kept alive; null when nothing is known of their size. */
  readonly most_media: number | null
  readonly summary: string
  readonly advice: string | null
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
  /** Of media that are coming: how many they make, in parts, and the bytes of them all, where that is known. */
  readonly underWay?: { readonly parts: number; readonly totalBytes: number | null }
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

export type PullAnswer = { readonly media_id: string } & (
  | { readonly kind: 'landed'; readonly reference: ReferenceAnswer }
  | { readonly kind: 'lost'; readonly reference: ReferenceAnswer }
  /** Durable, and fetched as soon as it can be. */
  | {
      readonly kind: 'accepted'
      readonly reference: ReferenceAnswer
      readonly because: FailureAnswer
    }
  | { readonly kind: 'refused'; readonly because: string }
)

export interface ForgetAnswer {
  /** As it was given: a path, or the media_id of a reference. */
  readonly path: string
  readonly forgotten: boolean
  readonly file_deleted: boolean
  /** The file was to be deleted and is there still; `because` says why. */
  readonly delete_failed: boolean
  readonly because: string
}
