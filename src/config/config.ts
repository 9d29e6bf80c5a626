// The settings as the rest of the program uses them: checked, defaults filled in, paths absolute, units in the names.
import type { Happening } from '../media/delivery.ts'
import type { RenewalPolicy } from '../media/lifetime.ts'
import type { Limits } from '../media/limits.ts'
import type { MediaKind } from '../media/media.ts'

/** Where a secret is, never the secret: it is read once, at start, by `resolveSecret`. */
export type SecretSource =
  | { readonly text: string }
  | { readonly file: string }
  | { readonly env: string }
  | { readonly credential: string }

export interface KindRule {
  readonly match: string
  readonly kind: MediaKind
}

export interface Quota {
  readonly perMinute: number
  readonly perHour: number
  /** The part of both windows that this daemon may use, above 0 and at most 1. */
  readonly share: number
}

/** A program that wants to be told. */
export interface HookConfig {
  /** Given, or made of what it does; no two have the same. */
  readonly name: string
  readonly happenings: readonly Happening[]
  /** A glob; without one everything. */
  readonly match: string | undefined
  readonly target:
    | { readonly kind: 'run'; readonly run: readonly [string, ...string[]] }
    | {
        readonly kind: 'post'
        /** It may hold a key. */
        readonly url: SecretSource
        readonly token: SecretSource | undefined
        readonly secret: SecretSource | undefined
      }
  readonly timeoutMs: number
  readonly giveUpAfterMs: number
  readonly concurrency: number
}

export interface Config {
  /** The file that it came from. */
  readonly file: string
  readonly wecom: {
    readonly corpId: string
    readonly secret: SecretSource
    /** An http(s) address without a trailing slash, or `simulator`: the built-in one. */
    readonly baseUrl: string
    readonly proxy: string | undefined
    readonly limits: Limits
    readonly quota: Quota
  }
  readonly folder: {
    readonly path: string
    readonly ignore: readonly string[]
    readonly settleMs: number
    readonly rescanMs: number
    readonly onDelete: 'restore' | 'forget'
    readonly downgrade: boolean
    readonly rules: readonly KindRule[]
  }
  /** A directory; `postgres://` is refused as not available yet. */
  readonly state: string
  /** Permission bits of the document. */
  readonly manifest: { readonly mode: number }
  readonly renewal: RenewalPolicy & { readonly schedule: string }
  readonly restore: { readonly schedule: string }
  readonly audit: { readonly schedule: string; readonly sampleCount: number }
  readonly references: {
    readonly files: readonly string[]
    readonly renew: boolean
    readonly inbox: string
  }
  readonly callback:
    | {
        readonly listen: string
        readonly path: string
        readonly token: SecretSource
        readonly encodingAesKey: SecretSource
        readonly saveTo: string
      }
    | undefined
  readonly transfer: {
    readonly uploads: number
    readonly downloads: number
    readonly bandwidthBytesPerSecond: number | undefined
  }
  readonly http: { readonly listen: string; readonly token: SecretSource | undefined } | false
  readonly on: readonly HookConfig[]
  readonly log: {
    readonly level: 'error' | 'warn' | 'info' | 'debug'
    readonly format: 'auto' | 'pretty' | 'json' | 'journald'
  }
  /** Keys that are set, valid, and belong to a feature that does not exist yet. */
  readonly notAvailableYet: readonly string[]
}
