// Answers for the text of the document: one row per line, so that it can be searched by line, written in slices and read
// in pieces; the last line is a checksum of all before it. Other JSON of the same shape is read as well, but has to be
// parsed in one piece. Not for files.
import { isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { type DocumentHeader, type Expected, parseDocumentHeader, refuseNewer } from './header.ts'
import { renderChecksum } from './journal.ts'
import { parseJson } from './json.ts'
import { lineOf, type Row } from './row.ts'
import { isOptional, SECTION_NAMES, type SectionName, type Sections } from './row-forms.ts'
import type { RowSnapshot } from './shelf.ts'
import { Damaged, type Fields, isFields } from './wire.ts'

export type Snapshot = { readonly [S in SectionName]: RowSnapshot<Sections[S]> }

/** About what one slice holds: under a millisecond or two of work, between which the event loop is free. */
const SLICE_CHARS = 64 * 1024
/** Pieces of a document that are parsed at once. */
const PIECE_BYTES = 128 * 1024
const SEAL = /,\n"checksum": "([0-9a-f]{8})"\n\}\n$/
const SEAL_LENGTH = 30

/** The document in slices; each is made when it is asked for. */
export function* renderDocument(header: DocumentHeader, snapshot: Snapshot): Generator<Buffer> {
  let checksum = 0
  for (const text of renderBody(header, snapshot)) {
    const bytes = Buffer.from(text)
    checksum = crc32(bytes, checksum)
    yield bytes
  }
  yield Buffer.from(`,\n"checksum": "${renderChecksum(checksum)}"\n}\n`)
}

function* renderBody(header: DocumentHeader, snapshot: Snapshot): Generator<string> {
  yield JSON.stringify(header, null, 1).replace(/^ /gm, '').slice(0, -2)
  for (const section of SECTION_NAMES) {
    if (isOptional(section) && snapshot[section].length === 0) continue
    yield `,\n"${section}": {`
    yield* renderRows(section, snapshot[section])
    yield '\n}'
  }
}

function* renderRows<S extends SectionName>(section: S, parts: RowSnapshot<Sections[S]>) {
  let slice = ''
  let separator = '\n'
  for (const row of eachRow(parts)) {
    slice += separator + lineOf(section, row)
    separator = ',\n'
    if (slice.length < SLICE_CHARS) continue
    yield slice
    slice = ''
  }
  yield slice
}

function* eachRow<T>(parts: RowSnapshot<T>): Generator<Row<T>> {
  for (const part of parts) yield* part
}

export interface DocumentReading {
  readonly header: DocumentHeader
  /** The rows, in pieces that take a millisecond or two each. */
  pieces(): Iterable<{ readonly section: SectionName; readonly rows: Fields }>
}

/** What the bytes of a document say; throws `Damaged`, or refuses a document that is not ours to read. */
export function readDocument(bytes: Buffer, expected: Expected): DocumentReading {
  const seal = SEAL.exec(bytes.toString('latin1', Math.max(0, bytes.length - SEAL_LENGTH)))
  const body = bytes.subarray(0, bytes.length - (seal?.[0].length ?? 0))
  const isIntact = seal !== null && seal[1] === renderChecksum(crc32(body))
  if (isIntact) return readSealed(body, expected)
  const whole = parseWhole(bytes)
  refuseNewer(whole, expected)
  if (seal !== null) throw new Damaged('its content does not match its checksum')
  return readAnyLayout(whole, expected)
}

/** As we wrote it: the checksum vouches for every byte, so the sections are where our own layout puts them. */
function readSealed(body: Buffer, expected: Expected): DocumentReading {
  const starts = SECTION_NAMES.flatMap((section) => {
    const opening = `,\n"${section}": {\n`
    const at = body.indexOf(opening)
    if (at === -1 && isOptional(section)) return []
    if (at === -1) throw new Damaged(`\`${section}\` is not there`)
    return { section, at, rowsAt: at + opening.length }
  })
  const head = parseJson(`${body.toString('utf8', 0, starts[0]?.at)}\n}`)
  refuseNewer(head, expected)
  return {
    header: parseDocumentHeader(head, expected),
    *pieces() {
      for (const [index, { section, rowsAt }] of starts.entries()) {
        const end = (starts[index + 1]?.at ?? body.length) - '\n}'.length
        for (const rows of cutRows(body, rowsAt, end)) yield { section, rows }
      }
    },
  }
}

/** Rows between two places, some at a time; no raw newline can stand inside a row. */
function* cutRows(body: Buffer, from: number, to: number): Generator<Fields> {
  for (let at = from; at < to; ) {
    const newline = body.indexOf('\n', Math.min(at + PIECE_BYTES, to))
    const end = newline === -1 || newline > to ? to : newline
    const text = body.toString('utf8', at, end)
    const rows = parseJson(`{${text.endsWith(',') ? text.slice(0, -1) : text}}`)
    if (!isFields(rows)) throw new Damaged('its rows are not an object')
    yield rows
    at = end + 1
  }
}

/** As some other program or a person laid it out; the version check has been made. */
function readAnyLayout(whole: unknown, expected: Expected): DocumentReading {
  const header = parseDocumentHeader(whole, expected)
  const pieces = SECTION_NAMES.map((section) => {
    const rows = isFields(whole) ? (whole[section] ?? {}) : undefined
    if (!isFields(rows)) throw new Damaged(`\`${section}\` is not an object`)
    return { section, rows }
  })
  return { header, pieces: () => pieces }
}

function parseWhole(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Damaged('it is not UTF-8')
  return parseJson(bytes.toString())
}
