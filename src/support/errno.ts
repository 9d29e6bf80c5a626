// Answers for the names that the operating system gives to failures, and for what they mean in words.

/** The system's code of a failure, such as `ENOSPC`; undefined for what did not come from the system. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk failed to read or write',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it is not there',
  ENOTDIR: 'it is not a directory',
  EEXIST: 'something else is there',
  EISDIR: 'a directory is in its place',
  EMFILE: 'too many files are open',
}

/** What happened to a file, in words, with the system's code. */
export const describeErrno = (code: string): string =>
  WORDS[code] === undefined ? code : `${WORDS[code]} (${code})`
