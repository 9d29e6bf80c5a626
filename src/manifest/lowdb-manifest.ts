// The manifest kept with lowdb: opening, committing, closing. lowdb holds the contents; its adapter (ours) has journal and
// document; this file puts them in order. Not for how either is written.
import { dirname } from 'node:path'
import { Low } from 'lowdb'
import { ConfigError, ManifestUnwritable } from '../errors.ts'
import type { Clock } from '../support/clock.ts'
import { describeErrno, errnoOf } from '../support/errno.ts'
import type { Emit } from '../support/events.ts'
import { type Ahead, planAlteration, takeTurn } from './alteration.ts'
import { type Contents, createContents, EMPTY_TABLES } from './contents.ts'
import { createContentsReader } from './contents-reader.ts'
import { createDocumentSchedule } from './document-schedule.ts'
import { diskFiles, type Files, syncDirectory } from './files.ts'
import { type Lock, takeLock } from './lock.ts'
import { createJournalledAdapter } from './lowdb-adapter.ts'
import type { Manifest } from './manifest.ts'
import { repairState } from './repair.ts'

export interface LowdbManifestOptions {
  /** Made when it is not there, for its owner and whoever may read the document. */
  readonly directory: string
  readonly corpId: string
  readonly clock: Clock
  readonly emit: Emit
  /** The only way to write: one process per directory. */
  readonly lock: 'exclusive'
  /** What this process is, for whoever finds the directory in use. */
  readonly command: string
  readonly files?: Files
  /** Permission bits of the document; everything else is its owner's alone. */
  readonly documentMode?: number
}

const DOCUMENT_MODE = 0o640

/** Opens the state directory for this process alone; what a crash left is joined and mended first. */
export async function openLowdbManifest(options: LowdbManifestOptions): Promise<Manifest> {
  const { directory, clock, command, files = diskFiles, documentMode = DOCUMENT_MODE } = options
  await makeDirectory(files, directory, documentMode)
  const lock = await takeLock({ directory, command, nowMs: clock.nowMs() })
  try {
    return await openLocked({ ...options, files, documentMode }, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function openLocked(
  deps: LowdbManifestOptions & { readonly files: Files; readonly documentMode: number },
  lock: Lock,
): Promise<Manifest> {
  const { clock, emit } = deps
  const adapter = createJournalledAdapter(deps)
  const db = new Low<Contents>(adapter, createContents(EMPTY_TABLES))
  await db.read()
  const { findings, joinedCount, documentBytes } = adapter.found()
  await repairState({ ...deps, nowMs: clock.nowMs() }, findings)

  const schedule = createDocumentSchedule({
    clock,
    emit,
    documentBytes,
    async write() {
      await db.write()
      return { entries: db.data.media.count(), sizeBytes: adapter.found().documentBytes }
    },
  })
  if (joinedCount > 0 || findings.length > 0) schedule.changed()
  let closing: Promise<void> | undefined

  const close = async () => {
    try {
      await adapter.drained()
      await schedule.stop()
      await adapter.close()
    } finally {
      await lock.release()
    }
  }

  return {
    ...createContentsReader(() => db.data),
    async commit(changes) {
      if (closing !== undefined) throw closedError(deps.directory)
      const planned = changes.map(planAlteration)
      if (planned.length === 0) return
      const alter = (ahead: Ahead) => takeTurn(planned, ahead, (path) => db.data.media.find(path))
      await adapter.append(alter, (alterations) => {
        for (const alteration of alterations) db.data.apply(alteration)
        if (alterations.length > 0) schedule.changed()
      })
    },
    async probe() {
      if (closing !== undefined) throw closedError(deps.directory)
      await adapter.probe()
    },
    close: () => (closing ??= close()),
  }
}

async function makeDirectory(files: Files, directory: string, documentMode: number): Promise<void> {
  try {
    const made = await files.mkdir(directory, { recursive: true, mode: 0o700 })
    // A directory is a name in another one: without this a power failure may take all that was ever flushed in it.
    for (let at = directory; made !== undefined && at.length >= made.length; at = dirname(at))
      await syncDirectory(files, dirname(at))
    // One that was there is as its owner wants it.
    if (made !== undefined) await openUp(files, directory, documentMode)
  } catch (error) {
    const code = errnoOf(error)
    if (code === undefined) throw error
    throw new ConfigError(
      `cannot use state directory \`${directory}\`: it cannot be made: ${describeErrno(code)}`,
      [{ message: 'not usable as a state directory', key: 'state' }],
      {
        hint: 'point `state` at a directory that the user of the daemon may write to',
        cause: error,
      },
    )
  }
}

/** To enter and list for whoever may read the document: a name of which nobody knows the directory is no use. */
async function openUp(files: Files, directory: string, documentMode: number): Promise<void> {
  const readers = documentMode & 0o044
  const opened = await files.open(directory, 'r')
  await opened.chmod(0o700 | readers | (readers >> 2)).finally(() => opened.close())
}

const closedError = (directory: string) =>
  new ManifestUnwritable(`cannot record changes in \`${directory}\`: the manifest is closed`, {
    hint: 'nothing to do: the program was stopping, and does it again when it next runs',
  })
