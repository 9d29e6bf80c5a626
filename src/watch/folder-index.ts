// Answers for what the last look found, and for what of it is news. Holds it in memory; reads no disk and decides nothing but settling.
import type { FileFacts, MediaPath, Problem } from '../media/media.ts'
import type { Listing } from './folder-scan.ts'
import { createFolderTree, filesOf, problemsOf, splitPath } from './folder-tree.ts'
import { judgeSettling, type Observation } from './settle.ts'

/** What has become different since changes were last taken; a path stands in at most one of the first two. */
export interface Changes {
  /** Files that are new or different, and stand still. */
  readonly settled: ReadonlySet<MediaPath>
  readonly vanished: ReadonlySet<MediaPath>
  readonly problemsFound: ReadonlyMap<MediaPath, Problem>
  readonly problemsSolved: ReadonlySet<MediaPath>
}

interface Waiting {
  readonly observation: Observation
  readonly lookAgainAtMs: number
}

/** Makes an empty index. Every update costs the same, however large the folder; a listing costs what it lists. */
export function createFolderIndex(settings: { readonly settleMs: number }) {
  const tree = createFolderTree()
  const unsettled = new Map<MediaPath, Waiting>()
  let fileCount = 0
  let changes = createChanges()

  /** Takes in that a regular file is there and can be read. */
  function see(facts: FileFacts, nowMs: number): void {
    const [directory, name] = splitPath(facts.path)
    const branch = tree.grow(directory)
    if (branch.branches.has(name)) cutBelow(facts.path)
    const known = branch.files.get(name)
    const waiting = unsettled.get(facts.path)
    if (branch.obstacles.get(name)?.problem.code === 'FILE_UNREADABLE') solve(facts.path)
    else if (!waiting && known?.stamp === facts.stamp) return
    if (!known) fileCount++
    branch.files.set(name, facts)
    const times = { nowMs, settleMs: settings.settleMs }
    const settling = judgeSettling(waiting?.observation, facts, times)
    if (settling.kind === 'settled') {
      unsettled.delete(facts.path)
      if (branch.obstacles.has(name)) solve(facts.path)
      changes.vanished.delete(facts.path)
      changes.settled.add(facts.path)
      return
    }
    unsettled.set(facts.path, settling)
    changes.settled.delete(facts.path)
    changes.vanished.delete(facts.path)
    if (settling.isProblem && !branch.obstacles.has(name))
      block(unsettledProblem(facts.path, settling.observation.firstSeenMs), false)
  }

  /** Takes in that something stands in the way; what was known of the path, and of what is hidden below it, stays known. */
  function block(problem: Problem, hidesBelow: boolean): void {
    const [directory, name] = splitPath(problem.path)
    const { obstacles } = tree.grow(directory)
    const known = obstacles.get(name)
    if (known?.problem.message === problem.message && known.hidesBelow === hidesBelow) return
    obstacles.set(name, { problem, hidesBelow })
    changes.problemsFound.set(problem.path, problem)
    changes.problemsSolved.delete(problem.path)
  }

  /**
   * Takes in that a path cannot be looked at: to look again and again would tell nothing. When it can, it is as new.
   * Below a file there is nothing; what may be a directory hides what it holds.
   */
  function close(problem: Problem, isFile: boolean): void {
    unsettled.delete(problem.path)
    if (isFile) cutBelow(problem.path)
    block(problem, !isFile)
  }

  function solve(path: MediaPath): void {
    const [directory, name] = splitPath(path)
    if (!tree.find(directory)?.obstacles.delete(name)) return
    changes.problemsFound.delete(path)
    changes.problemsSolved.add(path)
  }

  /** Takes in that nothing of ours is at the path any more: neither a file nor a directory. */
  function drop(path: string): void {
    const [directory, name] = splitPath(path)
    const file = tree.find(directory)?.files.get(name)
    if (file) forget(file)
    solve(path as MediaPath)
    cutBelow(path)
  }

  function cutBelow(directory: string): void {
    const branch = tree.cut(directory)
    if (!branch) return
    for (const below of filesOf(branch)) noteVanished(below.path)
    for (const { path: below } of problemsOf(branch)) changes.problemsSolved.add(below)
  }

  function forget(file: FileFacts): void {
    const [directory, name] = splitPath(file.path)
    tree.find(directory)?.files.delete(name)
    noteVanished(file.path)
  }

  function noteVanished(path: MediaPath): void {
    fileCount--
    unsettled.delete(path)
    changes.settled.delete(path)
    changes.vanished.add(path)
  }

  /** Takes in that a directory is at the path, where a file may have been. */
  function seeDirectory(path: string): void {
    const file = find(path as MediaPath)
    if (!file) return
    forget(file)
    solve(file.path)
  }

  /** Takes in a directory as it was read. Returns what is not in it any more, for `drop` once the folder is believed. */
  function takeIn(listing: Listing, nowMs: number): string[] {
    const { directory, state } = listing
    if (state === 'absent') return [directory]
    // Of the folder's own root no problem is told here: whether it can be read is a matter of belief.
    for (const problem of listing.problems)
      if (problem.path !== '') close(problem, listing.closedFiles?.has(problem.path) ?? false)
    if (state === 'unreadable') return []
    solve(directory as MediaPath)
    const present = new Set<string>(listing.directories)
    for (const path of listing.directories) seeDirectory(path)
    for (const { path } of listing.problems) present.add(path)
    for (const facts of listing.files) {
      present.add(facts.path)
      see(facts, nowMs)
    }
    return known(directory).filter((path) => !present.has(path))
  }

  function known(directory: string): string[] {
    const branch = tree.find(directory)
    if (!branch) return []
    const prefix = directory === '' ? '' : `${directory}/`
    const names = new Set([
      ...branch.files.keys(),
      ...branch.branches.keys(),
      ...branch.obstacles.keys(),
    ])
    return [...names].map((name) => `${prefix}${name}`)
  }

  function find(path: MediaPath): FileFacts | undefined {
    const [directory, name] = splitPath(path)
    return tree.find(directory)?.files.get(name)
  }

  /** Something is or may be at the path that cannot be judged now: still being written, or out of our reach. */
  const isUnsettled = (path: MediaPath) => unsettled.has(path) || tree.isObstructed(path)

  return {
    see,
    close,
    solve,
    drop,
    takeIn,
    seeDirectory,
    /** Whether anything at all is known of the path: a file, a problem, or something below it. */
    knows: (path: string) =>
      find(path as MediaPath) !== undefined ||
      tree.find(path) !== undefined ||
      tree.isObstructed(path),
    isUnsettled,
    /** The file at the path, once it stands still and can be read. */
    get: (path: MediaPath) => (isUnsettled(path) ? undefined : find(path)),
    /** Everything that is there, settled or not, at or below a directory. */
    files(under = ''): Iterable<FileFacts> {
      const branch = tree.find(under)
      return branch ? filesOf(branch) : []
    },
    problems: (): Iterable<Problem> => problemsOf(tree.root),
    fileCount: () => fileCount,
    unsettledCount: () => unsettled.size,
    /** Whose time has come to be looked at again. */
    dueLooks: (nowMs: number): MediaPath[] =>
      [...unsettled]
        .filter(([, { lookAgainAtMs }]) => lookAgainAtMs <= nowMs)
        .map(([path]) => path),
    /** When the next one's time comes; undefined when everything stands still. */
    nextLookAtMs(): number | undefined {
      let next: number | undefined
      for (const { lookAgainAtMs } of unsettled.values())
        next = Math.min(next ?? Infinity, lookAgainAtMs)
      return next
    },
    /** Hands over what is new since the last time, or undefined when nothing is. */
    takeChanges(): Changes | undefined {
      const taken = changes
      changes = createChanges()
      const sets = Object.values(taken)
      return sets.some(({ size }) => size > 0) ? taken : undefined
    },
  }
}

export type FolderIndex = ReturnType<typeof createFolderIndex>

const createChanges = () => ({
  settled: new Set<MediaPath>(),
  vanished: new Set<MediaPath>(),
  problemsFound: new Map<MediaPath, Problem>(),
  problemsSolved: new Set<MediaPath>(),
})

const unsettledProblem = (path: MediaPath, sinceMs: number): Problem => ({
  path,
  code: 'FILE_UNSETTLED',
  message: `cannot upload \`${path}\`: it is still being written since ${new Date(sinceMs).toISOString()}; have it written under a name ending in .part and renamed when complete`,
  sinceMs,
})
