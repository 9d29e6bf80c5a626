// Answers for a row: a value under its key, with the text it is written as. The text is made once per value and serves
// the journal and every later document; rows that came from a document make it when they are first written.
import { ROW_FORMS, type SectionName, type Sections } from './row-forms.ts'
import { Damaged, isFields } from './wire.ts'

export interface Row<T> {
  readonly key: string
  readonly value: T
  /** `"key": {…}` on one line, once it has been needed. */
  line: string | undefined
  /** Another row stands in its place by now, or none: whoever kept it need not look it up to know. */
  isGone: boolean
}

/** The text of a row; without a value it says that the key is gone. */
export function lineOf<S extends SectionName>(section: S, row: Row<Sections[S]>): string {
  row.line ??= renderLine(row.key, ROW_FORMS[section].encode(row.value))
  return row.line
}

export const renderGone = (key: string): string => renderLine(key, null)

const renderLine = (key: string, value: unknown) =>
  `${JSON.stringify(key)}: ${JSON.stringify(value)}`

/** The row of a new value. Its visible value is what a restart would read, so nothing is accepted that could not be. */
export function createRow<S extends SectionName>(section: S, value: Sections[S]): Row<Sections[S]> {
  const key = ROW_FORMS[section].keyOf(value)
  const fields = ROW_FORMS[section].encode(value)
  const row = parseRow(section, key, fields)
  if (row === undefined) throw new Damaged(`\`${key}\` in \`${section}\` could not be read again`)
  row.line = renderLine(key, fields)
  return row
}

/** The row of what was read, or undefined for one that may be left out; throws `Damaged`. */
export function parseRow<S extends SectionName>(
  section: S,
  key: string,
  fields: unknown,
): Row<Sections[S]> | undefined {
  if (!isFields(fields)) throw new Damaged(`\`${key}\` in \`${section}\` is not an object`)
  try {
    const value = ROW_FORMS[section].decode(key, fields)
    return value && { key, value, line: undefined, isGone: false }
  } catch (error) {
    if (!(error instanceof Damaged)) throw error
    throw new Damaged(`\`${key}\` in \`${section}\`: ${error.message}`, { cause: error })
  }
}
