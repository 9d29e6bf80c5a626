// Answers for passes: merges what asks for one, gathers the facts, plans, hands the steps to the queue, and takes in what comes of them.
// One runs at a time and none waits for its transfers. Decides nothing itself: that is plan/plan.ts.
import { FileUnreadable, isMirrorError, type MirrorError } from './errors.ts'
import type { Manifest } from './manifest/manifest.ts'
import type {
  FileFacts,
  ManifestEntry,
  MediaPath,
  Problem,
  ProblemCode,
  Reference,
} from './media/media.ts'
import { type PlanPolicy, planPass } from './plan/plan.ts'
import { landingPath, type Step } from './plan/step.ts'
import type { Emit } from './support/events.ts'
import type { Perform } from './transfer/perform.ts'
import type { TransferQueue } from './transfer/transfer-queue.ts'

/** Paths are planned this many at a time, so that a pass over a large folder never holds up the event loop. */
const CHUNK_PATHS = 1000
/** At most so many due entries are looked at in one pass; they come earliest first, and the next tick takes the next. */
const MAX_DUE = 20_000
/** Below this many missing files their number alone is no reason for doubt. */
const MIN_VANISHED = 20

/** What a pass should look at; requests made while one runs are merged into the next. */
export interface PassRequest {
  readonly because: string
  readonly paths?: Iterable<MediaPath>
  /** Everything in folder and manifest. */
  readonly all?: boolean
  /** What has become due, and what earlier passes left undone. */
  readonly due?: boolean
  /** Also act on files that are gone. */
  readonly missing?: boolean
}

/** What a pass needs to know of the folder. */
export interface FolderFacts {
  /** The file at the path, once it has settled. */
  get(path: MediaPath): FileFacts | undefined
  isUnsettled(path: MediaPath): boolean
  paths(): Iterable<MediaPath>
  belief():
    | { readonly kind: 'believed' }
    | { readonly kind: 'doubted'; readonly because: string; readonly hint: string }
}

export interface Passes {
  request(request: PassRequest): void
  /** Resolves when no pass runs or is asked for; transfers may still be under way. */
  planned(): Promise<void>
  /** The steps that a full pass would take now; takes none. */
  preview(): Promise<Step[]>
  /** What stands in the manifest while its file is gone. */
  missing(): ReadonlySet<MediaPath>
  /** Why nothing is done about the folder, or about what is missing in it, without a person's word. */
  doubt(): Promise<{ because: string; hint: string } | null>
  /** For the queue: performs a step and turns its failure into a problem, a postponement or an open circuit. */
  readonly perform: Perform
}

interface Scope {
  paths: Set<MediaPath>
  all: boolean
  due: boolean
  missing: boolean
  reasons: Set<string>
}

const emptyScope = (): Scope => ({
  paths: new Set(),
  all: false,
  due: false,
  missing: false,
  reasons: new Set(),
})

