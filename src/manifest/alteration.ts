// Answers for what a commit alters, as rows: made from the port's changes, or read back from a journal. A list of them is
// written as a merge patch (RFC 7396, one level deep) of the document: absolute, so that applying it twice is harmless.
import { assertNever } from '../errors.ts'
import type { Change } from './manifest.ts'
import { createRow, lineOf, parseRow, type Row, renderGone } from './row.ts'
import { SECTION_NAMES, type SectionName, type Sections } from './row-forms.ts'
import { upgradeRow } from './upgrade.ts'
import { Damaged, isFields } from './wire.ts'

/** A row put under its key or, without one, the key dropped. */
type RowAlteration<S extends SectionName> = {
  readonly section: S
  readonly key: string
  readonly row: Row<Sections[S]> | undefined
}

export type Alteration =
  | RowAlteration<'media'>
  | RowAlteration<'references'>
  | RowAlteration<'problems'>
  | { readonly section: 'folder'; readonly folder: string }

/** Throws for a change that could not be read back: a fault of its maker, so nothing of the commit may count. */
export function alterationOf(change: Change): Alteration {
  switch (change.kind) {
    case 'put-entry':
      return put('media', change.entry)
    case 'put-problem':
      return put('problems', change.problem)
    case 'put-reference':
      return put('references', change.reference)
    case 'drop-entry':
      return { section: 'media', key: change.path, row: undefined }
    case 'drop-problem':
      return { section: 'problems', key: change.path, row: undefined }
    case 'drop-reference':
      return { section: 'references', key: change.mediaId, row: undefined }
    case 'mark-folder':
      return { section: 'folder', folder: change.folder }
    default:
      return assertNever(change)
  }
}

function put<S extends SectionName>(section: S, value: Sections[S]) {
  const row = createRow(section, value)
  return { section, key: row.key, row } as RowAlteration<S>
}

/** One line of JSON; of several alterations of the same key the last one counts. */
export function renderPatch(alterations: readonly Alteration[]): string {
  const lines = new Map<string, Map<string, string>>()
  let folder: string | undefined
  for (const alteration of alterations) {
    if (alteration.section === 'folder') folder = alteration.folder
    else {
      const section = lines.get(alteration.section) ?? new Map<string, string>()
      lines.set(alteration.section, section.set(alteration.key, renderAlteration(alteration)))
    }
  }
  const parts = [...lines].map(([name, rows]) => `"${name}": {${[...rows.values()].join(', ')}}`)
  if (folder !== undefined) parts.push(`"folder": ${JSON.stringify(folder)}`)
  return `{${parts.join(', ')}}`
}

const renderAlteration = <S extends SectionName>({ section, key, row }: RowAlteration<S>) =>
  row === undefined ? renderGone(key) : lineOf(section, row)

/** The alterations of a patch of that version, whole or not at all: throws `Damaged` for what makes no sense. */
export function parsePatch(patch: unknown, version: number): Alteration[] {
  if (!isFields(patch)) throw new Damaged('a record is not an object')
  const alterations: Alteration[] = []
  for (const section of SECTION_NAMES) {
    const rows = patch[section] ?? {}
    if (!isFields(rows)) throw new Damaged(`\`${section}\` of a record is not an object`)
    for (const [key, fields] of Object.entries(rows))
      alterations.push(
        parseAlteration(section, key, fields && upgradeRow(version, section, fields)),
      )
  }
  if (typeof patch.folder === 'string')
    alterations.push({ section: 'folder', folder: patch.folder })
  return alterations
}

/** A row that may be left out replaces what it would have replaced, by nothing. */
const parseAlteration = (section: SectionName, key: string, fields: unknown) =>
  ({
    section,
    key,
    row: fields === null ? undefined : parseRow(section, key, fields),
  }) as Alteration
