// Answers for reading a state directory without touching it: what is not there is told apart from what may not be read.
import { ManifestUnreadable } from '../errors.ts'
import { describeErrno, errnoOf } from '../support/errno.ts'
import type { Files } from './files.ts'

/** Where a state is, whose it must be, and how it is reached. */
export interface StateLocation {
  readonly files: Files
  readonly directory: string
  readonly corpId: string
}

/** The names in the directory; none when it is not there. */
export async function listDirectory({ files, directory }: StateLocation): Promise<string[]> {
  return (await unlessMissing(files.readdir(directory), directory)) ?? []
}

/** The bytes of a file, or undefined when it is not there. */
export const readIfThere = (files: Files, file: string): Promise<Buffer | undefined> =>
  unlessMissing(files.readFile(file), file)

async function unlessMissing<T>(reading: Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    const code = errnoOf(error)
    if (code === undefined) throw error
    if (code === 'ENOENT') return undefined
    throw new ManifestUnreadable(`cannot read \`${path}\`: ${describeErrno(code)}`, {
      hint: 'run this as the user that the daemon runs as, and check the disk',
      cause: error,
    })
  }
}
