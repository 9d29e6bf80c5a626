// Answers for telling: what happened in the program, as data. Log, local interface and tests subscribe; nobody answers back.
import type { MirrorError } from '../errors.ts'
import type { Delivery } from '../media/delivery.ts'
import type { ManifestEntry, MediaId, MediaPath, Problem, Reference } from '../media/media.ts'
import type { Capacity } from '../plan/capacity.ts'

export type MirrorEvent =
  | { readonly kind: 'started'; readonly folder: string; readonly state: string }
  | { readonly kind: 'ready'; readonly entries: number; readonly tookMs: number }
  | { readonly kind: 'stopping'; readonly because: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'not-available-yet'; readonly key: string }
  | {
      readonly kind: 'scanned'
      readonly files: number
      readonly tookMs: number
      readonly because: string
    }
  | { readonly kind: 'watch-degraded'; readonly because: string; readonly hint: string }
  | { readonly kind: 'watch-restored' }
  | { readonly kind: 'folder-doubted'; readonly because: string; readonly hint: string }
  | { readonly kind: 'folder-believed' }
  | {
      readonly kind: 'pass-planned'
      readonly because: string
      readonly steps: number
      readonly tookMs: number
    }
  | {
      readonly kind: 'uploaded'
      readonly entry: ManifestEntry
      readonly because: 'new' | 'changed'
      /** Why it went as `file` and not as the kind it is, where that is so. */
      readonly downgradedBecause: string | undefined
      readonly tookMs: number
    }
  | { readonly kind: 'renewed'; readonly entry: ManifestEntry; readonly tookMs: number }
  | { readonly kind: 'shared'; readonly entry: ManifestEntry; readonly with: MediaPath }
  | { readonly kind: 'renamed'; readonly entry: ManifestEntry; readonly from: MediaPath }
  | { readonly kind: 'unchanged'; readonly path: MediaPath }
  /** Another host uploaded the same bytes later: its id is this entry's, too. */
  | { readonly kind: 'adopted'; readonly entry: ManifestEntry }
  | { readonly kind: 'restored'; readonly entry: ManifestEntry; readonly tookMs: number }
  /** Durable, and to be fetched. */
  | { readonly kind: 'reference-accepted'; readonly reference: Reference }
  /** Messages that people send to the app are taken in from now on. */
  | { readonly kind: 'callback-listening'; readonly address: string }
  | {
      readonly kind: 'callback-refused'
      readonly because: string
      readonly hint: string
      /** Since it was last told, this one included. */
      readonly count: number
    }
  | { readonly kind: 'landed'; readonly entry: ManifestEntry; readonly tookMs: number }
  | { readonly kind: 'forgotten'; readonly path: MediaPath; readonly because: string }
  | {
      readonly kind: 'lost'
      readonly path: MediaPath
      readonly mediaId: MediaId
      readonly message: string
    }
  /** WeCom does not know an id that entries held as alive; told once per id, when none of them does any more. */
  | {
      readonly kind: 'id-died'
      readonly mediaId: MediaId
      /** One of the paths that held it. */
      readonly path: MediaPath
      readonly pathCount: number
      /** Until when it should have lived. */
      readonly expectedUntilMs: number
      /** Whether a pass gives it a successor; a landed reference that is not kept alive gets none. */
      readonly isRenewed: boolean
    }
  | {
      readonly kind: 'audited'
      readonly checked: number
      readonly alive: number
      readonly dead: number
      /** Refused for a reason that says nothing about life. */
      readonly unclear: number
      readonly tookMs: number
      /** Why it ended before its sample did. */
      readonly endedBecause: string | undefined
      readonly hint: string | undefined
    }
  /** What keeping everything alive takes of the allowed rate: at start, and when that has changed enough to be worth a word. */
  | { readonly kind: 'capacity-measured'; readonly capacity: Capacity }
  /** Media with less than a quarter of their life left, or none, that could not be renewed: once a day, all in one. */
  | {
      readonly kind: 'renewals-late'
      readonly count: number
      /** There are more than were counted. */
      readonly isMore: boolean
      /** Dead already. */
      readonly expired: number
      /** Of those that live. */
      readonly nextDeathAtMs: number | undefined
      /** Some of them, the next to die first. */
      readonly paths: readonly MediaPath[]
      /** What stands in the way of most of them. */
      readonly because: string
      readonly hint: string | undefined
    }
  | { readonly kind: 'renewals-in-time'; readonly lateForMs: number }
  | { readonly kind: 'problem-found'; readonly problem: Problem; readonly hint: string | undefined }
  | { readonly kind: 'problem-solved'; readonly path: MediaPath }
  | {
      readonly kind: 'step-postponed'
      readonly path: MediaPath
      readonly error: MirrorError
      /** False when the same path was told before and has not come through since, or the whole of WeCom was. */
      readonly isNews: boolean
    }
  | { readonly kind: 'circuit-opened'; readonly error: MirrorError; readonly nextProbeAtMs: number }
  | { readonly kind: 'circuit-closed'; readonly openedForMs: number }
  /** WeCom said that too many calls came at once: fewer transfers go side by side from now on, and slowly more again. */
  | {
      readonly kind: 'concurrency-lowered'
      readonly direction: 'uploads' | 'downloads'
      readonly from: number
      readonly to: number
    }
  /** A hook was told, and takes it as its own from now on. */
  | {
      readonly kind: 'hook-told'
      readonly hook: string
      readonly delivery: Delivery
      readonly attempt: number
    }
  | {
      readonly kind: 'hook-failed'
      readonly hook: string
      /** What it does, without any secret. */
      readonly target: string
      readonly because: string
      readonly hint: string | undefined
      readonly waiting: number
      /** False for what the next attempt may cure, and for what has been told. */
      readonly isNews: boolean
    }
  | {
      readonly kind: 'hook-recovered'
      readonly hook: string
      readonly forMs: number
      readonly waiting: number
    }
  /** These deliveries are not tried any more. */
  | {
      readonly kind: 'hook-gave-up'
      readonly hook: string
      readonly count: number
      readonly because: string
      readonly isNews: boolean
    }
  | { readonly kind: 'token-refreshed' }
  | { readonly kind: 'clock-skew'; readonly skewMs: number }
  | { readonly kind: 'tick-missed'; readonly schedule: string }
  | {
      readonly kind: 'document-written'
      readonly entries: number
      readonly bytes: number
      readonly tookMs: number
      /** How long it could not be written before. */
      readonly failedForMs: number | undefined
    }
  /** Said once per trouble; `document-written` says that it is over. The journal goes on meanwhile. */
  | { readonly kind: 'document-failed'; readonly message: string; readonly hint: string }
  /** Downloads wait for room on the disk: told once, until there is. */
  | { readonly kind: 'disk-short'; readonly because: string; readonly hint: string }
  | { readonly kind: 'disk-roomy' }
  /** Said once, however often it is tried until `disk-recovered`. */
  | { readonly kind: 'disk-failed'; readonly of: Scarcity; readonly error: MirrorError }
  | { readonly kind: 'disk-recovered'; readonly of: Scarcity; readonly failedForMs: number }
  /** The log itself; `log-recovered` says how much of it is missing. */
  | { readonly kind: 'log-failed'; readonly message: string; readonly hint: string }
  | { readonly kind: 'log-recovered'; readonly lines: number }
  | { readonly kind: 'state-recovered'; readonly message: string; readonly hint: string }
  | {
      readonly kind: 'reference-file-read'
      readonly file: string
      readonly what: 'list' | 'manifest'
      readonly count: number
    }
  /** Told once for each thing that is wrong with it. */
  | { readonly kind: 'reference-file-refused'; readonly file: string; readonly because: string }
  | { readonly kind: 'reference-file-mended'; readonly file: string }
  | { readonly kind: 'config-reloaded' }
  | { readonly kind: 'config-refused'; readonly message: string }
  /** Something at the set-up that works, and should be otherwise. */
  | { readonly kind: 'warned'; readonly message: string; readonly hint: string | undefined }
  | { readonly kind: 'narrated'; readonly message: string }

/** What a machine may run out of: room in the state directory, room in the folder, files to open. */
export type Scarcity = 'state' | 'folder' | 'handles'

export type Emit = (event: MirrorEvent) => void

export interface Events {
  readonly emit: Emit
  /** Returns the way to stop listening. */
  subscribe(listener: (event: MirrorEvent) => void): () => void
}

export function createEvents(): Events {
  const listeners = new Set<(event: MirrorEvent) => void>()
  return {
    emit(event) {
      for (const listener of [...listeners]) listener(event)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
