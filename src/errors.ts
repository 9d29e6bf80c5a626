// Answers for the kinds of failure, sorted by who must act. The layer that knows the cause picks the remedy.

/** What the program does next; `retrying-wecom.ts` and `pass.ts` only obey it. */
export type Remedy = 'stop' | 'skip' | 'retry' | 'refresh-token' | 'slow-down'

interface Details {
  readonly hint?: string | undefined
  readonly cause?: unknown
}

abstract class BaseError extends Error {
  /** What a person can do about it. */
  readonly hint: string | undefined
  constructor(message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.hint = details.hint
  }
}

export interface ConfigProblem {
  readonly message: string
  /** The configuration file, as the person named it. */
  readonly file?: string
  /** Dotted path of the key, such as `folder.path`. */
  readonly key?: string
  readonly line?: number
  readonly column?: number
}

/** The operator must edit the configuration or the set-up it names; every problem at once. */
export class ConfigError extends BaseError {
  readonly code = 'CONFIG'
  readonly remedy = 'stop' satisfies Remedy
  readonly problems: readonly ConfigProblem[]
  constructor(message: string, problems: readonly ConfigProblem[] = [], details: Details = {}) {
    super(message, details)
    this.problems = problems
  }
}

/** No kind takes this file; its owner must change it. Remembered, and not tried again until it changes. */
export class MediaUnacceptable extends BaseError {
  readonly code = 'MEDIA_UNACCEPTABLE'
  readonly remedy = 'skip' satisfies Remedy
}

/** The file could not be read, or vanished, or never stood still; whoever owns it must act. */
export class FileUnreadable extends BaseError {
  readonly code = 'FILE_UNREADABLE'
  readonly remedy = 'skip' satisfies Remedy
}

/** WeCom answered "no". */
export class WecomRefused extends BaseError {
  readonly code = 'WECOM_REFUSED'
  readonly remedy: Remedy
  readonly errcode: number
  readonly errmsg: string
  /** The address that WeCom saw the call come from, where the answer told it (60020). */
  readonly fromIp: string | undefined
  /** Refused for what it is, not for its bytes: the kind `file` may still take it. */
  readonly mayGoAsFile: boolean
  constructor(
    message: string,
    refusal: {
      errcode: number
      errmsg: string
      remedy: Remedy
      fromIp?: string | undefined
      mayGoAsFile?: boolean
    },
    details: Details = {},
  ) {
    super(message, details)
    this.errcode = refusal.errcode
    this.errmsg = refusal.errmsg
    this.remedy = refusal.remedy
    this.fromIp = refusal.fromIp
    this.mayGoAsFile = refusal.mayGoAsFile ?? false
  }
}

/** WeCom was not reached, or something that is not WeCom answered: time cures it, unless a gateway found what was sent too large. */
export class WecomUnreachable extends BaseError {
  readonly code = 'WECOM_UNREACHABLE'
  readonly remedy: 'retry' | 'skip'
  /** The HTTP status of what answered in WeCom's place, if something did. */
  readonly status: number | undefined
  constructor(
    message: string,
    details: Details & { readonly status?: number; readonly isTooLarge?: boolean } = {},
  ) {
    super(message, details)
    this.status = details.status
    this.remedy = details.isTooLarge ? 'skip' : 'retry'
  }
}

/** The state on disk cannot be trusted; we never guess at the truth. */
export class ManifestUnreadable extends BaseError {
  readonly code = 'MANIFEST_UNREADABLE'
  readonly remedy = 'stop' satisfies Remedy
}

/** What was to be remembered could not be put on disk (full, failing); nothing of it counts, and it is tried again. */
export class ManifestUnwritable extends BaseError {
  readonly code = 'MANIFEST_UNWRITABLE'
  readonly remedy = 'retry' satisfies Remedy
}

/** A download would eat into what stays free of the disk; whoever makes room cures it, and it is tried again. */
export class DiskShort extends BaseError {
  readonly code = 'DISK_SHORT'
  readonly remedy = 'retry' satisfies Remedy
}

/** This machine has no room, no files to open or a failing disk for it: no medium's fault, and tried again by itself. */
export class HostUnable extends BaseError {
  readonly code = 'HOST_UNABLE'
  readonly remedy = 'retry' satisfies Remedy
}

export type MirrorError =
  | ConfigError
  | MediaUnacceptable
  | FileUnreadable
  | WecomRefused
  | WecomUnreachable
  | ManifestUnreadable
  | ManifestUnwritable
  | DiskShort
  | HostUnable

/** Failures that the program foresees; anything else is a bug and crashes it. */
export const isMirrorError = (error: unknown): error is MirrorError => error instanceof BaseError

/** What was to be remembered is not: whatever depends on it waits, and is tried again. */
export const isUnwritable = (error: unknown): error is ManifestUnwritable =>
  error instanceof ManifestUnwritable

/** An operating system that said no. Only what a system call refused has its name; an error of Node's own use has not. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'

/** Closes a `switch` over a union: the compiler objects when a member is forgotten. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`)
}
