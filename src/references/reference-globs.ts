// Answers for which files `references.files` names at this moment. Not for what is in them.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createGlob } from '../media/glob.ts'

/** Beyond so many the setting names something else than reference files. */
const MOST_FILES = 1000

/** A path as it stands, whether or not there is such a file; of a glob, what it finds, in order. */
export async function expandPattern(pattern: string): Promise<readonly string[]> {
  if (!GLOB.test(pattern)) return [pattern]
  let found = ['/']
  for (const part of pattern.split('/').filter((text) => text !== '')) {
    const next: string[] = []
    for (const directory of found) next.push(...(await step(directory, part)))
    found = next.slice(0, MOST_FILES)
  }
  return found
}

const GLOB = /[*?[\]{}]/

async function step(directory: string, part: string): Promise<string[]> {
  if (!GLOB.test(part)) return [join(directory, part)]
  const matches = createGlob(part)
  // As a shell has it, what begins with a dot is not found by chance.
  const isMeant = (name: string) => matches(name) && (!name.startsWith('.') || part.startsWith('.'))
  return (await namesIn(directory)).filter(isMeant).map((name) => join(directory, name))
}

/** A directory that is not there, or is closed, holds nothing now; the next look may find it. */
async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ESTALE', 'EIO'].includes(code ?? '')) return []
    throw error
  }
}
