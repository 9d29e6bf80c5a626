// Answers for P2: looks ids up as a client would, at every tick and around every death, and asks the service itself whether what
// was handed out as live lives. Not for how many die: that is the ledger's.
import type { Manifest } from '../../src/manifest/manifest.ts'
import type { MediaId } from '../../src/media/media.ts'
import { lookUpAnswer } from '../../src/serve/look-up.ts'
import type { Ledger } from './ledger.ts'
import type { ModelledFolder } from './modelled-folder.ts'
import type { ModelledService } from './modelled-service.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface Oracle {
  /** Looks up a few media by chance. */
  sample(): Promise<void>
  /** Looks will be taken just before and just at each death that comes before the moment, unless it is averted. */
  watchDeaths(withinMs: number): void
  found(): OracleFindings
}

export interface OracleFindings {
  readonly looks: number
  /** Ids handed out as live that the service did not know any more, in words; the first few. */
  readonly servedDead: readonly string[]
  readonly servedDeadCount: number
  /** Ids called dead although they lived: costs a delay, breaks no promise. */
  readonly withheld: number
}

const LOOKS_PER_TICK = 2
/** Near its end, and yet to be had. */
const BEFORE_DEATH_MS = 6_000
const KEPT_FINDINGS = 5

export function createOracle(deps: {
  readonly clock: VirtualClock
  readonly random: () => number
  readonly folder: ModelledFolder
  readonly ledger: Ledger
  readonly service: Pick<ModelledService, 'nowMs' | 'diesAtMs'>
  readonly manifest: () => Pick<Manifest, 'findEntry' | 'findProblem'>
  /** The service's time as the mirror that answers believes it to be. */
  readonly believedNowMs: () => number
  readonly onBug: (error: unknown) => void
}): Oracle {
  const { clock, random, folder, ledger, service } = deps
  const servedDead: string[] = []
  let servedDeadCount = 0
  let looks = 0
  let withheld = 0

  async function look(index: number): Promise<void> {
    const { path } = folder.file(index)
    const entry = await deps.manifest().findEntry(path)
    const problem = await deps.manifest().findProblem(path)
    const answer = lookUpAnswer(path, { entry, problem }, undefined, deps.believedNowMs())
    looks++
    const diesAtMs = entry ? service.diesAtMs(entry.mediaId) : 0
    const isAlive = service.nowMs() < diesAtMs
    if (answer.kind !== 'live') {
      if (isAlive) withheld++
      return
    }
    const isSafe =
      Date.parse(answer.safe_until) <= service.diesAtMs(answer.media.media_id as MediaId)
    if (isAlive && isSafe) return
    servedDeadCount++
    if (servedDead.length === KEPT_FINDINGS) return
    const lateMs = service.nowMs() - diesAtMs
    const behindMs = service.nowMs() - deps.believedNowMs()
    servedDead.push(
      `medium ${index} was handed out as live ${lateMs} ms after its death, by a mirror whose service clock was ${behindMs} ms behind`,
    )
  }

  const lookAll = async (indexes: readonly number[]) => {
    for (const index of indexes) await look(index)
  }

  return {
    async sample() {
      for (let n = 0; n < LOOKS_PER_TICK && folder.count() > 0; n++)
        await look(Math.floor(random() * folder.count()))
    },
    watchDeaths(withinMs) {
      const nowMs = service.nowMs()
      const dying = Map.groupBy(ledger.dying(nowMs, nowMs + withinMs), ledger.expiresAtMs)
      for (const [atMs, indexes] of dying) {
        for (const momentMs of [atMs - BEFORE_DEATH_MS, atMs - 1, atMs])
          clock.after(momentMs - nowMs, () => void lookAll(indexes).catch(deps.onBug))
      }
    },
    found: () => ({ looks, servedDead, servedDeadCount, withheld }),
  }
}
