// Answers for the problems that the folder itself shows (a name, a permission, endless writing): keeps the manifest's in step.
// Problems found by transfers carry the stamp of their file, and are not touched here.
import { isMirrorError } from './errors.ts'
import type { Manifest } from './manifest/manifest.ts'
import type { MediaPath, Problem, ProblemCode } from './media/media.ts'
import type { Emit } from './support/events.ts'

const FOLDER_CODES: ReadonlySet<ProblemCode> = new Set([
  'FILE_UNREADABLE',
  'FILE_UNSETTLED',
  'NAME_NOT_UTF8',
])

const isFolders = (problem: Problem | undefined): problem is Problem =>
  problem !== undefined && problem.stamp === undefined && FOLDER_CODES.has(problem.code)

interface ProblemChanges {
  readonly problemsFound: ReadonlyMap<MediaPath, Problem>
  readonly problemsSolved: ReadonlySet<MediaPath>
}

export function createFolderProblems(deps: {
  manifest: Manifest
  emit: Emit
  /** What the folder shows at this moment; undefined while it is not believed. */
  present: () => Iterable<Problem> | undefined
}) {
  const { manifest, emit } = deps
  /** Something could not be recorded (a full disk): the whole is compared as soon as that can be done. */
  let isBehind = true

  async function found(problem: Problem): Promise<void> {
    const known = await manifest.findProblem(problem.path)
    if (known?.code === problem.code && known.message === problem.message) return
    await manifest.commit([{ kind: 'put-problem', problem }])
    emit({ kind: 'problem-found', problem, hint: undefined })
  }

  async function solved(path: MediaPath): Promise<void> {
    if (!isFolders(await manifest.findProblem(path))) return
    await manifest.commit([{ kind: 'drop-problem', path }])
    emit({ kind: 'problem-solved', path })
  }

  async function takeIn(changes: ProblemChanges): Promise<void> {
    for (const problem of changes.problemsFound.values()) await found(problem)
    for (const path of changes.problemsSolved) await solved(path)
  }

  /** What was known may be solved, and what was not known is there. */
  async function compareAll(): Promise<void> {
    const present = deps.present()
    if (!present) return
    const paths = new Set<MediaPath>()
    for (const problem of present) {
      paths.add(problem.path)
      await found(problem)
    }
    const known: Problem[] = []
    for await (const problem of manifest.problems()) if (isFolders(problem)) known.push(problem)
    for (const problem of known) if (!paths.has(problem.path)) await solved(problem.path)
    isBehind = false
  }

  /** One after the other, in the order of their telling. */
  let turn = Promise.resolve()
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = turn.then(work).catch((error: unknown) => {
      if (!isMirrorError(error) || error.remedy !== 'retry') throw error
      isBehind = true
    })
    turn = done.catch(() => {})
    return done
  }

  return {
    take: (changes: ProblemChanges) => inTurn(() => takeIn(changes)),
    /** Compares everything, if that was never done or something was missed. */
    catchUp: () => inTurn(async () => (isBehind ? compareAll() : undefined)),
    /** Resolves when everything told so far is recorded. */
    settled: () => turn,
  }
}
