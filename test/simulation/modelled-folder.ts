// Answers for the folder of a simulation: a map of facts about files that exist nowhere. Strings that may be the same are.
import {
  createStamp,
  type FileFacts,
  type Fingerprint,
  type MediaPath,
} from '../../src/media/media.ts'
import type { FolderFacts } from '../../src/pass-facts.ts'

/** A file by its number, under which everything else keeps what it knows of it. */
export interface ModelledFile extends FileFacts {
  readonly index: number
  readonly fingerprint: Fingerprint
}

export interface ModelledFolder extends FolderFacts {
  file(index: number): ModelledFile
  count(): number
  /** Drops so many new files in at once; answers their paths. */
  dropIn(count: number, changedAtMs: number): MediaPath[]
}

const SIZE_BYTES = 100_000
const BEFORE_NUMBER = 'posters/'
const DIGITS = 7

/** In one piece, as texts are that come from a disk; what was joined here would be kept, and compared, as a chain of its parts. */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

/** A path tells its number, so that no table of a million paths is needed to find a file. */
function numberIn(path: MediaPath): number {
  let number = 0
  for (let at = BEFORE_NUMBER.length; at < BEFORE_NUMBER.length + DIGITS; at++)
    number = number * 10 + path.charCodeAt(at) - 48
  return number
}

/** A folder that is empty until something is dropped in. */
export function createModelledFolder(): ModelledFolder {
  const files: ModelledFile[] = []

  const add = (changedAtMs: number, stamp: FileFacts['stamp']): MediaPath => {
    const index = files.length
    const file: ModelledFile = {
      path: flat(`${BEFORE_NUMBER}${String(index).padStart(DIGITS, '0')}.jpg`) as MediaPath,
      sizeBytes: SIZE_BYTES,
      // What changed when is told by the stamp; this is only kept, a million times.
      modifiedAtMs: 0,
      changedAtMs,
      stamp,
      index,
      fingerprint: flat(index.toString(16).padStart(64, '0')) as Fingerprint,
    }
    files.push(file)
    return file.path
  }

  return {
    get: (path) => files[numberIn(path)],
    isUnsettled: () => false,
    lookAt: () => {},
    paths: () => files.map(({ path }) => path),
    belief: () => ({ kind: 'believed' }),
    count: () => files.length,
    file(index) {
      const file = files[index]
      if (file === undefined) throw new RangeError(`there is no file ${index}`)
      return file
    },
    dropIn(count, changedAtMs) {
      const stamp = createStamp({ size: SIZE_BYTES, mtimeMs: changedAtMs, ctimeMs: changedAtMs })
      return Array.from({ length: count }, () => add(changedAtMs, stamp))
    },
  }
}
