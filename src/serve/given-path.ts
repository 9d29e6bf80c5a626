// Answers for a path as people give it: relative to the folder, with `./` in front, or absolute below the folder by whatever
// links lead there. What is inside the folder is media/media.ts's to say.
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type MediaDirectory, type MediaPath, parseMediaPath, ROOT } from '../media/media.ts'

/** PATH_MAX: no file can be reached by more, and no look needs to go higher up. */
const MAX_PATH_BYTES = 4096

/** Undefined when it is no path inside the folder. */
export async function readGivenPath(text: string, folder: string): Promise<MediaPath | undefined> {
  if (Buffer.byteLength(text) > MAX_PATH_BYTES) return undefined
  const root = folder.endsWith('/') ? folder : `${folder}/`
  if (text.startsWith(root)) return parseMediaPath(text.slice(root.length))
  if (!text.startsWith('/')) return parseMediaPath(text.replace(/^(\.\/+)+/, ''))
  const above = await findAbove(text, await identityOf(folder))
  return above === undefined ? undefined : parseMediaPath(text.slice(above.length + 1))
}

/** Where a newcomer is to go: at a path, or under its own name into a directory. */
export type GivenTarget = { readonly path: MediaPath } | { readonly into: MediaDirectory }

/** A directory is what is one, or ends with a slash and is to become one. Undefined for what is not inside the folder. */
export async function readGivenTarget(
  text: string,
  folder: string,
): Promise<GivenTarget | undefined> {
  if (Buffer.byteLength(text) > MAX_PATH_BYTES) return undefined
  if (await isFolderItself(text, folder)) return { into: ROOT }
  const path = await readGivenPath(text.replace(/\/+$/, ''), folder)
  if (!path) return undefined
  return text.endsWith('/') || (await isDirectory(join(folder, path))) ? { into: path } : { path }
}

async function isFolderItself(text: string, folder: string): Promise<boolean> {
  if (!text.startsWith('/')) return /^\.(?:\/+\.?)*$/.test(text)
  const given = await identityOf(text)
  return given !== undefined && given === (await identityOf(folder))
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )

/** The part of an absolute path that is the folder under another name. */
async function findAbove(path: string, folder: string | undefined): Promise<string | undefined> {
  if (folder === undefined) return undefined
  for (let above = dirname(path); above !== '/'; above = dirname(above))
    if ((await identityOf(above)) === folder) return above
  return undefined
}

/** Undefined for what cannot be looked at: then it is not known to be the folder, which is all that is asked here. */
const identityOf = (path: string): Promise<string | undefined> =>
  stat(path).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  )
