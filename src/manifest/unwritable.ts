// Answers for telling a disk that does not take what is to be kept from a fault of ours: the first is waited out.
import { ManifestUnwritable } from '../errors.ts'
import { describeErrno, errnoOf } from '../support/errno.ts'

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on the disk of the state directory',
  EDQUOT: "raise the quota of the daemon's user or free space",
  EROFS: 'make the state directory writable (a file system is remounted read-only after a fault)',
  EACCES: "give the state directory to the daemon's user",
  EPERM: "give the state directory to the daemon's user",
}

/** The failure as its reader needs it; what did not come from the system is returned as it is. */
export function asUnwritable(error: unknown, action: string): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  const hint = HINTS[code] ?? 'check the disk of the state directory'
  return new ManifestUnwritable(`cannot ${action}: ${describeErrno(code)}`, {
    hint: `${hint}; nothing that was acknowledged is lost, and what was not is tried again`,
    cause: error,
  })
}
