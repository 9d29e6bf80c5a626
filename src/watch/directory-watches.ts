// Answers for inotify watches, one per directory, by chokidar. Tells of everything that may have changed; looks at nothing itself.
//
// chokidar lists and stats whatever it watches before it is ready: over 100,000 files at once that takes half a gigabyte and
// stalls the loop for a second. So it is given few directories at a time, each for itself, and ignores everything in them: what
// remains are its `raw` events, which come at once and for every name. The scan is the truth, so nothing else is needed.
import { basename, dirname, relative } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'

/** One chokidar per so many directories: the fewer, the smaller the peak; above this it shows (measured). */
const DIRECTORIES_PER_WATCHER = 16

interface Watched {
  readonly watcher: FSWatcher
  /** The directories that this watcher still watches; it is closed with the last of them. */
  readonly directories: Set<string>
  /** Ends the wait for watches that stand, also when they were given up before they did. */
  readonly settle: () => void
}

export interface DirectoryWatches {
  /** Resolves when the watches stand: from then on no change goes unnoticed. Stops at the first that the system refuses. */
  add(directories: readonly string[]): Promise<void>
  /** Gives up the watches of a directory and of all below it; harmless when there are none. */
  drop(directory: string): void
  has(directory: string): boolean
  directories(): Iterable<string>
  close(): Promise<void>
}

/** Makes watches for directories below `root`, named relative to it; `root` itself is ''. */
export function createDirectoryWatches(deps: {
  readonly root: string
  /** Something may have changed at this path. */
  readonly onHint: (path: string) => void
  readonly onError: (error: Error) => void
}): DirectoryWatches {
  const { root, onHint } = deps
  const watched = new Map<string, Watched>()
  const below = new Map<string, Set<string>>()
  const closing = new Set<Promise<void>>()
  /** A scan may still be asking for watches then; one that stood would keep the whole mirror in memory, reload after reload. */
  let isClosed = false

  const absolute = (directory: string) => (directory === '' ? root : `${root}/${directory}`)

  async function add(directories: readonly string[]): Promise<void> {
    const fresh = directories.filter((path) => !watched.has(path) && isWatchable(absolute(path)))
    for (let first = 0; first < fresh.length && !isClosed; first += DIRECTORIES_PER_WATCHER) {
      const stands = await addFew(fresh.slice(first, first + DIRECTORIES_PER_WATCHER))
      if (!stands) return
    }
  }

  async function addFew(directories: readonly string[]): Promise<boolean> {
    const refused = new Set<string>()
    const paths = directories.map(absolute)
    const own = new Set(paths)
    const watcher = watch(paths, {
      ignored: (path) => !own.has(path),
      depth: 0,
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
    })
    const stands = Promise.withResolvers<void>()
    const entry = { watcher, directories: new Set(directories), settle: stands.resolve }
    for (const directory of directories) remember(directory, entry)
    watcher.on('raw', (event, name, details) => hear(event, name, details))
    watcher.on('unlinkDir', (path) => {
      drop(relative(root, path))
      onHint(relative(root, path))
    })
    watcher.on('error', (error) => {
      const path = isRefusal(error) ? error.path : undefined
      if (path !== undefined) refused.add(relative(root, path))
      deps.onError(error instanceof Error ? error : new Error(String(error)))
    })
    watcher.once('ready', stands.resolve)
    await stands.promise
    // What went meanwhile would be waited for by listing its parent at every event.
    const standing = watcher.getWatched()
    for (const directory of directories)
      if (refused.has(directory) || !Object.hasOwn(standing, absolute(directory))) drop(directory)
    return refused.size === 0
  }

  function remember(directory: string, entry: Watched) {
    watched.set(directory, entry)
    if (directory === '') return
    const parent = parentOf(directory)
    const siblings = below.get(parent)
    if (siblings) siblings.add(directory)
    else below.set(parent, new Set([directory]))
  }

  /** `details` is whatever the backend gives: chokidar promises nothing of raw events. */
  function hear(event: string, name: unknown, details: unknown) {
    const path = (details as { watchedPath?: unknown } | undefined)?.watchedPath
    if (typeof path !== 'string') return onHint('')
    const directory = relative(root, path)
    if (typeof name !== 'string' || name === '') return onHint(directory)
    const child = directory === '' ? name : `${directory}/${name}`
    // Created, moved or deleted: a watch follows the old directory wherever it goes, so it must not outlive its name.
    if (event === 'rename') drop(child)
    onHint(child)
    // A directory's own end is told under its own name, as if it were a child of itself.
    if (event === 'rename' && name === basename(path)) onHint(directory)
  }

  function drop(directory: string) {
    // Walked from the top down, and a directory is forgotten before its children: this ends.
    const waiting = [directory]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const child of below.get(next) ?? []) waiting.push(child)
      below.delete(next)
      release(next)
    }
  }

  function release(directory: string) {
    const entry = watched.get(directory)
    if (!entry) return
    watched.delete(directory)
    if (directory !== '') below.get(parentOf(directory))?.delete(directory)
    entry.directories.delete(directory)
    // Now, not later: chokidar would start to wait for the directory's return by listing its parent at every event.
    entry.watcher.unwatch(absolute(directory))
    if (entry.directories.size > 0) return
    entry.settle()
    const closed = entry.watcher.close().finally(() => closing.delete(closed))
    closing.add(closed)
  }

  return {
    add,
    drop,
    has: (directory) => watched.has(directory),
    directories: () => watched.keys(),
    async close() {
      isClosed = true
      drop('')
      for (const directory of [...watched.keys()]) release(directory)
      await Promise.all(closing)
    },
  }
}

/** chokidar takes a backslash for a slash. Known imperfection: a directory with one in its name is left to the scans. */
const isWatchable = (path: string): boolean => !path.includes('\\')

const parentOf = (directory: string): string => {
  const parent = dirname(directory)
  return parent === '.' ? '' : parent
}

const isRefusal = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error &&
  ['ENOSPC', 'EMFILE'].includes((error as NodeJS.ErrnoException).code ?? '')
