// Answers for the form of a journal: one line per commit, `crc32 json`, and what can be believed of the bytes of one.
// Not for files. A line ends with its newline: until that has been written it was never acknowledged.
import { crc32 } from 'node:zlib'

/** What a journal is made of when it is read. */
export type JournalPiece =
  | { readonly kind: 'record'; readonly json: string }
  /** A whole line whose checksum is wrong. */
  | { readonly kind: 'garbled'; readonly sizeBytes: number }
  /** The end of the file without a newline: the death of a writer in the middle of a record. */
  | { readonly kind: 'torn'; readonly atByte: number; readonly sizeBytes: number }

const NEWLINE = 10
const SPACE = 32
const CHECKSUM_LENGTH = 8

/** A checksum as eight hex digits. */
export const renderChecksum = (checksum: number): string =>
  checksum.toString(16).padStart(CHECKSUM_LENGTH, '0')

export const renderRecord = (json: string): string => `${renderChecksum(crc32(json))} ${json}\n`

/** The pieces of a journal in order; a bad one does not hide the good ones behind it. */
export function* readRecords(bytes: Buffer): Generator<JournalPiece> {
  let start = 0
  while (start < bytes.length) {
    const end = bytes.indexOf(NEWLINE, start)
    if (end === -1) return yield { kind: 'torn', atByte: start, sizeBytes: bytes.length - start }
    yield readLine(bytes.subarray(start, end))
    start = end + 1
  }
}

function readLine(line: Buffer): JournalPiece {
  const json = line.subarray(CHECKSUM_LENGTH + 1)
  const isWhole =
    line[CHECKSUM_LENGTH] === SPACE &&
    line.toString('latin1', 0, CHECKSUM_LENGTH) === renderChecksum(crc32(json))
  return isWhole
    ? { kind: 'record', json: json.toString() }
    : { kind: 'garbled', sizeBytes: line.length }
}
