// Answers for names that are not UTF-8: Node shows such a name with U+FFFD in it, under which no file can be opened.
import { readdir } from 'node:fs/promises'
import type { MediaPath, Problem } from '../media/media.ts'

/** What Node puts in the place of bytes that it cannot decode. Also a character that a name may really have. */
export const UNDECODABLE = '\ufffd'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads a directory anew as bytes: the names that can be used, and those that cannot as a person can recognise them. */
export async function readNamesAsBytes(
  directory: string,
): Promise<{ names: string[]; undecodable: string[] }> {
  const names: string[] = []
  const undecodable: string[] = []
  for (const bytes of await readdir(directory, { encoding: 'buffer' })) {
    const name = decode(bytes)
    if (name === undefined) undecodable.push(showBytes(bytes))
    else names.push(name)
  }
  return { names, undecodable }
}

/** `caf\xE9.jpg`: what can be read as UTF-8, and the other bytes in hexadecimal. */
export function showBytes(bytes: Buffer): string {
  let shown = ''
  for (let offset = 0; offset < bytes.length; ) {
    const length = [1, 2, 3, 4].find(
      (n) => decode(bytes.subarray(offset, offset + n)) !== undefined,
    )
    const piece = bytes.subarray(offset, offset + (length ?? 1))
    shown += length ? decode(piece) : `\\x${piece.toString('hex').toUpperCase()}`
    offset += piece.length
  }
  return shown
}

/** The problem of a file whose name cannot be used; `path` is its name as shown. */
export const undecodableProblem = (path: string, nowMs: number): Problem => ({
  path: path as MediaPath,
  code: 'NAME_NOT_UTF8',
  message: `cannot upload \`${path}\`: its name is not UTF-8; rename it (\`convmv -f GBK -t UTF-8\` mends many at once)`,
  sinceMs: nowMs,
})

function decode(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    // The decoder's one way of saying "not UTF-8".
    return undefined
  }
}
