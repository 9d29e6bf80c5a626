// Answers for what a list of references says: rows of `{media_id, path?, created_at?, from?}` in JSON, NDJSON or YAML, each on its own:
// a row that makes no sense is told with its place, and the others count. Pure. Not for reading files, nor for taking rows in.
import {
  type MediaPath,
  parseMediaId,
  parseMediaPath,
  type WantedReference,
} from '../media/media.ts'

export interface Place {
  readonly line: number
  readonly column: number
}

/** What is wrong with a row, or with the whole. */
export interface Flaw extends Place {
  readonly message: string
}

export interface ReferenceList {
  readonly rows: readonly WantedReference[]
  readonly flaws: readonly Flaw[]
  /** The text as a whole makes no sense: nothing is known of what it was to say. */
  readonly isBroken: boolean
}

/** Reads YAML, of which JSON is a part, and knows where everything stands. */
export type ReadPlaced = (text: string) => {
  readonly value: unknown
  readonly problems: readonly Flaw[]
  placeOf(path: readonly (string | number)[]): Place
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the text says; `name` tells the form, by its extension, where the text itself does not. */
export function parseReferenceList(text: string, name: string, read: ReadPlaced): ReferenceList {
  if (/\.(?:ndjson|jsonl)$/i.test(name)) return parseLines(text)
  if (/\.ya?ml$/i.test(name)) return parsePlaced(text, read)
  const whole = parseJson(text)
  if (whole) return parseRows(whole.value, () => undefined, text, read)
  const lines = parseLines(text)
  return lines.rows.length > 0 && lines.flaws.length === 0 ? lines : parsePlaced(text, read)
}

function parsePlaced(text: string, read: ReadPlaced): ReferenceList {
  const document = read(text)
  if (document.problems.length > 0)
    return { rows: [], flaws: document.problems.slice(0, 1), isBroken: true }
  return parseRows(document.value, document.placeOf, text, read)
}

type FindPlace = (path: readonly (string | number)[]) => Place | undefined

function parseRows(
  value: unknown,
  placeOf: FindPlace,
  text: string,
  read: ReadPlaced,
): ReferenceList {
  // An empty file is an empty list.
  if (value === null || value === undefined) return { rows: [], flaws: [], isBroken: false }
  if (!Array.isArray(value))
    return broken(
      `expected a list of \`{media_id, path}\`, got ${isFields(value) ? 'keys' : 'one value'}`,
    )
  const rows: WantedReference[] = []
  const flaws: Flaw[] = []
  let places = placeOf
  for (const [index, fields] of value.entries()) {
    const row = parseRow(fields)
    if (!('because' in row)) rows.push(row)
    else {
      // JSON is read without its places, which cost more than all the rest; where one is needed, it is read once more.
      if (flaws.length === 0 && !places([])) places = read(text).placeOf
      const at = places([index, ...(row.key ? [row.key] : [])]) ?? { line: 1, column: 1 }
      flaws.push({ ...at, message: row.because })
    }
  }
  return { rows, flaws, isBroken: false }
}

const broken = (message: string): ReferenceList => ({
  rows: [],
  flaws: [{ line: 1, column: 1, message }],
  isBroken: true,
})

function parseLines(text: string): ReferenceList {
  const rows: WantedReference[] = []
  const flaws: Flaw[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const parsed = parseJson(line)
    const row = parsed ? parseRow(parsed.value) : { because: 'this line is not JSON' }
    if ('because' in row) flaws.push({ line: index + 1, column: 1, message: row.because })
    else rows.push(row)
  }
  return { rows, flaws, isBroken: false }
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

interface Refused {
  readonly because: string
  /** The field at fault, where it is one. */
  readonly key?: string
}

function parseRow(fields: unknown): WantedReference | Refused {
  if (!isFields(fields)) return { because: 'expected `{media_id, path}`' }
  const { media_id: id, path: where, created_at: born, from } = fields
  const mediaId = typeof id === 'string' ? parseMediaId(id) : undefined
  if (!mediaId) return { because: '`media_id` is missing, or cannot be one', key: 'media_id' }
  const path = readPath(where)
  if (path === 'outside') return { because: '`path` is no path inside the folder', key: 'path' }
  const createdAtMs = readMoment(born)
  if (Number.isNaN(createdAtMs)) return { because: '`created_at` is not a time', key: 'created_at' }
  if (isGiven(from) && typeof from !== 'string')
    return { because: '`from` is not a text', key: 'from' }
  return {
    mediaId,
    ...(path !== undefined && { path }),
    ...(createdAtMs !== undefined && { createdAtMs }),
    ...(typeof from === 'string' && { from }),
  }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

function readPath(value: unknown): MediaPath | undefined | 'outside' {
  if (!isGiven(value)) return undefined
  const path =
    typeof value === 'string' ? parseMediaPath(value.replace(/^(\.\/+)+/, '')) : undefined
  return path ?? 'outside'
}

/** ISO 8601, or seconds since 1970 as WeCom has them, as a number or in digits; NaN for anything else. */
function readMoment(value: unknown): number | undefined {
  if (!isGiven(value)) return undefined
  if (typeof value === 'number') return value * 1000
  if (typeof value !== 'string') return Number.NaN
  return /^\d{9,11}$/.test(value) ? Number(value) * 1000 : Date.parse(value)
}
