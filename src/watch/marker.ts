// Answers for whether the folder is the one it should be: by a marker in its root, which an empty mount point does not have.
import { constants } from 'node:fs'
import { access, lstat, realpath, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { MARKER_NAME } from '../media/media.ts'
import { codeOf } from './look.ts'

/** What is found where the folder should be. */
type RootState = 'directory' | 'absent' | 'not-a-directory' | 'unreadable'

export type Belief =
  | { readonly kind: 'believed' }
  | { readonly kind: 'doubted'; readonly because: string; readonly hint: string }

export interface FolderSighting {
  readonly path: string
  readonly rootState: RootState
  /** Of the directory itself: differs when another one, or another mount, has taken its place. */
  readonly identity?: string
  readonly markerPresent: boolean
  /** A marker was placed in this folder once, so that its absence means something. */
  readonly wasMarked: boolean
}

const MARKER_TEXT = `wecom-media-mirror knows this folder by this file. Do not delete it: without it the folder counts as not mounted, and the mirror pauses.
wecom-media-mirror 凭此文件识别本文件夹。请勿删除：缺少它时，本文件夹将被视为未挂载，镜像随即暂停。
`

/** Decides whether what is in the folder may be acted on; above all whether "not there" means "deleted". */
export function judgeFolder({ path, rootState, markerPresent, wasMarked }: FolderSighting): Belief {
  const doubt = (because: string, hint: string): Belief => ({ kind: 'doubted', because, hint })
  if (rootState === 'absent')
    return doubt(`\`${path}\` is gone`, 'Mount it again, or put the folder back.')
  if (rootState === 'not-a-directory')
    return doubt(`\`${path}\` is not a directory any more`, 'Put the folder back.')
  if (rootState === 'unreadable')
    return doubt(
      `\`${path}\` cannot be read`,
      'Let the user that runs this program list the folder.',
    )
  if (wasMarked && !markerPresent)
    return doubt(
      `\`${path}\` has lost its marker, so it may not be mounted, or not be the same folder`,
      `Mount the folder. If this is the right one all the same: touch '${join(path, MARKER_NAME)}'`,
    )
  return { kind: 'believed' }
}

/** Looks at the root and its marker. */
export async function sightFolder(path: string, wasMarked: boolean): Promise<FolderSighting> {
  const rootState = await rootStateOf(path)
  if (rootState !== 'directory') return { path, rootState, markerPresent: false, wasMarked }
  const identity = await identityOf(path)
  const markerPresent = await isThere(join(path, MARKER_NAME))
  return { path, rootState, ...(identity !== undefined && { identity }), markerPresent, wasMarked }
}

/** Puts the marker into the root. False where the folder cannot be written to; it then stays without one. */
async function placeMarker(path: string): Promise<boolean> {
  try {
    await writeFile(join(path, MARKER_NAME), MARKER_TEXT, { flag: 'wx' })
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') return true
    if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(code)) return false
    throw error
  }
}

export interface PreparedFolder {
  /** The folder's real path: without symbolic links, and what everything else is given. */
  readonly root: string
  /** From now on a missing marker means "not believed"; to be remembered durably when it was not so before. */
  readonly isMarked: boolean
  /** Why the folder goes without a marker. */
  readonly warning?: string
}

/** Makes sure, at start, that the folder can be used, and marks it when that was never done. Throws `ConfigError`. */
export async function prepareFolder(given: {
  readonly path: string
  readonly stateDirectory: string
  readonly wasMarked: boolean
}): Promise<PreparedFolder> {
  const root = await resolveFolder(given.path, given.stateDirectory)
  // A marker that was lost is not put back: its absence is the message.
  if (given.wasMarked || (await placeMarker(root))) return { root, isMarked: true }
  const warning = `cannot place the marker \`${MARKER_NAME}\` in \`${given.path}\`: it is read-only; a folder that is not mounted will look like one whose files were deleted`
  return { root, isMarked: false, warning }
}

/** The folder's real path. Throws `ConfigError` where it cannot be used at all, with what to do. */
export async function resolveFolder(path: string, stateDirectory: string): Promise<string> {
  const refuse = (reason: string, hint: string) =>
    new ConfigError(
      `cannot use the folder \`${path}\`: ${reason}`,
      [{ key: 'folder.path', message: reason }],
      {
        hint,
      },
    )
  const rootState = await rootStateOf(path)
  if (rootState === 'absent')
    throw refuse('it does not exist', 'Create it, mount it, or correct `folder.path`.')
  if (rootState === 'not-a-directory')
    throw refuse('it is not a directory', 'Correct `folder.path`.')
  if (rootState === 'unreadable')
    throw refuse(
      'it cannot be read',
      'Let the user that runs this program read it: it needs r and x.',
    )
  const root = await realpath(path)
  const state = await realpathOfFuture(resolve(stateDirectory))
  if (state === root || state.startsWith(`${root}/`))
    throw new ConfigError(
      `cannot keep the state in \`${stateDirectory}\`: it lies inside the folder \`${path}\``,
      [{ key: 'state', message: 'lies inside `folder.path`' }],
      { hint: 'Set `state` to a directory outside the folder; each would watch the other.' },
    )
  return root
}

async function rootStateOf(path: string): Promise<RootState> {
  try {
    if (!(await stat(path)).isDirectory()) return 'not-a-directory'
    await access(path, constants.R_OK | constants.X_OK)
    return 'directory'
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent'
    return 'unreadable'
  }
}

/** Undefined when it went in this moment; the look at the marker then says so too. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeMs } = await stat(path)
    // The inode alone is not enough: ext4 gives it to the next directory at once.
    return `${dev}:${ino}:${birthtimeMs}`
  } catch (error) {
    if (codeOf(error) === 'UNKNOWN') throw error
    return undefined
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    // Whatever keeps us from seeing the marker is a reason for doubt as well.
    if (codeOf(error) === 'UNKNOWN') throw error
    return false
  }
}

/** Where a path will really be once it is created: the state directory may not exist yet. */
async function realpathOfFuture(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    // Why it cannot be reached is for whoever opens the state to say; here only where it would be matters.
    if (codeOf(error) === 'UNKNOWN' || path === dirname(path)) throw error
    return join(await realpathOfFuture(dirname(path)), basename(path))
  }
}
