// Answers for the unfinished file of a download: what it is called, and how much of one that an earlier run of the program left is surely
// on disk. Not for what is written into it (fetched.ts).
import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { MediaId } from '../media/media.ts'
import { createTempName } from '../media/temp-name.ts'

/** At most this much in one answer: a multiple of 16, as corps with encrypted storage need, and below WeCom's 20 MB. */
export const RANGE_BYTES = 8 * 2 ** 20

export interface Part {
  readonly file: string
  readonly handle: FileHandle
  /** So much of it is there from before. */
  readonly keptBytes: number
}

/** By the id, so that the next run finds it; the id itself would show in the folder. */
export const partName = (mediaId: MediaId): string =>
  createTempName(createHash('sha256').update(mediaId).digest('hex').slice(0, 16))

/**
 * Whatever lies before a multiple of a range was flushed before the first byte behind it was written. What comes after may be
 * anything once the power has failed.
 */
export const surelyKept = (sizeBytes: number): number =>
  Math.floor(Math.max(0, sizeBytes - 1) / RANGE_BYTES) * RANGE_BYTES

/** Opens a new file or, of a download that is resumed, the one that is there. */
export async function openPart(wanted: {
  readonly mediaId: MediaId
  readonly directory: string
  readonly isResumed?: true
}): Promise<Part> {
  const inDirectory = (name: string) => join(wanted.directory, name)
  if (!wanted.isResumed) return openNew(inDirectory(createTempName(randomBytes(8).toString('hex'))))
  const file = inDirectory(partName(wanted.mediaId))
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW).catch(unlessNone)
  if (!handle) return replaceBy(file)
  const stat = await handle.stat()
  const keptBytes = surelyKept(stat.size)
  // A second name of some other file must not be written through.
  if (!stat.isFile() || stat.nlink !== 1 || keptBytes === 0) {
    await handle.close()
    return replaceBy(file)
  }
  await handle.truncate(keptBytes)
  return { file, handle, keptBytes }
}

async function replaceBy(file: string): Promise<Part> {
  await rm(file, { force: true })
  return openNew(file)
}

const openNew = async (file: string): Promise<Part> => ({
  file,
  handle: await open(file, 'wx+'),
  keptBytes: 0,
})

/** Not there, a link, or closed to us. */
function unlessNone(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ELOOP', 'EACCES', 'ENXIO'].includes(error.code ?? '')) throw error
}
