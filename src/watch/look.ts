// Answers for what is at a path of the folder right now: a file that counts, a directory, nothing, or something in the way.
import { constants, lstat, type Stats } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { geteuid } from 'node:process'
import { createStamp, type FileFacts, type MediaPath, type Problem } from '../media/media.ts'

export type Found =
  | { readonly kind: 'file'; readonly facts: FileFacts }
  | { readonly kind: 'directory' }
  | { readonly kind: 'absent' }
  /** There, and none of our business: ignored by name, a link that leads away, a pipe, a socket, a device. */
  | { readonly kind: 'ignored' }
  /** `isFile`: it is a file, or a link, that is in the way of itself, so nothing can be below its path. */
  | { readonly kind: 'problem'; readonly problem: Problem; readonly isFile?: true }

export interface LookDeps {
  /** The folder's real path: no symbolic link in it. */
  readonly root: string
  readonly isIgnored: (path: string) => boolean
  readonly clock: { nowMs(): number }
}

/** So many `lstat`s are under way at once: more gain nothing and cost memory (measured). */
const LOOKS_AT_ONCE = 64

/** Makes the one eye of the stage: scans and hints see through it alike. */
export function createLook({ root, isIgnored, clock }: LookDeps) {
  /** Looks at a path that anybody named: unlike a walk, this must make sure that no link was crossed on the way. */
  async function lookAt(path: string): Promise<Found> {
    if (isIgnored(path)) return { kind: 'ignored' }
    try {
      const directory = dirname(join(root, path))
      if (path !== '' && (await realpath(directory)) !== directory) return { kind: 'ignored' }
    } catch (error) {
      return whyNot(path, error)
    }
    let found: Found = { kind: 'absent' }
    await lookAtAll([path], (_, seen) => {
      found = seen
    })
    return found
  }

  /** Looks at paths whose directory was just read and is real; tells of each as soon as it is known, in no order. */
  async function lookAtAll(
    paths: readonly string[],
    tell: (path: string, found: Found) => void,
  ): Promise<void> {
    const unusual: { path: string; stats: Stats }[] = []
    await lstatAll(root, paths, (path, stats, error) => {
      if (!stats) tell(path, whyNot(path, error))
      else if (stats.isFile() && isSurelyReadable(stats)) tell(path, fileFound(path, stats))
      else if (stats.isDirectory()) tell(path, { kind: 'directory' })
      else unusual.push({ path, stats })
    })
    for (const { path, stats } of unusual) tell(path, await lookCloser(path, stats))
  }

  async function lookCloser(path: string, stats: Stats): Promise<Found> {
    const file = join(root, path)
    try {
      let target = stats
      if (stats.isSymbolicLink()) {
        if (!(await realpath(file)).startsWith(`${root}/`)) return { kind: 'ignored' }
        target = await stat(file)
      }
      if (!target.isFile()) return { kind: 'ignored' }
      await access(file, constants.R_OK)
      return fileFound(path, target)
    } catch (error) {
      // A link that leads nowhere, or in a circle, is no file.
      if (stats.isSymbolicLink() && ['ENOENT', 'ELOOP'].includes(codeOf(error)))
        return { kind: 'ignored' }
      const reason = whyNot(path, error)
      return reason.kind === 'problem' ? { ...reason, isFile: true } : reason
    }
  }

  function whyNot(path: string, error: unknown): Found {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' }
    return { kind: 'problem', problem: unreadableProblem(path, code, clock.nowMs()) }
  }

  return { lookAt, lookAtAll }
}

const fileFound = (path: string, stats: Stats): Found => ({
  kind: 'file',
  facts: {
    path: path as MediaPath,
    sizeBytes: stats.size,
    modifiedAtMs: stats.mtimeMs,
    changedAtMs: stats.ctimeMs,
    stamp: createStamp(stats),
  },
})

/** Spares a system call for nearly every file; where the mode bits leave a doubt, the system is asked. */
const isSurelyReadable = ({ mode, uid }: Stats): boolean =>
  (mode & 0o444) === 0o444 || ((mode & 0o400) !== 0 && uid === geteuid?.())

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; let the user that runs this program read it (chmod, or a group)',
  EPERM: 'not permitted; let the user that runs this program read it',
  ENAMETOOLONG: 'its path is longer than the system takes; move it up, or shorten the names',
  EIO: 'the disk reports an input/output error; check the disk',
  EMFILE: 'too many files are open; raise the limit (LimitNOFILE= in the unit, ulimit -n)',
  ENFILE: 'too many files are open on this machine; raise fs.file-max',
  ESTALE: 'the network share has lost it; mount the share anew',
}

/** What stands in the way of reading a path, and what to do about it. */
export const unreadableProblem = (path: string, code: string, nowMs: number): Problem => ({
  path: path as MediaPath,
  code: 'FILE_UNREADABLE',
  message: `cannot read \`${path}\`: ${REASONS[code] ?? 'see what is wrong with it'} (${code})`,
  sinceMs: nowMs,
})

/** The system's name for what went wrong. */
export const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException | undefined)?.code ?? 'UNKNOWN'

/** With callbacks: promises double the time and the memory of a walk (measured). */
function lstatAll(
  root: string,
  paths: readonly string[],
  tell: (path: string, stats: Stats | undefined, error: unknown) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0
    let pending = 0
    const startMore = () => {
      while (pending < LOOKS_AT_ONCE && next < paths.length) start(paths[next++] ?? '')
      if (pending === 0) resolve()
    }
    const start = (path: string) => {
      pending++
      lstat(join(root, path), (error, stats) => {
        pending--
        try {
          tell(path, error ? undefined : stats, error)
          startMore()
        } catch (bug) {
          reject(bug)
        }
      })
    }
    startMore()
  })
}