export function createPasses(deps: {
  folder: FolderFacts
  manifest: Manifest
  /** Late-bound: queue and passes know each other. */
  queue: () => Pick<TransferQueue, 'submit' | 'withdraw'>
  perform: Perform
  policy: Omit<PlanPolicy, 'actOnMissing'>
  /** The service's clock. */
  clock: { nowMs(): number }
  emit: Emit
  /** An error that nobody foresaw: the program must not go on as if nothing had happened. */
  onBug: (error: unknown) => void
}): Passes {
  const { folder, manifest, clock, emit } = deps
  let wanted = emptyScope()
  let running: Promise<void> | undefined
  /** Paths that are not yet as they should be; looked at again on every tick. */
  const undone = new Set<MediaPath>()
  const missing = new Set<MediaPath>()
  /** Whether the number of missing files is a reason for doubt, as last told. */
  let doubted = false
  /** Sizes of files that have no entry yet. */
  const fresh = new Map<MediaPath, number>()

  function request({ because, paths = [], all, due, missing: actOnMissing }: PassRequest) {
    for (const path of paths) wanted.paths.add(path)
    wanted.all ||= all ?? false
    wanted.due ||= due ?? false
    wanted.missing ||= actOnMissing ?? false
    wanted.reasons.add(because)
    running ??= runAll()
      .catch(deps.onBug)
      .finally(() => {
        running = undefined
      })
  }

  async function runAll() {
    // A turn later, so that requests made in one breath become one pass.
    await Promise.resolve()
    while (wanted.reasons.size > 0) {
      const scope = wanted
      wanted = emptyScope()
      await runOne(scope)
    }
  }

  async function runOne(scope: Scope) {
    const startedAtMs = clock.nowMs()
    let stepCount = 0
    for await (const steps of planScope(scope)) {
      for (const step of steps) undone.add(step.path)
      stepCount += steps.length
      deps.queue().submit(steps, clock.nowMs())
    }
    const because = [...scope.reasons].join(', ')
    emit({ kind: 'pass-planned', because, steps: stepCount, tookMs: clock.nowMs() - startedAtMs })
  }

  async function* planScope(scope: Scope): AsyncGenerator<Step[]> {
    const paths = await gatherPaths(scope)
    const references = scope.all || scope.due || scope.missing ? await openReferences() : []
    const chunks = [...chunked(paths)]
    // Looked at first, all of them: whether a missing file was renamed is known only when every new one has been seen.
    if (scope.missing) for (const chunk of chunks) await look(chunk)
    const actOnMissing = scope.missing && !(await tooManyMissing())
    for (const chunk of chunks.length > 0 ? chunks : [[]]) {
      const { files, unsettled, entries, problems } = await look(chunk)
      yield planPass(
        {
          folder: {
            files,
            unsettled,
            believed: folder.belief().kind === 'believed',
            newSizes: new Set(fresh.values()),
          },
          manifest: { entries, problems },
          references: chunk === chunks[0] || chunks.length === 0 ? references : [],
          policy: { ...deps.policy, actOnMissing },
        },
        clock.nowMs(),
      )
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async function gatherPaths(scope: Scope): Promise<Set<MediaPath>> {
    const paths = new Set(scope.paths)
    if (scope.due || scope.missing) for (const path of [...undone, ...missing]) paths.add(path)
    if (scope.due)
      for (const entry of await manifest.findDue(clock.nowMs(), MAX_DUE)) paths.add(entry.path)
    if (!scope.all) return paths
    for (const path of folder.paths()) paths.add(path)
    for await (const entry of manifest.entries()) paths.add(entry.path)
    for await (const problem of manifest.problems()) paths.add(problem.path)
    return paths
  }

  async function openReferences(): Promise<Reference[]> {
    const open: Reference[] = []
    for await (const reference of manifest.references())
      if (reference.state === 'accepted') open.push(reference)
    return open
  }

  /** The facts about some paths; keeps the three sets true on the way. */
  async function look(paths: readonly MediaPath[]) {
    const files = new Map<MediaPath, FileFacts>()
    const unsettled = new Set<MediaPath>()
    const entries = new Map<MediaPath, ManifestEntry>()
    const problems = new Map<MediaPath, Problem>()
    for (const path of paths) {
      const [entry, problem] = [await manifest.findEntry(path), await manifest.findProblem(path)]
      const file = folder.get(path)
      const isUnsettled = folder.isUnsettled(path)
      if (file) files.set(path, file)
      if (isUnsettled) unsettled.add(path)
      if (entry) entries.set(path, entry)
      if (problem) problems.set(path, problem)
      if (file && !entry && !problem) fresh.set(path, file.sizeBytes)
      else fresh.delete(path)
      if (entry && !file && !isUnsettled) missing.add(path)
      else missing.delete(path)
      undone.delete(path)
    }
    return { files, unsettled, entries, problems }
  }

  async function tooManyMissing(): Promise<boolean> {
    const doubts =
      missing.size >= MIN_VANISHED && missing.size > (await manifest.count()).entries / 2
    if (doubts && !doubted) emit({ kind: 'folder-doubted', ...vanishedDoubt() })
    if (!doubts && doubted) emit({ kind: 'folder-believed' })
    doubted = doubts
    return doubts
  }

  const vanishedDoubt = () => ({
    because: `${missing.size} files, more than half of what the manifest knows, vanished at once`,
    hint: 'Put the files back, or say `wecom-media-mirror forget --vanished`.',
  })

  async function preview(): Promise<Step[]> {
    const steps: Step[] = []
    for await (const some of planScope({ ...emptyScope(), all: true, due: true, missing: true }))
      steps.push(...some)
    return steps
  }

  const perform: Perform = async (step, signal) => {
    try {
      await deps.perform(step, signal)
      undone.delete(step.path)
      fresh.delete(step.path)
    } catch (error) {
      if (signal.aborted) return
      await takeIn(step, asForeseen(step, error)).catch(deps.onBug)
    }
  }

  /** What a failed step means: the file's own fault is recorded, everyone else's waits for a later pass. */
  async function takeIn(step: Step, error: MirrorError): Promise<void> {
    if (error.remedy !== 'skip') return emit({ kind: 'step-postponed', path: step.path, error })
    // What could not be read may be readable at the next tick, with no sign of it in the file itself.
    if (error.code !== 'FILE_UNREADABLE') undone.delete(step.path)
    if (step.kind === 'land') return recordLoss(step.reference, error)
    const known = await manifest.findProblem(step.path)
    const problem = describeProblem(step, error, known, clock.nowMs())
    if (known?.message === problem.message && known.stamp === problem.stamp) return
    await manifest.commit([{ kind: 'put-problem', problem }])
    emit({ kind: 'problem-found', problem, hint: error.hint })
  }

  async function recordLoss(reference: Reference, error: MirrorError): Promise<void> {
    const { message } = error
    await manifest.commit([
      { kind: 'put-reference', reference: { ...reference, state: 'lost', message } },
    ])
    emit({
      kind: 'lost',
      path: landingPath(reference.mediaId, reference.path),
      mediaId: reference.mediaId,
      message,
    })
  }

  return {
    request,
    async planned() {
      while (running) await running
    },
    preview,
    missing: () => missing,
    async doubt() {
      const belief = folder.belief()
      if (belief.kind === 'doubted') return { because: belief.because, hint: belief.hint }
      return (await tooManyMissing()) ? vanishedDoubt() : null
    },
    perform,
  }
}

function* chunked(paths: Iterable<MediaPath>): Generator<MediaPath[]> {
  let chunk: MediaPath[] = []
  for (const path of paths) {
    chunk.push(path)
    if (chunk.length < CHUNK_PATHS) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/** What the operating system refuses (a full disk, a lost permission) is foreseen; anything else is a bug and goes on as one. */
function asForeseen(step: Step, error: unknown): MirrorError {
  if (isMirrorError(error)) return error
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) throw error
  return new FileUnreadable(
    `cannot ${step.kind} \`${step.path}\`: ${syscall} failed with ${code}`,
    {
      cause: error,
      hint: 'See that the disk has room and that the daemon may read and write the folder; it is tried again at every rescan.',
    },
  )
}

const PROBLEM_CODES: Readonly<Record<MirrorError['code'], ProblemCode>> = {
  MEDIA_UNACCEPTABLE: 'MEDIA_UNACCEPTABLE',
  FILE_UNREADABLE: 'FILE_UNREADABLE',
  WECOM_REFUSED: 'MEDIA_REFUSED',
  WECOM_UNREACHABLE: 'MEDIA_REFUSED',
  CONFIG: 'MEDIA_REFUSED',
  MANIFEST_UNREADABLE: 'FILE_UNREADABLE',
  MANIFEST_UNWRITABLE: 'FILE_UNREADABLE',
}

function describeProblem(
  step: Step,
  error: MirrorError,
  known: Problem | undefined,
  nowMs: number,
): Problem {
  const code = PROBLEM_CODES[error.code]
  return {
    path: step.path,
    code,
    message: error.message,
    sinceMs: known?.code === code ? known.sinceMs : nowMs,
    ...('file' in step ? { stamp: step.file.stamp } : {}),
  }
}
