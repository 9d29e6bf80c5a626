// Answers for keeping files and problems by path: a tree like the folder's own, so that a step costs the same in any folder.
import type { FileFacts, Problem } from '../media/media.ts'

/** What stands in the way of knowing what is at a path. */
interface Obstacle {
  readonly problem: Problem
  /** It may be a directory: nothing is known of what is below it. */
  readonly hidesBelow: boolean
}

/** One directory. All keys are names, not paths. */
export interface Branch {
  readonly files: Map<string, FileFacts>
  readonly obstacles: Map<string, Obstacle>
  readonly branches: Map<string, Branch>
}

const createBranch = (): Branch => ({ files: new Map(), obstacles: new Map(), branches: new Map() })

/** `['a/b', 'c.jpg']` of `a/b/c.jpg`. */
export function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash + 1)]
}

const partsOf = (directory: string): string[] => (directory === '' ? [] : directory.split('/'))

/** Makes an empty tree. */
export function createFolderTree() {
  const root = createBranch()

  function find(directory: string): Branch | undefined {
    let branch: Branch | undefined = root
    for (const part of partsOf(directory)) branch = branch?.branches.get(part)
    return branch
  }

  function grow(directory: string): Branch {
    let branch = root
    for (const part of partsOf(directory)) {
      const known = branch.branches.get(part)
      const next = known ?? createBranch()
      if (!known) branch.branches.set(part, next)
      branch = next
    }
    return branch
  }

  /** Cuts off a directory with all that is below it. */
  function cut(directory: string): Branch | undefined {
    if (directory === '') return undefined
    const [parent, name] = splitPath(directory)
    const branch = find(directory)
    find(parent)?.branches.delete(name)
    return branch
  }

  /** Whether the path itself has an obstacle, or a directory on the way to it one that hides what is below. */
  function isObstructed(path: string): boolean {
    const [directory, name] = splitPath(path)
    let branch: Branch | undefined = root
    for (const part of partsOf(directory)) {
      if (branch.obstacles.get(part)?.hidesBelow) return true
      branch = branch.branches.get(part)
      if (!branch) return false
    }
    return branch.obstacles.has(name)
  }

  return { root, find, grow, cut, isObstructed }
}

/** Every file at or below a branch, in no order. */
export function* filesOf(branch: Branch): Generator<FileFacts> {
  yield* branch.files.values()
  for (const below of branch.branches.values()) yield* filesOf(below)
}

/** Every problem at or below a branch, in no order. */
export function* problemsOf(branch: Branch): Generator<Problem> {
  for (const { problem } of branch.obstacles.values()) yield problem
  for (const below of branch.branches.values()) yield* problemsOf(below)
}
