// Answers for one open journal: whole records, flushed, or none of them. Not for what a record means, nor for who waits.
import {
  type Files,
  inDirectory,
  journalName,
  type OpenFile,
  removeIfThere,
  syncDirectory,
  writeAll,
} from './files.ts'
import { JOURNAL_FORMAT } from './header.ts'
import { renderRecord } from './journal.ts'
import { CURRENT_VERSION } from './upgrade.ts'

export interface JournalFile {
  readonly number: number
  /** Durable when it resolves; when it rejects, nothing of these bytes counts. */
  append(bytes: Uint8Array): Promise<void>
  /** Makes sure that nothing of a failed append is left at the end. */
  settle(): Promise<void>
  close(): Promise<void>
}

interface JournalDeps {
  readonly files: Files
  readonly directory: string
  readonly corpId: string
}

/** A new journal whose name is durable; the number must be one that no acknowledged record stands under. */
export async function openJournal(deps: JournalDeps, number: number): Promise<JournalFile> {
  const path = inDirectory(deps.directory)(journalName(number))
  const file = await deps.files.open(path, 'w', 0o600)
  try {
    const identity = { format: JOURNAL_FORMAT, version: CURRENT_VERSION, corp_id: deps.corpId }
    const header = Buffer.from(renderRecord(JSON.stringify(identity)))
    await writeAll(file, header, 0)
    await file.datasync()
    await syncDirectory(deps.files, deps.directory)
    return createJournalFile(number, file, header.length)
  } catch (error) {
    await file.close()
    // Nothing was acknowledged in it; what stays all the same is told as torn at the next start.
    await removeIfThere(deps.files, path).catch(() => undefined)
    throw error
  }
}

function createJournalFile(number: number, file: OpenFile, headerBytes: number): JournalFile {
  let goodBytes = headerBytes
  let isTorn = false

  // The cut is flushed too: otherwise a power failure could bring back what was rejected.
  const settle = async () => {
    if (!isTorn) return
    await file.truncate(goodBytes)
    await file.datasync()
    isTorn = false
  }

  return {
    number,
    settle,
    async append(bytes) {
      await settle()
      try {
        await writeAll(file, bytes, goodBytes)
        await file.datasync()
        goodBytes += bytes.length
      } catch (error) {
        isTorn = true
        // Tried at once, and again before the next append: the disk that just failed may not take this either.
        await settle().catch(() => undefined)
        throw error
      }
    },
    close: () => file.close(),
  }
}
