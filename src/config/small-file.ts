// Answers for reading a small file without trusting its size, and for what to call it when that fails.
import { open } from 'node:fs/promises'

interface SmallFile {
  /** At most one byte more than the limit: then the file is too large. */
  readonly bytes: Uint8Array
  /** The permission bits, as in `chmod`. */
  readonly mode: number
}

/** Rejects with the errors of `node:fs`. */
export type ReadSmallFile = (path: string, maxBytes: number) => Promise<SmallFile>

/** Reads a file, pipe or device up to its end, or to one byte more than the limit. */
export const readSmallFile: ReadSmallFile = async (path, maxBytes) => {
  const handle = await open(path, 'r')
  try {
    const { mode } = await handle.stat()
    const chunks: Uint8Array[] = []
    for await (const chunk of handle.createReadStream({ end: maxBytes, autoClose: false })) {
      chunks.push(chunk)
    }
    return { bytes: Buffer.concat(chunks), mode: mode & 0o777 }
  } finally {
    await handle.close()
  }
}

/** Of an error of `node:fs`; undefined for any other. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

export const isNotThere = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')

/** Why a path could not be read, in words. */
export function explainReadError(error: unknown): string {
  if (isNotThere(error)) return 'there is no such file'
  const code = codeOf(error)
  if (code === 'EISDIR') return 'it is a directory'
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it'
  if (code === 'ELOOP') return 'its symbolic links go round in circles'
  return code ?? 'it cannot be read'
}
