// The half of the desk that only looks: answers from the manifest alone, with or without a daemon.
import type { ManifestReader } from '../manifest/manifest.ts'
import { createGlob } from '../media/glob.ts'
import { lookUpAnswer, mediaAnswer } from './answers.ts'
import type { Desk, MediaAnswer } from './desk.ts'
import { readGivenPath } from './given-path.ts'
import { gatherStatus, type LiveFacts } from './status.ts'

export interface SetUp {
  readonly corpId: string
  readonly folder: string
  readonly state: string
  readonly notAvailableYet: readonly string[]
}

export function createReaderDesk(deps: {
  manifest: ManifestReader
  setUp: SetUp
  /** The service's clock, as well as it is known here. */
  clock: { nowMs(): number }
  live: () => Promise<LiveFacts> | undefined
}): Pick<Desk, 'status' | 'list' | 'lookUp'> {
  const { manifest, setUp, clock } = deps

  return {
    status: async () => gatherStatus(manifest, setUp, await deps.live(), clock.nowMs()),

    async list(glob) {
      const matches = glob === undefined ? () => true : createGlob(glob)
      const found: MediaAnswer[] = []
      for await (const entry of manifest.entries())
        if (matches(entry.path)) found.push(mediaAnswer(entry, clock.nowMs()))
      return found
    },

    async lookUp(text) {
      const path = await readGivenPath(text, setUp.folder)
      if (!path) return { kind: 'unknown', path: text, because: 'it is no path inside the folder' }
      const [entry, problem] = [await manifest.findEntry(path), await manifest.findProblem(path)]
      return lookUpAnswer(path, { entry, problem }, clock.nowMs())
    },
  }
}

/** The longest path there can be; picomatch refuses what is far longer, and what is empty, by throwing. */
const MAX_GLOB_CHARACTERS = 4096

/** Whether `list` may be asked with it. */
export const isGlob = (text: string): boolean =>
  text !== '' && text !== '/' && text.length <= MAX_GLOB_CHARACTERS
