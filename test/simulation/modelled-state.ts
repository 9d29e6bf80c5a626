// Answers for the manifest that a simulated mirror works on, in two grades. `journal`: the real store, whole, on a disk that is
// a map. `contents`: the real rows and indexes of it behind a commit that writes no journal, for as many media as would make
// sixteen million lines. Both survive a restart of the mirror.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planAlteration } from '../../src/manifest/alteration.ts'
import { createContents, EMPTY_TABLES } from '../../src/manifest/contents.ts'
import { createContentsReader } from '../../src/manifest/contents-reader.ts'
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import type { Manifest } from '../../src/manifest/manifest.ts'
import type { ManifestEntry } from '../../src/media/media.ts'
import type { Clock } from '../../src/support/clock.ts'
import type { Emit } from '../../src/support/events.ts'
import { createMemoryDisk } from './memory-files.ts'

export type Grade = 'journal' | 'contents'

export interface ModelledState {
  /** The manifest, read anew from what there is: for the first time, and after each restart. */
  open(): Promise<Manifest>
  /** Leaves nothing behind. */
  remove(): Promise<void>
}

export const createModelledState = (
  grade: Grade,
  deps: { readonly clock: Clock; readonly emit: Emit },
): ModelledState => (grade === 'journal' ? createJournalState(deps) : createContentsState())

/** Rows and indexes stay in memory, which is what the journal would bring back. */
function createContentsState(): ModelledState {
  const contents = createContents(EMPTY_TABLES)
  return {
    open: async () => ({
      ...createContentsReader(() => contents),
      async commit(changes) {
        for (const change of changes) {
          if (change.kind !== 'put-entry') {
            for (const alteration of planAlteration(change)(contents.media.find))
              contents.apply(alteration)
          } else
            contents.apply({
              section: 'media',
              key: change.entry.path,
              row: { key: change.entry.path, value: change.entry, line: undefined, isGone: false },
            })
        }
      },
      probe: async () => {},
      close: async () => {},
    }),
    remove: async () => {},
  }
}

/**
 * The document follows the journal within seconds of the clock, which is nothing beside a year: written at each renewal of a small
 * folder it would be written two million times. Here it follows within a day, so that each restart joins a long journal.
 */
const DOCUMENT_DELAY_FACTOR = 20_000

function createJournalState(deps: { readonly clock: Clock; readonly emit: Emit }): ModelledState {
  const disk = createMemoryDisk()
  const directories: string[] = []
  const slowly: Clock = {
    ...deps.clock,
    after: (delayMs, callback) => deps.clock.after(delayMs * DOCUMENT_DELAY_FACTOR, callback),
  }
  return {
    async open() {
      // Only the lock lies in it: it is SQLite's, and wants a real file. The one before was not closed, it died, and in this
      // process its lock would outlive it: hence one for each life.
      const directory = await mkdtemp(join(tmpdir(), 'simulation-'))
      directories.push(directory)
      return openLowdbManifest({
        directory,
        corpId: 'ww0123456789abcdef',
        clock: slowly,
        emit: deps.emit,
        lock: 'exclusive',
        command: 'simulation',
        files: disk.mount(),
      })
    },
    async remove() {
      for (const directory of directories) await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Puts entries in before anything runs. */
export async function fillManifest(
  manifest: Manifest,
  count: number,
  entryAt: (index: number) => ManifestEntry,
): Promise<void> {
  const chunk = 1000
  for (let from = 0; from < count; from += chunk) {
    const length = Math.min(chunk, count - from)
    await manifest.commit(
      Array.from({ length }, (_, at) => ({ kind: 'put-entry', entry: entryAt(from + at) })),
    )
  }
}
