// Answers for the public form of single fields: how times, sizes and words stand in the manifest's files, and how they
// are checked when read. A document may have 100,000 rows, so this check is written by hand where zod checks the rest.

/** What was read cannot be what was written; the reader decides what that means. */
export class Damaged extends Error {
  override readonly name = 'Damaged'
}

/** A JSON object whose fields have not been checked yet. */
export type Fields = Readonly<Record<string, unknown>>

/** The ends of what ISO 8601 and `Date` can say; a file system may claim more. */
const MAX_TIME_MS = 8.64e15
const TIME = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** ISO 8601 in UTC with milliseconds; what lies beyond its range becomes the nearest that it can say. */
export const renderTime = (timeMs: number): string =>
  new Date(Math.min(MAX_TIME_MS, Math.max(-MAX_TIME_MS, timeMs))).toISOString()

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function readTime(fields: Fields, name: string): number {
  const value = fields[name]
  const timeMs = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(timeMs)) throw new Damaged(`\`${name}\` is not a time`)
  return timeMs
}

export function readSize(fields: Fields, name: string): number {
  const value = fields[name]
  if (!Number.isSafeInteger(value) || Number(value) < 0)
    throw new Damaged(`\`${name}\` is not a size in bytes`)
  return Number(value)
}

export function readText(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new Damaged(`\`${name}\` is not a text`)
  return value
}

/** What is said by being there: `true`, or not at all. */
export function readMark(fields: Fields, name: string): true {
  if (fields[name] !== true) throw new Damaged(`\`${name}\` is not true`)
  return true
}

/** A text that one of the domain's `parse` functions makes something of. */
export function readAs<T>(fields: Fields, name: string, parse: (text: string) => T | undefined): T {
  const value = parse(readText(fields, name))
  if (value === undefined) throw new Damaged(`\`${name}\` is not what it should be`)
  return value
}

/** Nothing when the field is not there; otherwise as strict as the reader it is given. */
export const readIfThere = <T>(
  fields: Fields,
  name: string,
  read: (fields: Fields, name: string) => T,
): T | undefined => (fields[name] === undefined ? undefined : read(fields, name))

/** Parses one word of a closed list, given as the keys of an object so that the compiler keeps it complete. */
export const oneOf =
  <Word extends string>(words: Readonly<Record<Word, true>>) =>
  (text: string): Word | undefined =>
    Object.hasOwn(words, text) ? (text as Word) : undefined
