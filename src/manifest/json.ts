// Answers for reading JSON whose keys are names that people chose. `JSON.parse` of Node 24 and 26 misreads some: a key
// written with an escape comes out as a key of another object read before, when that one begins like the text of this one
// (`"a\"b"` comes out as `a\"` if a key `a\"` was there). What comes out wrong always has a backslash in it, which names
// hardly ever have: such a text is read again, with every key in a spelling that needs no escape.
import { SECTION_NAMES } from './row-forms.ts'
import { Damaged, isFields } from './wire.ts'

/** The text of any string and, where it is a key, the colon after it. */
const ANY_STRING = /"((?:[^"\\]|\\.)*)"(\s*:)?/g

/** The value of a text of ours (rows, or sections of rows); throws `Damaged` for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return mayBeMisread(value) ? parseSpelled(text) : value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Damaged('it is not JSON', { cause: error })
  }
}

const mayBeMisread = (value: unknown): boolean =>
  isFields(value) && [value, ...SECTION_NAMES.map((name) => value[name])].some(hasBackslash)

const hasBackslash = (rows: unknown) =>
  isFields(rows) && Object.keys(rows).some((key) => key.includes('\\'))

function parseSpelled(text: string): unknown {
  const spelled = text.replace(ANY_STRING, (whole, key: string, colon: string | undefined) =>
    colon === undefined ? whole : `"${encodeURIComponent(key)}":`,
  )
  return withKeysRead(JSON.parse(spelled))
}

const withKeysRead = (value: unknown): unknown =>
  isFields(value)
    ? Object.fromEntries(Object.entries(value).map(([key, v]) => [readKey(key), withKeysRead(v)]))
    : value

const readKey = (spelled: string) => String(JSON.parse(`"${decodeURIComponent(spelled)}"`))
