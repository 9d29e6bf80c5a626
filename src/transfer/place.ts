// Answers for putting a finished temporary file at its path: inside the folder, never over another file.
import { link, lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { MediaUnacceptable } from '../errors.ts'
import type { MediaPath } from '../media/media.ts'

/** False when something is at the path already; the temporary file then stays where it is. */
export async function placeFile(root: string, file: string, path: MediaPath): Promise<boolean> {
  const target = join(root, path)
  const directory = dirname(target)
  const obstacle = await findObstacle(root, path)
  if (obstacle) throw new MediaUnacceptable(obstacle.message, obstacle)
  await mkdir(directory, { recursive: true })
  try {
    await link(file, target)
    await rm(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error
    // No hard links here (FAT, some network shares): look, then rename. Who writes between the two loses to us.
    if (await isTaken(root, path)) return false
    await rename(file, target)
  }
  await flushDirectory(directory)
  return true
}

/** Whether anything has the path; below a file there is nothing. */
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

/**
 * A symbolic link on the way that leads out of the folder, or a file where a directory must be. Asked before any
 * directory is made, for `mkdir` would follow the link.
 */
export async function findObstacle(root: string, path: MediaPath): Promise<Obstacle | undefined> {
  let ancestor = dirname(join(root, path))
  // Ends at the root of the file system at the latest.
  while (!(await isThere(ancestor))) ancestor = dirname(ancestor)
  const [realRoot, realAncestor] = await Promise.all([realpath(root), realpath(ancestor)])
  if (realAncestor !== realRoot && !realAncestor.startsWith(realRoot + sep))
    return {
      message: `cannot write \`${path}\`: a symbolic link leads it out of the folder`,
      hint: 'Remove the link, or refer to another path.',
    }
  if ((await stat(ancestor)).isDirectory()) return undefined
  return {
    message: `cannot write \`${path}\`: \`${relative(root, ancestor)}\` is not a directory`,
    hint: 'Rename that file, or refer to another path.',
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

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw error
  }
}

async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
