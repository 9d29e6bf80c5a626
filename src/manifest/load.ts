// Answers for joining document and journals into what was acknowledged, by looking only: whoever holds the lock mends what
// was found, a reader without it does not.
import { type Contents, createContentsOfMany } from './contents.ts'
import { journalNumbers } from './files.ts'
import type { Finding } from './finding.ts'
import { chooseGeneration } from './generation.ts'
import { joinJournal } from './join-journal.ts'
import { listDirectory, type StateLocation } from './reading.ts'

export interface State {
  readonly contents: Contents
  readonly findings: readonly Finding[]
  /** The size of the document that was taken. */
  readonly documentBytes: number
  /** The first journal needed by that document: those before it serve no one. */
  readonly firstJournal: number
  /** The first number that no journal has had yet. */
  readonly nextJournal: number
  /** How many records were joined that the document may not have. */
  readonly joinedCount: number
}

/** Everything acknowledged in a state directory; one that is not there or empty is a beginning. */
export async function loadState(location: StateLocation): Promise<State> {
  const journals = journalNumbers(await listDirectory(location))
  const { generation, findings: generationFindings } = await chooseGeneration(location, journals)
  const firstJournal = generation.journal ?? journals[0] ?? 1
  const needed = journals.filter((number) => number >= firstJournal)
  const findings: Finding[] = [...generationFindings]
  const missing = missingJournals(firstJournal, needed)
  if (missing.length > 0 && generation.sizeBytes > 0 && generation.journal !== undefined)
    findings.push({ kind: 'journals-missing', numbers: missing })

  const contents = await createContentsOfMany(generation.tables)
  let joinedCount = 0
  for (const number of needed) {
    const joined = await joinJournal(location, number, contents)
    findings.push(...joined.findings)
    joinedCount += joined.count
  }
  return {
    contents,
    findings,
    documentBytes: generation.sizeBytes,
    firstJournal,
    nextJournal: Math.max(generation.leastNext, (journals.at(-1) ?? 0) + 1),
    joinedCount,
  }
}

/** Enough for a message; the numbers may be far apart after a backup was put back. */
const MAX_MISSING = 1000

/** The journal that a document names is made before the document, so it is only gone when someone took it away. */
function missingJournals(first: number, present: readonly number[]): number[] {
  const count = Math.max(first, present.at(-1) ?? 0) - first + 1
  const there = new Set(present)
  return Array.from({ length: Math.min(count, MAX_MISSING) }, (_, index) => first + index).filter(
    (number) => !there.has(number),
  )
}
