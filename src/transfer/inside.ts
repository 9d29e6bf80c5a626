// Answers for reaching what is inside the folder, and nothing that a symbolic link leads out of it to, be it one that takes the place of
// a directory between a look and the deed: a place is opened first, and the open handle is asked where it is, before a byte is read or a
// name is made or removed there. Links that stay inside are followed. Needs /proc, so Linux; where there is none the name is asked, and a
// link that is swapped in at that very moment goes unnoticed.
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'

/** What stands on the way to a path: a symbolic link that leads out of the folder or nowhere, or a file where a directory must be. */
export class Obstructed extends Error {
  readonly hint: string
  constructor(message: string, hint: string) {
    super(message)
    this.name = new.target.name
    this.hint = hint
  }
}

/** A directory of the folder, held open: whatever becomes of its name, its entries are those of this one. */
export interface HeldDirectory {
  /** The path under which an entry of it can be reached while it is held. */
  at(name: string): string
  /** Makes new and removed entries durable. */
  flush(): Promise<void>
}

/** Opens a file of the folder for reading. Rejects with `Obstructed`, or with what the system says. */
export async function openInside(root: string, path: string): Promise<FileHandle> {
  // Non-blocking: a pipe that took the file's name must not hold the queue.
  return (await openPlace(root, path, constants.O_NONBLOCK)).handle
}

/** Lends a directory of the folder, '' for the folder itself. Rejects with `Obstructed`, or with what the system says. */
export async function withDirectory<Result>(
  root: string,
  directory: string,
  use: (held: HeldDirectory) => Promise<Result>,
  isMade = false,
): Promise<Result> {
  const place = await enter(root, directory, isMade)
  try {
    return await use({ at: (name) => reach(place, name), flush: () => place.handle.sync() })
  } finally {
    await place.handle.close()
  }
}

interface Place {
  readonly handle: FileHandle
  /** Where the handle really is. */
  readonly truePath: string
  readonly isByHandle: boolean
}

const reach = ({ handle, truePath, isByHandle }: Place, name: string): string =>
  isByHandle ? `/proc/self/fd/${handle.fd}/${name}` : join(truePath, name)

/** Step by step, since making a directory must not be led astray by the one above it. */
async function enter(root: string, directory: string, isMade: boolean): Promise<Place> {
  let place = await openPlace(root, '', constants.O_DIRECTORY)
  let path = ''
  for (const part of directory.split('/').filter((part) => part !== '')) {
    path = join(path, part)
    const by = reach(place, part)
    try {
      if (isMade) await makeIn(place, by)
      const next = await openPlace(root, path, constants.O_DIRECTORY, by).catch(explain(path, by))
      await place.handle.close()
      place = next
    } catch (error) {
      await place.handle.close()
      throw error
    }
  }
  return place
}

const explain = (path: string, by: string) => async (error: NodeJS.ErrnoException) => {
  const found = await lstat(by).catch(() => undefined)
  const isObstacle = ['ENOTDIR', 'ENOENT', 'ELOOP'].includes(error.code ?? '')
  // One that is a directory has become it in this moment.
  if (!isObstacle || !found || found.isDirectory()) throw error
  if (found.isSymbolicLink())
    throw new Obstructed(`the symbolic link \`${path}\` leads to no directory`, 'Remove the link.')
  throw new Obstructed(`\`${path}\` is not a directory`, 'Rename that file.')
}

/**
 * Never follows a link of that name: at worst it is there already, and cannot be entered. Its name is made as durable as what lands
 * in it; another landing that finds it there in that moment does not wait for this.
 */
async function makeIn({ handle }: Place, by: string): Promise<void> {
  try {
    await mkdir(by)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw error
  }
  await handle.sync()
}

async function openPlace(
  root: string,
  path: string,
  flags: number,
  by = join(root, path),
): Promise<Place> {
  const handle = await open(by, constants.O_RDONLY | flags)
  try {
    const place = await findPlace(handle, by)
    const { truePath } = place
    if (truePath === root || truePath.startsWith(root === '/' ? root : `${root}/`)) return place
    throw new Obstructed('a symbolic link leads it out of the folder', 'Remove the link.')
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function findPlace(handle: FileHandle, by: string): Promise<Place> {
  try {
    return { handle, truePath: await readlink(`/proc/self/fd/${handle.fd}`), isByHandle: true }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { handle, truePath: await realpath(by), isByHandle: false }
  }
}
