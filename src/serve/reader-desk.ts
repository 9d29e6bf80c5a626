// The half of the desk that only looks: answers from the manifest alone, with or without a daemon.
import type { ManifestReader } from '../manifest/manifest.ts'
import { createGlob } from '../media/glob.ts'
import { isAlive } from '../media/lifetime.ts'
import type { Capacity } from '../plan/capacity.ts'
import { listedReference, mediaAnswer } from './answers.ts'
import type { Desk, HookAnswer, ListedReference, MediaAnswer } from './desk.ts'
import { readGivenPath } from './given-path.ts'
import type { LateRenewalsDeps } from './late-renewals.ts'
import { lookUpAnswer, outsideAnswer } from './look-up.ts'
import { gatherStatus, type LiveFacts } from './status.ts'

export interface SetUp {
  readonly corpId: string
  readonly folder: string
  readonly state: string
  readonly notAvailableYet: readonly string[]
}

export interface ReaderDeskDeps extends LateRenewalsDeps {
  readonly manifest: ManifestReader
  readonly setUp: SetUp
  /** The service's clock, as well as it is known here: every answer about the life of an id goes by it. */
  readonly clock: { nowMs(): number; skewMs(): number }
  readonly capacity: () => Promise<Capacity>
  /** None where none are configured. */
  readonly hooks?: () => Promise<readonly HookAnswer[]>
  /** Undefined when no daemon runs. */
  readonly live: () => Promise<LiveFacts | undefined>
}

/** What can be asked of a state as well as of a daemon. */
export type ReadingDesk = Pick<Desk, 'status' | 'list' | 'references' | 'lookUp'>

export function createReaderDesk(deps: ReaderDeskDeps): ReadingDesk {
  const { manifest, setUp, clock } = deps

  return {
    status: () => gatherStatus(deps),

    async list(glob) {
      const matches = glob === undefined ? () => true : createGlob(glob)
      const found: MediaAnswer[] = []
      for await (const entry of manifest.entries())
        if (matches(entry.path)) found.push(mediaAnswer(entry, clock.nowMs()))
      return found
    },

    async references() {
      const inFlight = new Set((await deps.live())?.queue.in_flight)
      const { lifetimeMs } = deps
      const found: ListedReference[] = []
      for await (const reference of manifest.references()) {
        if (reference.dismissedAtMs !== undefined) continue
        const isLanding = reference.state === 'accepted' && inFlight.has(reference.mediaId)
        found.push(listedReference(reference, { lifetimeMs, isLanding }))
      }
      return found.sort((a, b) => turnOf(a) - turnOf(b) || compare(a.expires_at, b.expires_at))
    },

    async lookUp(text) {
      const path = await readGivenPath(text, setUp.folder)
      if (!path) return outsideAnswer(text)
      const [entry, problem] = [await manifest.findEntry(path), await manifest.findProblem(path)]
      const isLive = entry !== undefined && isAlive(entry, clock.nowMs())
      const circumstances = isLive ? undefined : await deps.circumstances(path)
      return lookUpAnswer(path, { entry, problem }, circumstances, clock.nowMs())
    },
  }
}

const TURNS = { accepted: 0, landing: 0, lost: 1, landed: 2 }

const turnOf = ({ state }: ListedReference): number => TURNS[state]

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/** The longest path there can be; picomatch refuses what is far longer, and what is empty, by throwing. */
const MAX_GLOB_CHARACTERS = 4096

/** Whether `list` may be asked with it. */
export const isGlob = (text: string): boolean =>
  text !== '' && text !== '/' && text.length <= MAX_GLOB_CHARACTERS
