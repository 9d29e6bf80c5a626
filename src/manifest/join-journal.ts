// Answers for applying one journal to what a document held. Every record whose checksum is right counts, wherever it
// stands; one that cannot be understood all the same is as good as garbled.
import { setImmediate } from 'node:timers/promises'
import { type Alteration, parsePatch } from './alteration.ts'
import type { Contents } from './contents.ts'
import { inDirectory, journalName } from './files.ts'
import type { Finding } from './finding.ts'
import { type Expected, JOURNAL_FORMAT, parseJournalHeader } from './header.ts'
import { readRecords } from './journal.ts'
import { parseJson } from './json.ts'
import { readIfThere, type StateLocation } from './reading.ts'
import { CURRENT_VERSION } from './upgrade.ts'
import { Damaged, isFields } from './wire.ts'

/** After so many records other work may go on. */
const RECORDS_PER_TURN = 500

/** Applies what the journal holds; returns how many records that were, and what was not right with it. */
export async function joinJournal(
  location: StateLocation,
  number: number,
  contents: Contents,
): Promise<{ count: number; findings: Finding[] }> {
  const file = inDirectory(location.directory)(journalName(number))
  const expected = { format: JOURNAL_FORMAT, corpId: location.corpId, file }
  const findings: Finding[] = []
  let version = CURRENT_VERSION
  let count = 0
  let garbledCount = 0
  const bytes = (await readIfThere(location.files, file)) ?? Buffer.alloc(0)
  for (const piece of readRecords(bytes)) {
    const understood = piece.kind === 'record' ? understand(piece.json, version, expected) : piece
    if (understood.kind === 'torn') findings.push({ ...understood, kind: 'journal-torn', number })
    else if (understood.kind === 'garbled') garbledCount++
    else if (understood.kind === 'header') version = understood.version
    else {
      for (const alteration of understood.alterations) contents.apply(alteration)
      if (++count % RECORDS_PER_TURN === 0) await setImmediate()
    }
  }
  if (garbledCount > 0)
    findings.push({ kind: 'journal-garbled', number, recordCount: garbledCount })
  return { count, findings }
}

type Understood =
  | { readonly kind: 'header'; readonly version: number }
  | { readonly kind: 'patch'; readonly alterations: readonly Alteration[] }
  | { readonly kind: 'garbled' }

/** What a record with a true checksum says; the first of a journal says what the journal is. */
function understand(json: string, version: number, expected: Expected): Understood {
  try {
    const record = parseJson(json)
    if (isFields(record) && record.format !== undefined)
      return { kind: 'header', version: parseJournalHeader(record, expected).version }
    return { kind: 'patch', alterations: parsePatch(record, version) }
  } catch (error) {
    if (error instanceof Damaged) return { kind: 'garbled' }
    throw error
  }
}
