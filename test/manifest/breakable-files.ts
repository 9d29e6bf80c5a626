// The disk, with a counter of what was asked of it and a switch that makes it fail.
import { basename } from 'node:path'
import { diskFiles, type Files, type OpenFile } from '../../src/manifest/files.ts'

type Operation = keyof Files | keyof OpenFile

interface Call {
  readonly operation: Operation
  /** The file's name without its directory. */
  readonly name: string
}

export interface BreakableFiles {
  readonly files: Files
  readonly calls: Call[]
  countOf(operation: Operation, name?: string): number
  /** From now on: the code of the error that a call fails with, or undefined for one that goes through. */
  breakWhen(decide: (call: Call) => string | undefined): void
  /** From now on a write takes at most this many bytes before it fails or goes on. */
  writeAtMost(bytes: number): void
  repair(): void
}

export function createBreakableFiles(): BreakableFiles {
  const calls: Call[] = []
  let decide: (call: Call) => string | undefined = () => undefined
  let mostBytes = Number.POSITIVE_INFINITY

  const ask = (operation: Operation, path: string) => {
    const call = { operation, name: basename(path) }
    calls.push(call)
    const code = decide(call)
    if (code !== undefined)
      throw Object.assign(new Error(`${code}: made to fail`), { code, syscall: operation })
  }

  /** The call, asked for first under the name that stands at this place of its arguments. */
  const asking =
    <A extends readonly unknown[], R>(
      operation: Operation,
      run: (...call: A) => Promise<R>,
      nameOf: (call: A) => unknown = (call) => call[0],
    ) =>
    async (...call: A): Promise<R> => {
      ask(operation, String(nameOf(call)))
      return run(...call)
    }
  const second = (call: readonly unknown[]) => call[1]

  const openFile = (file: OpenFile, path: string): OpenFile => {
    const here = () => path
    return {
      async write(bytes, offset, length, position) {
        const part = Math.min(length, mostBytes)
        try {
          ask('write', path)
        } catch (error) {
          // A disk that fills up takes a part first.
          await file.write(bytes, offset, Math.floor(part / 2), position)
          throw error
        }
        return file.write(bytes, offset, part, position)
      },
      datasync: asking('datasync', () => file.datasync(), here),
      sync: asking('sync', () => file.sync(), here),
      truncate: asking('truncate', (length: number) => file.truncate(length), here),
      chmod: asking('chmod', (mode: number) => file.chmod(mode), here),
      close: () => file.close(),
    }
  }
  const open = asking('open', diskFiles.open)

  return {
    calls,
    countOf: (operation, name) =>
      calls.filter((call) => call.operation === operation && (name ?? call.name) === call.name)
        .length,
    breakWhen(by) {
      decide = by
    },
    writeAtMost(bytes) {
      mostBytes = bytes
    },
    repair() {
      decide = () => undefined
      mostBytes = Number.POSITIVE_INFINITY
    },
    files: {
      open: async (path, flags, mode) => openFile(await open(path, flags, mode), path),
      readFile: asking('readFile', diskFiles.readFile),
      readdir: asking('readdir', diskFiles.readdir),
      stat: asking('stat', diskFiles.stat),
      rename: asking('rename', diskFiles.rename, second),
      link: asking('link', diskFiles.link, second),
      copyFile: asking('copyFile', diskFiles.copyFile, second),
      unlink: asking('unlink', diskFiles.unlink),
      mkdir: asking('mkdir', diskFiles.mkdir),
    },
  }
}
