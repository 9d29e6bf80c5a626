// Answers for what a commit alters, as rows: made from the port's changes, or read back from a journal. A list of them is
// written as a merge patch (RFC 7396, one level deep) of the document: absolute, so that applying it twice is harmless.
import { assertNever } from '../errors.ts'
import type { ManifestEntry } from '../media/media.ts'
import { type ConditionalChange, entryAfter } from './conditional.ts'
import type { Change, Standing } from './manifest.ts'
import { createRow, lineOf, parseRow, type Row, renderGone } from './row.ts'
import { SECTION_NAMES, type SectionName, type Sections } from './row-forms.ts'
import { upgradeRow } from './upgrade.ts'
import { Damaged, isFields, renderTime } from './wire.ts'

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
  | RowAlteration<'deliveries'>
  | { readonly section: 'folder'; readonly folder: string }

/** What a change alters in its turn; nothing when it no longer counts. */
type Planned = (standing: Standing) => readonly Alteration[]

/** Throws for a change that could not be read back: a fault of its maker, so nothing of the commit may count. */
export function planAlteration(change: Change): Planned {
  if (change.kind === 'mark-checked' || change.kind === 'end-life') return planConditional(change)
  if (change.kind === 'put-deliveries')
    return (standing) => change.deliveries(standing).map((delivery) => put('deliveries', delivery))
  const alterations = [alterationOf(change)]
  return () => alterations
}

function planConditional(change: ConditionalChange): Planned {
  renderTime(change.atMs)
  return (standing) => {
    const entry = entryAfter(change, standing(change.path))
    return entry ? [put('media', entry)] : []
  }
}

/** What earlier commits of the same flush make of entries, by path: they come to pass together with this one, or not at all. */
export type Ahead = Map<string, ManifestEntry | undefined>

/** What a commit alters, now that its turn has come; adds it to what lies ahead of the next. */
export function takeTurn(planned: readonly Planned[], ahead: Ahead, find: Standing): Alteration[] {
  const standing: Standing = (path) => (ahead.has(path) ? ahead.get(path) : find(path))
  const alterations: Alteration[] = []
  for (const plan of planned)
    for (const alteration of plan(standing)) {
      if (alteration.section === 'media') ahead.set(alteration.key, alteration.row?.value)
      alterations.push(alteration)
    }
  return alterations
}

type PlainChange = Exclude<Change, ConditionalChange | { readonly kind: 'put-deliveries' }>

function alterationOf(change: PlainChange): Alteration {
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
    case 'drop-delivery':
      return { section: 'deliveries', key: change.id, row: undefined }
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
