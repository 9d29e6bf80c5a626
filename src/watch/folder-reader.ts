// Answers for bringing the index up to date from disk: all of it, or what hints point to. The only writer of the index.
// A directory is read after its watch stands, so that nothing falls between the two.
import type { FolderIndex } from './folder-index.ts'
import type { FolderScan } from './folder-scan.ts'
import { splitPath } from './folder-tree.ts'
import { UNDECODABLE } from './names.ts'
import type { Watcher } from './watcher.ts'

/** Directories that appear while we read are read in a further round; after so many, the next scan sees the rest. */
const MAX_ROUNDS = 5
/** Hinted paths looked at together. */
const LOOKS_AT_ONCE = 64

export interface ReaderDeps {
  readonly scan: FolderScan
  readonly index: FolderIndex
  readonly watcher: Pick<Watcher, 'cover' | 'keepOnly' | 'drop' | 'has'> | undefined
  readonly clock: { nowMs(): number }
  /** Looks at root and marker: whether what seems gone may be taken as gone. */
  readonly believe: () => Promise<boolean>
  readonly isStopped: () => boolean
}

/** Makes the reader; its two methods must not run at the same time. */
export function createFolderReader(deps: ReaderDeps) {
  const { scan, index, watcher, clock } = deps

  /** Reads the whole folder. */
  async function readAll(): Promise<void> {
    const { gone, seen, isComplete } = await read('')
    await dropGone(gone)
    if (isComplete && !deps.isStopped()) watcher?.keepOnly(seen)
  }

  /** Looks where hints point: at files, and into directories. */
  async function look(hints: ReadonlySet<string>): Promise<void> {
    const paths = new Set<string>()
    // Under such a name nothing can be found; its directory can tell what it is.
    for (const hint of hints) paths.add(hint.includes(UNDECODABLE) ? splitPath(hint)[0] : hint)
    const gone: string[] = []
    const waiting = [...paths]
    while (waiting.length > 0 && !deps.isStopped()) {
      const some = waiting.splice(-LOOKS_AT_ONCE)
      const found = await Promise.all(some.map((path) => scan.lookAt(path)))
      for (const [position, path] of some.entries()) {
        const seen = found[position]
        if (seen?.kind === 'file') index.see(seen.facts, clock.nowMs())
        else if (seen?.kind === 'problem') index.close(seen.problem, seen.isFile === true)
        else if (seen?.kind === 'directory') gone.push(...(await enter(path)))
        else if (index.knows(path)) gone.push(path)
      }
    }
    await dropGone(gone)
  }

  /** A directory that is watched needs a look at itself only: what happens below it is told by hints of its own. */
  async function enter(directory: string): Promise<readonly string[]> {
    index.seeDirectory(directory)
    if (watcher?.has(directory)) return index.takeIn(await scan.list(directory), clock.nowMs())
    return (await read(directory)).gone
  }

  async function read(under: string) {
    const gone: string[] = []
    const seen = new Set<string>()
    let isComplete = true
    if (watcher && !watcher.has(under)) await watcher.cover(await scan.directories(under))
    let fresh: readonly string[] = [under]
    for (let round = 0; round < MAX_ROUNDS && fresh.length > 0; round++) {
      for (const directory of fresh)
        for await (const listings of scan.walk(directory)) {
          if (deps.isStopped()) return { gone: [], seen, isComplete: false }
          for (const listing of listings) {
            gone.push(...index.takeIn(listing, clock.nowMs()))
            seen.add(listing.directory)
            isComplete &&= listing.state === 'read'
          }
        }
      fresh = await coverFresh(seen)
    }
    return { gone, seen, isComplete }
  }

  /** Those that were read before they had a watch, and have one now. */
  async function coverFresh(seen: ReadonlySet<string>): Promise<readonly string[]> {
    if (!watcher) return []
    const fresh = [...seen].filter((directory) => !watcher.has(directory))
    if (fresh.length > 0) await watcher.cover(fresh)
    return fresh.filter((directory) => watcher.has(directory))
  }

  async function dropGone(gone: readonly string[]): Promise<void> {
    if (gone.length === 0 || !(await deps.believe())) return
    for (const path of gone) {
      index.drop(path)
      watcher?.drop(path)
    }
  }

  return { readAll, look }
}
