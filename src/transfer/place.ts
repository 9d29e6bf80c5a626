// Answers for putting a finished temporary file at its path, and for removing the file of a path: inside the folder, never over
// another file, and nothing outside it.
import { link, lstat, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { FileUnreadable, MediaUnacceptable } from '../errors.ts'
import { baseName, createStamp, type MediaPath, type Stamp } from '../media/media.ts'
import { type HeldDirectory, Obstructed, withDirectory } from './inside.ts'

/** False when something is at the path already; the temporary file then stays where it is. */
export async function placeFile(root: string, file: string, path: MediaPath): Promise<boolean> {
  try {
    const isMade = true
    return await withDirectory(
      root,
      directoryOf(path),
      (held) => placeIn(held, file, baseName(path)),
      isMade,
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') throw otherDisk(path, error)
    const obstacle = obstacleOf(error, path)
    if (obstacle) throw new MediaUnacceptable(obstacle.message, obstacle)
    throw error
  }
}

/** Whole and in one moment it can be put only where it came down to, on the disk of the folder itself. */
const otherDisk = (path: MediaPath, cause: unknown) =>
  new FileUnreadable(`cannot write \`${path}\`: another disk is mounted in the folder there`, {
    hint: 'Mount that disk elsewhere, or let media land beside it; until then this is tried ever more rarely.',
    cause,
  })

async function placeIn(held: HeldDirectory, file: string, name: string): Promise<boolean> {
  const target = held.at(name)
  try {
    await link(file, target)
    await rm(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error
    // No hard links here (FAT, some network shares): look, then rename. Who writes between the two loses to us.
    if (await isThere(target)) return false
    await rename(file, target)
  }
  await held.flush()
  return true
}

/** Puts the temporary file in the place of one that has this stamp still; false, and nothing done, when it has not. */
export async function replaceFile(
  root: string,
  file: string,
  path: MediaPath,
  stamp: Stamp,
): Promise<boolean> {
  try {
    return await withDirectory(root, directoryOf(path), async (held) => {
      const target = held.at(baseName(path))
      // Who writes between the look and the renaming loses to us; no system offers the two as one act.
      if (createStamp(await lstat(target)) !== stamp) return false
      await rename(file, target)
      await held.flush()
      return true
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') throw otherDisk(path, error)
    const obstacle = obstacleOf(error, path)
    if (obstacle) throw new MediaUnacceptable(obstacle.message, obstacle)
    if (isAbsence(error)) return false
    throw error
  }
}

/** Removes the file of a path, if it is there and, where a stamp is given, still the one with that stamp. */
export async function removeFile(root: string, path: MediaPath, stamp?: Stamp): Promise<void> {
  try {
    await withDirectory(root, directoryOf(path), async ({ at }) => {
      const target = at(baseName(path))
      if (stamp === undefined || createStamp(await lstat(target)) === stamp) await rm(target)
    })
  } catch (error) {
    if (error instanceof Obstructed)
      throw new FileUnreadable(`cannot delete \`${path}\`: ${error.message}`, error)
    if (!isAbsence(error)) throw error
  }
}

/** Whether anything has the path; below a file there is nothing, nor under a name that is longer than any. */
export const isTaken = (root: string, path: MediaPath): Promise<boolean> =>
  isThere(join(root, path))

/**
 * Whether a file of the folder has the path, as the folder itself would see it: not a directory in its place, not a link that leads
 * out, nothing behind a link. What is neither taken by a file nor free stands in the way.
 */
export async function isFileAt(root: string, path: MediaPath): Promise<boolean> {
  const file = join(root, path)
  try {
    const stats = await lstat(file)
    if (stats.isDirectory() || (await realpath(dirname(file))) !== dirname(file)) return false
    if (!stats.isSymbolicLink()) return stats.isFile()
    return (await realpath(file)).startsWith(root + sep) && (await stat(file)).isFile()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return false
    throw error
  }
}

/** `a.jpg`, `a (2).jpg`, `a (3).jpg` …: the name for the n-th newcomer. */
export function numberedPath(path: MediaPath, number: number): MediaPath {
  if (number === 1) return path
  const base = path.lastIndexOf('/') + 1
  const dot = path.lastIndexOf('.')
  const end = dot > base ? dot : path.length
  return `${path.slice(0, end)} (${number})${path.slice(end)}` as MediaPath
}

/** Why no file can have the path, as things are. */
interface Obstacle {
  readonly message: string
  readonly hint: string
}

/** Asked before anything is fetched for the path; makes nothing. */
export async function findObstacle(root: string, path: MediaPath): Promise<Obstacle | undefined> {
  try {
    await withDirectory(root, directoryOf(path), async () => {})
    return undefined
  } catch (error) {
    const obstacle = obstacleOf(error, path)
    if (obstacle || isAbsence(error)) return obstacle
    throw error
  }
}

/** What has the path itself and is no file, where no file is: a directory, a link that leads nowhere or out, a pipe. */
export async function findOccupant(root: string, path: MediaPath): Promise<Obstacle | undefined> {
  if (!(await isTaken(root, path)) || (await isFileAt(root, path))) return undefined
  const isDirectory = (await lstat(join(root, path))).isDirectory()
  return {
    message: `cannot restore \`${path}\`: ${isDirectory ? 'a directory' : 'something that is no file'} has its place`,
    hint: 'Give that another name, or say `wecom-media-mirror forget` with this path.',
  }
}

function obstacleOf(error: unknown, path: MediaPath): Obstacle | undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG')
    return {
      message: `cannot write \`${path}\`: the file system takes no name that long`,
      hint: 'Refer to a shorter path.',
    }
  if (!(error instanceof Obstructed)) return undefined
  const hint = error.hint.replace(/\.$/, ', or refer to another path.')
  return { message: `cannot write \`${path}\`: ${error.message}`, hint }
}

const directoryOf = (path: MediaPath): string => {
  const directory = dirname(path)
  return directory === '.' ? '' : directory
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (isAbsence(error)) return false
    throw error
  }
}

const isAbsence = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')
