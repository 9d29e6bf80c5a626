// Answers for applying one journal to what a document held. Every record whose checksum is right counts, wherever it
// stands; one that cannot be understood all the same is as good as garbled.
import { setImmediate } from 'node:timers/promises'
import { type Alteration, parsePatch } from './alteration.ts'
import type { Contents } from './contents.ts'
import { inDirectory, journalName } from './files.ts'
import type { Finding } from './finding.ts'
import { checkJournalHeader, JOURNAL_FORMAT } from './header.ts'
import { readRecords } from './journal.ts'
import { parseJson } from './json.ts'
import { readIfThere, type StateLocation } from './reading.ts'
import { Damaged, isFields } from './wire.ts'

/** After so many records other work may go on. */
const RECORDS_PER_TURN = 500

export async function joinJournal(
  location: StateLocation,
  number: number,
  contents: Contents,
): Promise<{ count: number; findings: Finding[] }> {
  const file = inDirectory(location.directory)(journalName(number))
  const findings: Finding[] = []
  let count = 0
  let garbledCount = 0
  const bytes = (await readIfThere(location.files, file)) ?? Buffer.alloc(0)
  for (const piece of readRecords(bytes)) {
    if (piece.kind === 'torn') findings.push({ ...piece, kind: 'journal-torn', number })
    else if (piece.kind === 'garbled') garbledCount++
    else {
      const alterations = understand(piece.json, { location, file })
      if (alterations === undefined) garbledCount++
      for (const alteration of alterations ?? []) contents.apply(alteration)
      if (alterations !== undefined && alterations.length > 0) count++
    }
    if ((count + garbledCount) % RECORDS_PER_TURN === RECORDS_PER_TURN - 1) await setImmediate()
  }
  if (garbledCount > 0)
    findings.push({ kind: 'journal-garbled', number, recordCount: garbledCount })
  return { count, findings }
}

/** The alterations of a record (none for the header), or undefined for what makes no sense. */
function understand(
  json: string,
  { location, file }: { location: StateLocation; file: string },
): Alteration[] | undefined {
  try {
    const record = parseJson(json)
    if (!isFields(record) || record.format === undefined) return parsePatch(record)
    checkJournalHeader(record, { format: JOURNAL_FORMAT, corpId: location.corpId, file })
    return []
  } catch (error) {
    if (error instanceof Damaged) return undefined
    throw error
  }
}
