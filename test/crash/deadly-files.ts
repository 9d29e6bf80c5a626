// The disk, told of each touch before and after it happens, so that a process can die at exactly that one.
import { basename } from 'node:path'
import { diskFiles, type Files, type OpenFile } from '../../src/manifest/files.ts'

export interface Touch {
  /** `amid`: when half of what is to be written has been. */
  readonly when: 'before' | 'amid' | 'after'
  readonly operation: keyof Files | keyof OpenFile
  /** The name of the file that is touched or comes into being, without its directory. */
  readonly name: string
  /** What is written or, at a flush, what was written since the last one. */
  readonly text: string
}

/** `die` does not return. */
export function createDeadlyFiles(deps: {
  isDeadly: (touch: Touch) => boolean
  die: (touch: Touch) => void
}): Files {
  const at = (touch: Touch) => {
    if (deps.isDeadly(touch)) deps.die(touch)
  }
  async function around<R>(touch: Omit<Touch, 'when'>, run: () => Promise<R>): Promise<R> {
    at({ ...touch, when: 'before' })
    const result = await run()
    at({ ...touch, when: 'after' })
    return result
  }
  const touching =
    <A extends readonly [string, ...unknown[]], R>(
      operation: keyof Files,
      run: (...call: A) => Promise<R>,
      nameOf: (call: A) => string = ([path]) => path,
    ) =>
    (...call: A): Promise<R> =>
      around({ operation, name: basename(nameOf(call)), text: '' }, () => run(...call))
  const second = ([, to]: readonly [string, string]) => to

  function watchFile(file: OpenFile, path: string): OpenFile {
    const name = basename(path)
    let unflushed = ''
    const flushing = (operation: 'datasync' | 'sync') => async () => {
      const text = unflushed
      await around({ operation, name, text }, () => file[operation]())
      unflushed = ''
    }
    return {
      async write(bytes, offset, length, position) {
        const text = Buffer.from(bytes.subarray(offset, offset + length)).toString('utf8')
        const amid = { when: 'amid', operation: 'write', name, text } as const
        if (deps.isDeadly(amid)) {
          await file.write(bytes, offset, Math.ceil(length / 2), position)
          deps.die(amid)
        }
        unflushed += text
        return around({ operation: 'write', name, text }, () =>
          file.write(bytes, offset, length, position),
        )
      },
      datasync: flushing('datasync'),
      sync: flushing('sync'),
      truncate: (length) =>
        around({ operation: 'truncate', name, text: '' }, () => file.truncate(length)),
      chmod: (mode) => file.chmod(mode),
      close: () => file.close(),
    }
  }
  const open = touching('open', diskFiles.open)

  return {
    ...diskFiles,
    open: async (path, flags, mode) => watchFile(await open(path, flags, mode), path),
    rename: touching('rename', diskFiles.rename, second),
    link: touching('link', diskFiles.link, second),
    unlink: touching('unlink', diskFiles.unlink),
  }
}
