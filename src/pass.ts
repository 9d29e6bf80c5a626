// Answers for passes: merges what asks for one, plans, hands the steps to the queue, and takes in what comes of them.
// One runs at a time and none waits for its transfers. Decides nothing itself: that is plan/plan.ts.
import type { MirrorError } from './errors.ts'
import { createFailedSteps } from './failed-step.ts'
import type { Manifest } from './manifest/manifest.ts'
import type { MediaId, MediaPath } from './media/media.ts'
import { createPassFacts, type FolderFacts, type OfferFacts } from './pass-facts.ts'
import { createPassPlan, lookAtAll, NOTHING, type PassFactsReader } from './pass-plan.ts'
import { add, createWish, type PassRequest, type Wish, wishForEverything } from './pass-wish.ts'
import { createMassLoss, type Missing, type Verdict } from './plan/mass-loss.ts'
import type { PlanPolicy } from './plan/plan.ts'
import type { Step } from './plan/step.ts'
import type { RenewalRelease } from './renewal-release.ts'
import type { Emit } from './support/events.ts'
import type { Turns } from './support/turns.ts'
import type { Perform } from './transfer/perform.ts'
import type { TransferQueue } from './transfer/transfer-queue.ts'

export interface Passes {
  request(request: PassRequest): void
  /** Resolves when no pass runs or is asked for; transfers may still be under way. */
  planned(): Promise<void>
  /** The steps that a full pass would take now; takes none. */
  preview(): Promise<Step[]>
  /** How many entries are without their file, as the passes so far have seen. */
  missingCount(): Promise<number>
  /** Looks at everything: what stands in the manifest while its file is gone. */
  findMissing(): Promise<ReadonlySet<MediaPath>>
  /** A person has decided about all that is missing: it is no reason for doubt any more, and these are to come back. */
  takeWord(back: Iterable<MediaPath>): void
  /** Why nothing is done about the folder, or about what is missing in it, without a person's word. */
  doubt(): Promise<{ because: string; hint: string } | null>
  /** What the last attempt on this path failed with, if it was postponed and none has gone well since. */
  lastError(path: MediaPath): MirrorError | undefined
  /** For the queue: performs a step and takes in its failure. */
  readonly perform: Perform
}

