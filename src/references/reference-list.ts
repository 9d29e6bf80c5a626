// Answers for what a list of references says: rows of `{media_id, path?, created_at?, from?}` in JSON, NDJSON or YAML, each on its own:
// a row that makes no sense is told with its place, and the others count. Pure. Not for reading files, nor for taking rows in.
import {
  type MediaPath,
  parseMediaId,
  parseMediaPath,
  type WantedReference,
} from '../media/media.ts'
import { rowsOfJson } from './json-rows.ts'

/** So much is read with the places of everything; beyond, that would hold everybody else up for too long. */
export const MOST_PLACED_BYTES = 4 * 2 ** 20

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

export interface Reading {
  /** Tells the form, by its extension, where the text itself does not. */
  readonly name: string
  readonly readPlaced: ReadPlaced
  readonly nowMs: number
}

export function parseReferenceList(text: string, reading: Reading): ReferenceList {
  const { name, nowMs } = reading
  if (/\.(?:ndjson|jsonl)$/i.test(name)) return parseLines(text, nowMs)
  if (/\.ya?ml$/i.test(name)) return parsePlaced(text, reading)
  const whole = parseJson(text)
  if (whole) return parseRows(whole.value, undefined, text, reading)
  const lines = parseLines(text, nowMs)
  if (lines.rows.length > 0 && lines.flaws.length === 0) return lines
  if (text.length <= MOST_PLACED_BYTES) return parsePlaced(text, reading)
  return /^\s*\[/.test(text) ? brokenJson(text) : lines
}

function parsePlaced(text: string, reading: Reading): ReferenceList {
  const document = reading.readPlaced(text)
  if (document.problems.length > 0)
    return { rows: [], flaws: document.problems.slice(0, 1), isBroken: true }
  return parseRows(document.value, document.placeOf, text, reading)
}

function brokenJson(text: string): ReferenceList {
  for (const { line, column, text: row } of rowsOfJson(text))
    if (!parseJson(row))
      return { rows: [], flaws: [{ line, column, message: 'this is not JSON' }], isBroken: true }
  return broken('this is not JSON, though every row is: see how it ends, and what stands between')
}

type FindPlace = (path: readonly (string | number)[]) => Place | undefined

/** JSON is read without its places, which cost more than all the rest; where one is needed, it is read once more. */
function findPlaces(text: string, { readPlaced }: Reading): FindPlace {
  if (text.length <= MOST_PLACED_BYTES) return readPlaced(text).placeOf
  const places = [...rowsOfJson(text)].map(({ line, column }) => ({ line, column }))
  return ([index]) => places[Number(index)]
}

function parseRows(
  value: unknown,
  placeOf: FindPlace | undefined,
  text: string,
  reading: Reading,
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
    const row = parseRow(fields, reading.nowMs)
    if (!('because' in row)) rows.push(row)
    else {
      places ??= findPlaces(text, reading)
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

function parseLines(text: string, nowMs: number): ReferenceList {
  const rows: WantedReference[] = []
  const flaws: Flaw[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const parsed = parseJson(line)
    const row = parsed ? parseRow(parsed.value, nowMs) : { because: 'this line is not JSON' }
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

/** So far a right clock may be ahead of ours; a time zone that was left out is further. */
const CLOCKS_DIFFER_MS = 30 * 60_000

interface Refused {
  readonly because: string
  /** The field at fault, where it is one. */
  readonly key?: string
}

function parseRow(fields: unknown, nowMs: number): WantedReference | Refused {
  if (!isFields(fields)) return { because: 'expected `{media_id, path}`' }
  const { media_id: id, path: where, created_at: born, from } = fields
  const mediaId = typeof id === 'string' ? parseMediaId(id) : undefined
  if (!mediaId) return { because: '`media_id` is missing, or cannot be one', key: 'media_id' }
  if (isGiven(where) && typeof where !== 'string') return { because: notText('path'), key: 'path' }
  const path = readPath(where)
  if (path === 'outside') return { because: '`path` is no path inside the folder', key: 'path' }
  const createdAtMs = readMoment(born)
  if (Number.isNaN(createdAtMs)) return { because: '`created_at` is not a time', key: 'created_at' }
  if (createdAtMs !== undefined && createdAtMs > nowMs + CLOCKS_DIFFER_MS)
    return { because: '`created_at` lies in the future', key: 'created_at' }
  if (isGiven(from) && typeof from !== 'string') return { because: notText('from'), key: 'from' }
  return {
    mediaId,
    ...(path !== undefined && { path }),
    ...(createdAtMs !== undefined && { createdAtMs }),
    ...(typeof from === 'string' && { from }),
  }
}

/** YAML takes what looks like one for a number, which would lose zeros at its front, and the digits behind the sixteenth. */
const notText = (key: string): string => `\`${key}\` is not a text: put it in quotes`

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

const readPath = (value: unknown): MediaPath | undefined | 'outside' =>
  typeof value === 'string'
    ? (parseMediaPath(value.replace(/^(\.\/+)+/, '')) ?? 'outside')
    : undefined

/** Seconds from here on would be the year 5138: they are milliseconds, as most programs count. */
const FIRST_IN_MS = 1e11

/** ISO 8601, or seconds since 1970 as WeCom has them, or milliseconds, as a number or in digits; NaN for anything else. */
function readMoment(value: unknown): number | undefined {
  if (!isGiven(value)) return undefined
  if (typeof value === 'string' && !/^\d{9,13}$/.test(value)) return Date.parse(value)
  if (typeof value !== 'number' && typeof value !== 'string') return Number.NaN
  const count = Number(value)
  return new Date(count < FIRST_IN_MS ? count * 1000 : count).getTime()
}
