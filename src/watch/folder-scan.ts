// Answers for reading the folder from disk: the truth that every hint only points to. Remembers nothing between two looks.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileFacts, Problem } from '../media/media.ts'
import { codeOf, createLook, type Found, type LookDeps, unreadableProblem } from './look.ts'
import { readNamesAsBytes, UNDECODABLE, undecodableProblem } from './names.ts'

/** What one directory holds; directories are named relative to the folder, which itself is ''. */
export interface Listing {
  readonly directory: string
  /** `unreadable`: it is there, and nothing is known of what it holds. `absent`: it went while we walked. */
  readonly state: 'read' | 'unreadable' | 'absent'
  readonly files: readonly FileFacts[]
  readonly directories: readonly string[]
  readonly problems: readonly Problem[]
  /** Those of the problems that are of files: below them there is nothing. */
  readonly closedFiles?: ReadonlySet<string>
}

export interface FolderScan {
  lookAt(path: string): Promise<Found>
  /** Reads one directory, not what lies below it. */
  list(directory: string): Promise<Listing>
  /** Reads a directory and everything below it, several directories at a time; between two yields nothing is under way. */
  walk(under: string): AsyncGenerator<readonly Listing[]>
  /** Names a directory and every one below it, without looking at a single file: a tenth of a walk's cost. */
  directories(under: string): Promise<string[]>
}

const DIRECTORIES_AT_ONCE = 8

/** Makes the reader of one folder. */
export function createFolderScan(deps: LookDeps): FolderScan {
  const { root, isIgnored, clock } = deps
  const { lookAt, lookAtAll } = createLook(deps)

  async function list(directory: string): Promise<Listing> {
    const files: FileFacts[] = []
    const directories: string[] = []
    const problems: Problem[] = []
    const closedFiles = new Set<string>()
    try {
      const { names, undecodable } = await readNames(join(root, directory))
      const paths = names.map((name) => within(directory, name)).filter((path) => !isIgnored(path))
      for (const name of undecodable)
        problems.push(undecodableProblem(within(directory, name), clock.nowMs()))
      await lookAtAll(paths, (path, found) => {
        if (found.kind === 'file') files.push(found.facts)
        else if (found.kind === 'directory') directories.push(path)
        else if (found.kind === 'problem') problems.push(found.problem)
        if (found.kind === 'problem' && found.isFile) closedFiles.add(path)
      })
      return { directory, state: 'read', files, directories, problems, closedFiles }
    } catch (error) {
      const code = codeOf(error)
      // Without a code it is not the disk that failed, but we.
      if (code === 'UNKNOWN') throw error
      return unlisted(directory, code)
    }
  }

  function unlisted(directory: string, code: string): Listing {
    const nothing = { directory, files: [], directories: [], problems: [] }
    if (code === 'ENOENT' || code === 'ENOTDIR') return { ...nothing, state: 'absent' }
    const problem = unreadableProblem(directory, code, clock.nowMs())
    return { ...nothing, state: 'unreadable', problems: [problem] }
  }

  async function* walk(under: string): AsyncGenerator<readonly Listing[]> {
    const waiting = [under]
    while (waiting.length > 0) {
      const batch = waiting.splice(-DIRECTORIES_AT_ONCE)
      const listings = await Promise.all(batch.map(list))
      for (const { directories } of listings) for (const path of directories) waiting.push(path)
      yield listings
    }
  }

  async function directories(under: string): Promise<string[]> {
    const found = [under]
    // Grows while it is walked: what is found is looked into.
    for (let next = 0; next < found.length; ) {
      const batch = found.slice(next, next + DIRECTORIES_AT_ONCE)
      next += batch.length
      for (const paths of await Promise.all(batch.map(subdirectories)))
        for (const path of paths) found.push(path)
    }
    return found
  }

  async function subdirectories(directory: string): Promise<string[]> {
    try {
      const entries = await readdir(join(root, directory), { withFileTypes: true })
      return entries
        .filter((entry) => entry.isDirectory() && !entry.name.includes(UNDECODABLE))
        .map((entry) => within(directory, entry.name))
        .filter((path) => !isIgnored(path))
    } catch (error) {
      // Gone or unreadable: the walk that follows says so, this only prepares it.
      if (codeOf(error) === 'UNKNOWN') throw error
      return []
    }
  }

  return { lookAt, list, walk, directories }
}

const within = (directory: string, name: string): string =>
  directory === '' ? name : `${directory}/${name}`

async function readNames(directory: string): Promise<{ names: string[]; undecodable: string[] }> {
  const names = await readdir(directory)
  return names.some((name) => name.includes(UNDECODABLE))
    ? readNamesAsBytes(directory)
    : { names, undecodable: [] }
}