export function createPasses(deps: {
  folder: FolderFacts
  manifest: Manifest
  /** Late-bound: queue and passes know each other. */
  queue: () => Pick<TransferQueue, 'submit'>
  perform: Perform
  renewals: Pick<RenewalRelease, 'take'>
  offers?: OfferFacts | undefined
  policy: Omit<PlanPolicy, 'actOnMissing' | 'judgeAgain' | 'wantedBack'>
  /** The service's clock. */
  clock: { nowMs(): number }
  /** Whether WeCom is not called at present. */
  isOutage: () => boolean
  referenceTurns?: Turns<MediaId>
  emit: Emit
  /** An error that nobody foresaw: the program must not go on as if nothing had happened. */
  onBug: (error: unknown) => void
}): Passes {
  const { folder, manifest, clock, emit } = deps
  const massLoss = createMassLoss(clock)
  const facts = createPassFacts({ ...deps, onMissing: massLoss.noteVanished })
  const failures = createFailedSteps(deps)
  const planScope = createPassPlan({ ...deps, wantedBack: massLoss.wantedBack })
  /** Paths where a medium is to land as soon as what is planned there before it is done. */
  const crowded = new Set<MediaPath>()
  /** What the next pass will look at, if anyone asked for one. */
  let wish: Wish | undefined
  let running: Promise<void> | undefined
  /** Whether the number of missing files is a reason for doubt, as last told. */
  let doubted = false

  function request(request: PassRequest) {
    wish ??= createWish()
    add(wish, request)
    running ??= runAll()
      .catch(deps.onBug)
      .finally(() => {
        running = undefined
      })
  }

  async function runAll() {
    // A turn later, so that wishes made in one breath become one pass.
    await Promise.resolve()
    while (wish) {
      const granted = wish
      wish = undefined
      await runOne(granted)
    }
  }

  async function runOne(scope: Wish) {
    const startedAtMs = clock.nowMs()
    let stepCount = 0
    const released = scope.due ? await deps.renewals.take() : NOTHING
    const view = {
      facts,
      judge: () => judgeMissing(scope.asked),
      noteCrowded: (path: MediaPath) => void crowded.add(path),
    }
    for await (const steps of planScope(scope, view, released)) {
      stepCount += steps.length
      deps.queue().submit(steps, clock.nowMs())
    }
    emit({
      kind: 'pass-planned',
      because: [...scope.reasons].join(', '),
      steps: stepCount,
      tookMs: clock.nowMs() - startedAtMs,
    })
  }

  async function judgeMissing(isAsked: boolean): Promise<Verdict> {
    const missing = await describeMissing(facts)
    const verdict = massLoss.judge(missing, isAsked)
    const doubts = verdict === 'doubt'
    if (doubts && !doubted) emit({ kind: 'folder-doubted', ...massLossDoubt(missing) })
    if (!doubts && doubted) emit({ kind: 'folder-believed' })
    doubted = doubts
    return verdict
  }

  const describeMissing = async (facts: PassFactsReader): Promise<Missing> => ({
    paths: await facts.surelyMissing(),
    entryCount: (await manifest.count()).entries,
  })

  async function preview(): Promise<Step[]> {
    const steps: Step[] = []
    const glance = createPassFacts(deps)
    const judge = async () =>
      massLoss.isDoubtful(await describeMissing(glance)) ? 'doubt' : ('act' as const)
    const view = { facts: glance, judge, noteCrowded: () => {} }
    for await (const some of planScope(wishForEverything(), view)) steps.push(...some)
    return steps
  }

  async function findMissing(): Promise<ReadonlySet<MediaPath>> {
    const glance = createPassFacts(deps)
    const paths = await glance.gatherPaths(wishForEverything(), NOTHING)
    await lookAtAll(glance, paths)
    return glance.missing
  }

  const perform: Perform = async (step, signal) => {
    try {
      await deps.perform(step, signal)
      failures.succeeded(step.path)
      markDone(step.path)
      if (isAboutMissing(step)) massLoss.noteAct(step.path, step.kind !== 'restore')
      if (step.kind === 'restore' || step.kind === 'land' || step.kind === 'take')
        await facts.markBrought(step.path)
      if (await isSeenOtherwise(step.path)) folder.lookAt(step.path)
      else lookAtOffers(step)
    } catch (error) {
      if (!signal.aborted) await takeInFailure(step, error).catch(deps.onBug)
    }
    if (step.kind === 'upload' || step.kind === 'renew') facts.lookAgainIfGone(step.path)
  }

  /** Not where the step only waits for another attempt: so would the landing that comes after it. */
  function markDone(path: MediaPath) {
    facts.markDone(path)
    if (crowded.delete(path))
      request({ because: 'another medium is to land there', due: true, paths: [path] })
  }

  /**
   * Whether the folder knows the file as it was at another moment than the step did. One link more or less alters the stamp, and nobody
   * tells: placing a file makes one and takes it away. Every pass would take it for changed until the next rescan.
   */
  async function isSeenOtherwise(path: MediaPath): Promise<boolean> {
    const file = folder.get(path)
    if (!file) return false
    const entry = await manifest.findEntry(path)
    return entry !== undefined && entry.stamp !== file.stamp
  }

  /** What was done about a path may let another host's word about it be judged, or about the one that it is a copy of. */
  function lookAtOffers(step: Step) {
    const paths = [step.path, ...(step.kind === 'take' && step.beside ? [step.beside] : [])]
    const offered = paths.filter((path) => (deps.offers?.at(path) ?? []).length > 0)
    if (offered.length > 0) request({ because: 'other hosts have it, too', paths: offered })
  }

  async function takeInFailure(step: Step, error: unknown) {
    const againAtMs = await failures.takeIn(step, error)
    // Said here and not left to chance: a look in between may have taken the path for done.
    if (againAtMs === undefined) markDone(step.path)
    else facts.leaveUndone(step.path, againAtMs)
  }

  return {
    request,
    async planned() {
      while (running) await running
    },
    preview,
    missingCount: facts.countMissing,
    findMissing,
    takeWord: massLoss.takeWord,
    async doubt() {
      const belief = folder.belief()
      if (belief.kind === 'doubted') return { because: belief.because, hint: belief.hint }
      const missing = await describeMissing(facts)
      return massLoss.isDoubtful(missing) ? massLossDoubt(missing) : null
    },
    lastError: failures.lastError,
    perform,
  }
}

const massLossDoubt = ({ paths }: Missing) => ({
  because: `more than half of what the manifest knows vanished within ten minutes; ${paths.size} files are gone`,
  hint: 'Put the files back, or say `wecom-media-mirror sync --restore-vanished` to fetch them from WeCom while their ids live, or `wecom-media-mirror forget --vanished`.',
})

const isAboutMissing = (step: Step): boolean =>
  step.kind === 'restore' ||
  step.kind === 'report-lost' ||
  (step.kind === 'forget' && !step.evenIfThere)
