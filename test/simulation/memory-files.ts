// Answers for a disk that is a map: the file functions of the manifest store, without a disk, so that a simulated year writes
// its journal and documents in seconds. It survives the "death" of a process, as a disk does.
import { basename } from 'node:path'
import type { Files, OpenFile } from '../../src/manifest/files.ts'

interface Content {
  bytes: Buffer
  size: number
}

export interface MemoryDisk {
  /** The disk for one life of a process: whatever an earlier life still wants of it never comes to an end. */
  mount(): Files
}

/** An empty disk; directories need not be made. */
export function createMemoryDisk(): MemoryDisk {
  const contents = new Map<string, Content>()
  let life = 0
  return {
    mount() {
      const mine = ++life
      return createFiles(contents, () => life === mine)
    },
  }
}

function createFiles(contents: Map<string, Content>, isAlive: () => boolean): Files {
  const find = (path: string): Content => {
    const content = contents.get(basename(path))
    if (content) return content
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT', syscall: 'open' })
  }
  /** The act of a process that lives; one that is dead waits for ever. */
  const acting =
    <A extends readonly unknown[], R>(act: (...call: A) => R) =>
    (...call: A): Promise<R> =>
      isAlive() ? new Promise((resolve) => resolve(act(...call))) : new Promise(() => {})

  return {
    open: acting((path, flags) => {
      if (flags === 'r') return DIRECTORY
      if (flags === 'w') contents.set(basename(path), { bytes: Buffer.alloc(0), size: 0 })
      return createOpenFile(find(path), acting)
    }),
    readFile: acting((path) => {
      const { bytes, size } = find(path)
      return Buffer.from(bytes.subarray(0, size))
    }),
    readdir: acting(() => [...contents.keys()]),
    stat: acting((path) => ({ ino: 1, size: find(path).size, mtimeMs: 0 })),
    rename: acting((from, to) => {
      contents.set(basename(to), find(from))
      contents.delete(basename(from))
    }),
    link: acting((from, to) => void contents.set(basename(to), find(from))),
    copyFile: acting((from, to) => void contents.set(basename(to), { ...find(from) })),
    unlink: acting((path) => {
      find(path)
      contents.delete(basename(path))
    }),
    mkdir: acting(() => undefined),
  }
}

type Acting = <A extends readonly unknown[], R>(
  act: (...call: A) => R,
) => (...call: A) => Promise<R>

const nothing = async () => {}

/** What is opened only to be flushed. */
const DIRECTORY: OpenFile = {
  write: () => Promise.reject(new Error('a directory takes no bytes')),
  datasync: nothing,
  sync: nothing,
  truncate: nothing,
  chmod: nothing,
  close: nothing,
}

function createOpenFile(content: Content, acting: Acting): OpenFile {
  return {
    ...DIRECTORY,
    write: acting((bytes, offset, length, position) => {
      const end = position + length
      if (end > content.bytes.length) {
        const grown = Buffer.allocUnsafe(Math.max(2 * content.bytes.length, end, 4096))
        content.bytes.copy(grown, 0, 0, content.size)
        content.bytes = grown
      }
      content.bytes.set(bytes.subarray(offset, offset + length), position)
      content.size = Math.max(content.size, end)
      return { bytesWritten: length }
    }),
    truncate: acting((length) => {
      content.size = Math.min(content.size, length)
    }),
  }
}
