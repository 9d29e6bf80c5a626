// Answers for the touch of the disk: the few file functions that the store needs, so that tests can count and break
// them, and the names of the files in a state directory.
import {
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../support/errno.ts'

export interface OpenFile {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>
  datasync(): Promise<void>
  sync(): Promise<void>
  truncate(length: number): Promise<void>
  chmod(mode: number): Promise<void>
  close(): Promise<void>
}

export interface Files {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>
  readFile(path: string): Promise<Buffer>
  readdir(path: string): Promise<string[]>
  stat(path: string): Promise<{ ino: number; size: number; mtimeMs: number }>
  rename(from: string, to: string): Promise<void>
  link(from: string, to: string): Promise<void>
  copyFile(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Answers with the first directory that had to be made. */
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<string | undefined>
}

export const diskFiles: Files = {
  open,
  readFile: (path) => readFile(path),
  readdir: (path) => readdir(path),
  stat: (path) => stat(path),
  rename,
  link,
  copyFile: (from, to) => copyFile(from, to),
  unlink,
  mkdir,
}

export const DOCUMENT = 'manifest.json'
export const PREVIOUS = 'manifest.previous.json'
const JOURNAL = /^manifest\.journal\.([1-9]\d{0,14})$/

export const journalName = (number: number): string => `manifest.journal.${number}`

/** The numbers of the journals among these names, in order. */
export const journalNumbers = (names: readonly string[]): number[] =>
  names
    .flatMap((name) => JOURNAL.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)

/** Writes all of it at this place, however little the system takes at a time. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' })
    done += bytesWritten
  }
}

/** Makes new, renamed and removed names of a directory durable. */
export const syncDirectory = (files: Files, directory: string): Promise<void> =>
  syncOpened(files, directory, 'r')

const syncFile = (files: Files, path: string): Promise<void> => syncOpened(files, path, 'r+')

async function syncOpened(files: Files, path: string, flags: 'r' | 'r+'): Promise<void> {
  const opened = await files.open(path, flags)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

/** Removes the file if it is there. */
export async function removeIfThere(files: Files, path: string): Promise<void> {
  await files.unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
  })
}

/** A second name for the same file, or a copy of it, flushed, where the file system knows no such thing. */
export async function linkOrCopy(files: Files, from: string, to: string): Promise<void> {
  try {
    await files.link(from, to)
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error) ?? '')) throw error
    await files.copyFile(from, to)
    await syncFile(files, to)
  }
}

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

export const inDirectory =
  (directory: string) =>
  (name: string): string =>
    join(directory, name)
