// Answers for the plan of one pass: gathers what it looks at, looks, and hands on the steps piece by piece, so that a pass over a
// large folder never holds up the event loop. What a step is for is decided in plan/plan.ts; who asks, and what comes of it, is pass.ts.
import { setImmediate } from 'node:timers/promises'
import type { MediaPath, Reference } from './media/media.ts'
import type { createPassFacts, FolderFacts } from './pass-facts.ts'
import type { Wish } from './pass-wish.ts'
import type { Verdict } from './plan/mass-loss.ts'
import { type PlanPolicy, planPass } from './plan/plan.ts'
import type { Step } from './plan/step.ts'
import type { Released } from './renewal-release.ts'

/** Paths are planned this many at a time, so that a pass over a large folder never holds up the event loop. */
const CHUNK_PATHS = 1000

export type PassFactsReader = ReturnType<typeof createPassFacts>

/** What a plan is made of: the memory of the passes, or a glance that leaves it alone. */
export interface View {
  readonly facts: PassFactsReader
  readonly judge: () => Promise<Verdict>
  /** Something else is done at the path first, where a medium is to land. */
  readonly noteCrowded: (path: MediaPath) => void
}

/** Of a pass that looks at no renewals. */
export const NOTHING: Released = { due: new Set(), early: new Set() }
const NONE: ReadonlySet<MediaPath> = new Set()

/** Makes what plans a scope, as a view sees it. */
export function createPassPlan(deps: {
  folder: Pick<FolderFacts, 'belief'>
  policy: Omit<PlanPolicy, 'actOnMissing' | 'judgeAgain' | 'wantedBack'>
  /** What a person wants back of what is missing. */
  wantedBack: ReadonlySet<MediaPath>
  /** The service's clock. */
  clock: { nowMs(): number }
}) {
  const { folder, clock, wantedBack } = deps

  async function* planScope(
    scope: Wish,
    { facts, judge, noteCrowded }: View,
    released: Released = NOTHING,
  ): AsyncGenerator<Step[]> {
    let references = await facts.openReferences(scope)
    const landing = new Set(references.map(({ mediaId }) => mediaId))
    const paths = await facts.gatherPaths(scope, released)
    // Looked at first, all of them: whether a missing file was renamed is known only when every new one has been seen.
    if (scope.missing) await lookAtAll(facts, paths)
    const believed = folder.belief().kind === 'believed'
    const mayAct = scope.missing && believed
    const verdict = mayAct ? await judge() : 'wait'
    const missing = {
      actOnMissing: verdict === 'act',
      wantedBack: mayAct ? wantedBack : NONE,
    }
    const newSizes = facts.newSizes()
    // Also of no paths a plan is made: references land wherever they are.
    for (const chunk of paths.size > 0 ? chunked(paths) : [[]]) {
      const steps = planPass(
        {
          folder: { believed, newSizes },
          sights: await facts.look(chunk),
          references,
          landing,
          early: released.early,
          policy: { ...deps.policy, ...missing, judgeAgain: scope.again },
        },
        clock.nowMs(),
      )
      for (const path of crowdedPaths(references, steps)) noteCrowded(path)
      yield steps
      references = []
      await setImmediate()
    }
  }

  return planScope
}

/** Where a reference has no step, since its path has another. */
function crowdedPaths(references: readonly Reference[], steps: readonly Step[]): MediaPath[] {
  if (references.length === 0) return []
  const landing = new Set(
    steps.flatMap((step) => (step.kind === 'land' ? step.reference.mediaId : [])),
  )
  const taken = new Set(steps.map(({ path }) => path))
  return references.flatMap(({ mediaId, path }) =>
    path !== undefined && taken.has(path) && !landing.has(mediaId) ? path : [],
  )
}

/** Looks at everything, so that the facts remember what is missing. */
export async function lookAtAll(facts: PassFactsReader, paths: Iterable<MediaPath>): Promise<void> {
  for (const chunk of chunked(paths)) {
    await facts.look(chunk)
    await setImmediate()
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
