// Answers for putting a finished temporary file at its path: inside the folder, never over another file.
import { link, lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { MediaUnacceptable } from '../errors.ts'
import type { MediaPath } from '../media/media.ts'

/** False when something is at the path already; the temporary file then stays where it is. */
export async function placeFile(root: string, file: string, path: MediaPath): Promise<boolean> {
  const target = join(root, path)
  const directory = dirname(target)
  await mkdir(directory, { recursive: true })
  await refuseEscape(root, directory, path)
  try {
    await link(file, target)
    await rm(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error
    // No hard links here (FAT, some network shares): look, then rename. Who writes between the two loses to us.
    if (await isTaken(root, path)) return false
    await rename(file, target)
  }
  await flushDirectory(directory)
  return true
}

export async function isTaken(root: string, path: MediaPath): Promise<boolean> {
  try {
    await lstat(join(root, path))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
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

/** A directory on the way may be a symbolic link that leads out of the folder. */
async function refuseEscape(root: string, directory: string, path: MediaPath): Promise<void> {
  const [realRoot, realDirectory] = await Promise.all([realpath(root), realpath(directory)])
  if (realDirectory === realRoot || realDirectory.startsWith(realRoot + sep)) return
  throw new MediaUnacceptable(
    `cannot write \`${path}\`: a symbolic link leads it out of the folder`,
    {
      hint: 'Remove the link, or refer to another path.',
    },
  )
}

async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
