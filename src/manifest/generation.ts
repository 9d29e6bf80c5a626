// Answers for which generation of the document to believe. The rule: the document; else the earlier generation, for which
// the journals are kept; else, where every journal from the first is still there, the beginning. Never a guess.
import { setImmediate } from 'node:timers/promises'
import { ManifestUnreadable } from '../errors.ts'
import { EMPTY_TABLES, type Tables } from './contents.ts'
import { readDocument } from './document.ts'
import { DOCUMENT, inDirectory, PREVIOUS } from './files.ts'
import type { Finding } from './finding.ts'
import { DOCUMENT_FORMAT } from './header.ts'
import { readIfThere, type StateLocation } from './reading.ts'
import { parseRow, type Row } from './row.ts'
import type { SectionName, Sections } from './row-forms.ts'
import { upgradeRow } from './upgrade.ts'
import { Damaged, type Fields } from './wire.ts'

export interface Generation {
  readonly tables: Tables
  readonly sizeBytes: number
  /** The first journal to join; undefined where the document does not say: all of them. */
  readonly journal: number | undefined
  /** No journal begun after this document was taken has a lower number. */
  readonly leastNext: number
}

/** What every state begins as; no document made by hand is followed by a journal 1, so that one always joins to this. */
const BEGINNING: Generation = { tables: EMPTY_TABLES, sizeBytes: 0, journal: 1, leastNext: 1 }

/** The generation to join the journals to, and what was wrong with newer ones; throws when there is none. */
export async function chooseGeneration(
  location: StateLocation,
  journals: readonly number[],
): Promise<{ generation: Generation; findings: readonly Finding[] }> {
  const document = await readGeneration(location, DOCUMENT)
  if (document.kind === 'read') return { generation: document.generation, findings: [] }
  const previous = await readGeneration(location, PREVIOUS)
  if (previous.kind === 'read') {
    const finding = document.kind === 'absent' ? MISSING : document
    return { generation: previous.generation, findings: [finding] }
  }
  const damaged = [document, previous].filter((reading) => reading.kind === 'document-damaged')
  const isUntouched = damaged.length === 0 && journals.length === 0
  const isComplete = journals.length > 0 && journals.every((number, index) => number === index + 1)
  if (isUntouched || isComplete) return { generation: BEGINNING, findings: damaged }
  throw unreadable(location.directory, damaged)
}

const MISSING = { kind: 'document-missing' } as const

type GenerationReading =
  | { readonly kind: 'read'; readonly generation: Generation }
  | { readonly kind: 'absent' }
  | Extract<Finding, { kind: 'document-damaged' }>

async function readGeneration(
  location: StateLocation,
  name: typeof DOCUMENT | typeof PREVIOUS,
): Promise<GenerationReading> {
  const file = inDirectory(location.directory)(name)
  const bytes = await readIfThere(location.files, file)
  if (bytes === undefined) return { kind: 'absent' }
  try {
    const expected = { format: DOCUMENT_FORMAT, corpId: location.corpId, file }
    const { header, pieces } = readDocument(bytes, expected)
    const tables = { ...(await readTables(header.version, pieces())), folder: header.folder }
    const leastNext = (header.journal ?? 1) + 1
    const generation = { tables, sizeBytes: bytes.length, journal: header.journal, leastNext }
    return { kind: 'read', generation }
  } catch (error) {
    if (!(error instanceof Damaged)) throw error
    return { kind: 'document-damaged', name, because: error.message }
  }
}

/** Leaves the event loop free between pieces: a million rows take seconds. */
async function readTables(
  version: number,
  pieces: Iterable<{ readonly section: SectionName; readonly rows: Fields }>,
): Promise<Omit<Tables, 'folder'>> {
  const tables: { readonly [S in SectionName]: Row<Sections[S]>[] } = {
    media: [],
    references: [],
    problems: [],
    deliveries: [],
  }
  const read = <S extends SectionName>(section: S, key: string, fields: unknown) => {
    const row = parseRow(section, key, upgradeRow(version, section, fields))
    if (row !== undefined) (tables[section] as Row<Sections[S]>[]).push(row)
  }
  for (const { section, rows } of pieces) {
    for (const key of Object.keys(rows)) read(section, key, rows[key])
    await setImmediate()
  }
  return tables
}

function unreadable(
  directory: string,
  damaged: readonly { readonly name: string; readonly because: string }[],
) {
  const wrong = damaged.map(({ name, because }) => `\`${name}\` is damaged (${because})`)
  const because =
    wrong.join(', ') || `\`${DOCUMENT}\` is gone, but journals that belong to it are there`
  return new ManifestUnreadable(`cannot read the manifest in \`${directory}\`: ${because}`, {
    hint: `nothing has been touched; restore \`${DOCUMENT}\` from a backup, or move every \`manifest.*\` out of the directory to start anew (each file is then uploaded again)`,
  })
}
