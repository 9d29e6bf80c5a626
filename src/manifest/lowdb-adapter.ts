// Answers for lowdb's two questions, `read` and `write`, and for the one it does not ask, `append`: what is acknowledged
// goes to the journal; the document follows. lowdb's own file adapter rewrites all of it each time and never flushes.
import type { Adapter } from 'lowdb'
import { type Ahead, type Alteration, renderPatch } from './alteration.ts'
import { createCommitQueue } from './commit-queue.ts'
import type { Contents } from './contents.ts'
import { renderDocument } from './document.ts'
import { writeDocument } from './document-file.ts'
import { DOCUMENT, inDirectory, journalName, journalNumbers, removeIfThere } from './files.ts'
import { DOCUMENT_FORMAT, type DocumentHeader } from './header.ts'
import { renderRecord } from './journal.ts'
import { type JournalFile, openJournal } from './journal-file.ts'
import { loadState, type State } from './load.ts'
import type { StateLocation } from './reading.ts'
import { asUnwritable } from './unwritable.ts'
import { CURRENT_VERSION } from './upgrade.ts'
import { renderTime } from './wire.ts'

export interface JournalledAdapter extends Adapter<Contents> {
  read(): Promise<Contents>
  /** Asks what is to be altered when its turn has come, makes that durable, calls `apply`, then resolves. */
  append(
    alter: (ahead: Ahead) => readonly Alteration[],
    apply: (alterations: readonly Alteration[]) => void,
  ): Promise<void>
  /** Makes a record durable that alters nothing and takes as much room as a good many that do. */
  probe(): Promise<void>
  /** What the last `read` found, and the size of the newest document. */
  found(): Pick<State, 'findings' | 'joinedCount' | 'documentBytes'>
  /** Resolves when every append so far has come to its end. */
  drained(): Promise<void>
  close(): Promise<void>
}

/** A patch of nothing: whether there is room for a few bytes only says little, since a full disk has some in its last block. */
const PROBE = renderRecord(`{${' '.repeat(64 * 1024)}}`)

interface AdapterDeps extends StateLocation {
  readonly clock: { nowMs(): number }
  readonly documentMode: number
}

export function createJournalledAdapter(deps: AdapterDeps): JournalledAdapter {
  const at = inDirectory(deps.directory)
  let found: State | undefined
  let journal: JournalFile | undefined
  let nextJournal = 1
  /** The first journal that the document on disk needs: what the earlier generation will need when it becomes that. */
  let firstJournal = 1
  /** A journal begun for a document that then could not be written; the next attempt needs no further one. */
  let begun: JournalFile | undefined
  /** One that was opened and could not be turned to. */
  let spare: JournalFile | undefined
  let documentBytes = 0

  const beginJournal = async () => {
    const opened = await openJournal(deps, nextJournal)
    nextJournal++
    return opened
  }

  const queue = createCommitQueue(async (bytes) => {
    const name = journalName(journal?.number ?? nextJournal)
    try {
      journal ??= await beginJournal()
      await journal.append(bytes)
    } catch (error) {
      throw asUnwritable(error, `record changes in \`${at(name)}\``)
    }
  })

  /** From here on appends go to the returned journal, and everything in the ones before it is visible in the contents. */
  const turnToNewJournal = async () => {
    // Without a journal the first commit may begin one at this moment, so it is begun in its turn, and once.
    if (journal === undefined)
      await queue.between(async () => void (begun = journal ??= await beginJournal()))
    if (begun !== undefined) return begun
    const next = (spare ??= await beginJournal())
    await queue.between(async () => {
      await journal?.settle()
      const last = journal
      journal = begun = next
      spare = undefined
      await last?.close()
    })
    return next
  }

  const replaceDocument = async (contents: Contents) => {
    const next = await turnToNewJournal()
    const folder = contents.folder()
    const header: DocumentHeader = {
      format: DOCUMENT_FORMAT,
      version: CURRENT_VERSION,
      corp_id: deps.corpId,
      written_at: renderTime(deps.clock.nowMs()),
      journal: next.number,
      ...(folder === undefined ? {} : { folder }),
    }
    const { media, references, problems, deliveries } = contents
    const snapshot = {
      media: media.snapshot(),
      references: references.snapshot(),
      problems: problems.snapshot(),
      deliveries: deliveries.snapshot(),
    }
    documentBytes = await writeDocument(deps, renderDocument(header, snapshot))
    await removeJournalsBefore(firstJournal)
    firstJournal = next.number
    begun = undefined
  }

  const removeJournalsBefore = async (number: number) => {
    const all = journalNumbers(await deps.files.readdir(deps.directory))
    for (const old of all.filter((candidate) => candidate < number))
      await removeIfThere(deps.files, at(journalName(old)))
  }

  return {
    async read() {
      found = await loadState(deps)
      nextJournal = found.nextJournal
      firstJournal = found.firstJournal
      documentBytes = found.documentBytes
      return found.contents
    },
    async write(contents) {
      try {
        await replaceDocument(contents)
      } catch (error) {
        throw asUnwritable(error, `write \`${at(DOCUMENT)}\``)
      }
    },
    append(alter, apply) {
      let alterations: readonly Alteration[] = []
      const render = (ahead: Ahead) => {
        alterations = alter(ahead)
        return alterations.length === 0 ? '' : renderRecord(renderPatch(alterations))
      }
      return queue.add(render, () => apply(alterations))
    },
    probe: () =>
      queue.add(
        () => PROBE,
        () => undefined,
      ),
    found: () => ({
      findings: found?.findings ?? [],
      joinedCount: found?.joinedCount ?? 0,
      documentBytes,
    }),
    drained: () => queue.drained(),
    async close() {
      await queue.drained()
      await journal?.close()
      await spare?.close()
    },
  }
}
