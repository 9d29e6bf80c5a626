// Answers for where the rows of a JSON list stand, in texts that are too large for a reader that knows the place of everything. Pure.
// Not for what is in them (reference-list.ts).
import type { Place } from './reference-list.ts'

export interface JsonRow extends Place {
  /** As it stands, up to the comma or bracket that ends it. */
  readonly text: string
}

/** The rows of the outermost list, in order; of what is no list, the little that looks like one. */
export function* rowsOfJson(text: string): Iterable<JsonRow> {
  const lines = createLineCount(text)
  let depth = 0
  let from = -1
  // Strings as a whole, for they may hold brackets, and what opens, closes and parts.
  for (const { 0: mark, index } of text.matchAll(/"(?:[^"\\]+|\\[\s\S])*(?:"|$)|[[\]{},]/g)) {
    const isEnd = depth === 1 && (mark === ',' || mark === ']' || mark === '}')
    if (isEnd && (mark === ',' || text.slice(from, index).trim() !== '')) yield rowAt(from, index)
    if (mark === '[' || mark === '{') depth++
    if (mark === ']' || mark === '}') depth--
    if (isEnd || (depth === 1 && from < 0)) from = index + 1
  }
  if (depth > 0 && from >= 0 && text.slice(from).trim() !== '') yield rowAt(from, text.length)

  function rowAt(begin: number, end: number): JsonRow {
    const raw = text.slice(begin, end)
    const start = begin + (raw.length - raw.trimStart().length)
    return { ...lines.placeOf(start), text: raw.trim() }
  }
}

/** Asked for ever later offsets, it reads the text once. */
function createLineCount(text: string) {
  let line = 1
  let lineStart = 0
  return {
    placeOf(offset: number): Place {
      for (let end = text.indexOf('\n', lineStart); end >= 0 && end < offset; ) {
        line++
        lineStart = end + 1
        end = text.indexOf('\n', lineStart)
      }
      return { line, column: offset - lineStart + 1 }
    },
  }
}
