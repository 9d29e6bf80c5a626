// Answers for exit codes: a contract with scripts, and the one place that maps failures to them.
import { assertNever, isMirrorError, type MirrorError, type Remedy } from '../errors.ts'
import { CommandFailed } from './command-failed.ts'

export const EXIT = {
  done: 0,
  someFailed: 1,
  wrongUsage: 2,
  noLiveId: 3,
  /** EX_UNAVAILABLE: WeCom out of reach. */
  unreachable: 69,
  /** EX_SOFTWARE: a bug of ours. */
  bug: 70,
  /** EX_IOERR: this machine's disk is full or failing. Not 78, after which nobody starts the daemon again. */
  disk: 74,
  /** EX_NOPERM: refused by WeCom until a person acts. */
  refused: 77,
  /** EX_CONFIG: configuration, or the set-up that it names. */
  config: 78,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Of whatever ended a command; what nobody foresaw is a bug of ours. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandFailed) return error.exitCode
  if (!isMirrorError(error)) return EXIT.bug
  return exitCodeOfFailure(error)
}

/** Also for failures that came over the wire, which have code and remedy and no class. */
export function exitCodeOfFailure({
  code,
  remedy,
}: {
  code: MirrorError['code']
  remedy: Remedy
}): ExitCode {
  switch (code) {
    case 'CONFIG':
    case 'MANIFEST_UNREADABLE':
      return EXIT.config
    case 'MANIFEST_UNWRITABLE':
    case 'HOST_UNABLE':
      return EXIT.disk
    case 'WECOM_UNREACHABLE':
      return EXIT.unreachable
    case 'WECOM_REFUSED':
      return remedy === 'stop'
        ? EXIT.refused
        : remedy === 'skip'
          ? EXIT.someFailed
          : EXIT.unreachable
    case 'MEDIA_UNACCEPTABLE':
    case 'FILE_UNREADABLE':
    case 'DISK_SHORT':
      return EXIT.someFailed
    default:
      return assertNever(code)
  }
}
