// Answers for one reference file: whether it has changed, whether it is whole, and what it says. What it said last counts until it says
// something else: a file that is broken, or gone for a moment, takes nothing back. Not for what is done about it.
import { isUtf8 } from 'node:buffer'
import { constants } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { isMirrorError, isSystemError } from '../errors.ts'
import type { ManifestEntry, WantedReference } from '../media/media.ts'
import { renderSize } from '../media/size-text.ts'
import {
  type Flaw,
  MOST_PLACED_BYTES,
  parseReferenceList,
  type ReadPlaced,
} from './reference-list.ts'

/** What is larger is no list of media: the manifest of some 250,000 media is that large. */
const MOST_BYTES = 128 * 2 ** 20
/** So many flaws are told of one file. */
const MOST_FLAWS = 3

export type Statement =
  | { readonly kind: 'list'; readonly rows: readonly WantedReference[] }
  | { readonly kind: 'manifest'; readonly entries: readonly ManifestEntry[] }

export interface Look {
  /** What it says, where that is news. */
  readonly statement?: Statement
  /** What is wrong with it; what it said before counts still. */
  readonly problem?: string
  /** It is perhaps still being written: to be looked at again as soon as it may have settled. */
  readonly isPending?: true
}

export interface ReferenceFileDeps {
  readonly settleMs: number
  readonly clock: { nowMs(): number }
  readonly readPlaced: ReadPlaced
  readonly readEntries: (bytes: Buffer, file: string) => Promise<readonly ManifestEntry[]>
  /** Whether the true path of a file is this mirror's own. */
  readonly isOwn: (truePath: string) => boolean
}

export function createReferenceFile(file: string, deps: ReferenceFileDeps) {
  /** As it was at the last look, and since when it has been so. */
  let seen: { readonly mark: string; readonly sinceMs: number } | undefined
  /** As it was when it was read to its end, for good or bad. */
  let readMark: string | undefined
  let problem: string | undefined

  const tell = (because: string): Look => {
    problem = because
    return { problem }
  }

  async function look(): Promise<Look> {
    let handle: FileHandle | undefined
    try {
      if (deps.isOwn(await realpath(file))) return tell(`\`${file}\` is this mirror's own`)
      // Of a pipe nobody may ever write the other end, and whoever opens it would wait for that.
      handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
      return await lookAt(handle)
    } catch (error) {
      if (!isSystemError(error)) throw error
      readMark = undefined
      return tell(`cannot read \`${file}\`: ${wordsOf(error)}`)
    } finally {
      await handle?.close()
    }
  }

  async function lookAt(handle: FileHandle): Promise<Look> {
    const stat = await handle.stat()
    if (!stat.isFile()) return tell(`\`${file}\` is not a file`)
    const mark = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`
    const nowMs = deps.clock.nowMs()
    if (seen?.mark !== mark) seen = { mark, sinceMs: seen ? nowMs : Math.min(nowMs, stat.mtimeMs) }
    if (mark === readMark) return problem === undefined ? {} : { problem }
    const isSettled = nowMs - seen.sinceMs >= deps.settleMs
    if (stat.size > MOST_BYTES) {
      readMark = mark
      return tell(`\`${file}\` has ${renderSize(stat.size)}, more than ${renderSize(MOST_BYTES)}`)
    }
    const bytes = await handle.readFile()
    const found = await read(withoutMark(bytes), isSettled)
    const isSame = (await handle.stat()).mtimeMs === stat.mtimeMs && bytes.length === stat.size
    if (!isSame || (found.isBroken && !isSettled)) return { isPending: true }
    readMark = mark
    problem = found.problem
    return found.problem === undefined
      ? { ...found.told }
      : { ...found.told, problem: found.problem }
  }

  interface Found {
    readonly told?: { readonly statement: Statement }
    readonly problem?: string
    /** Nothing can be said of it yet. */
    readonly isBroken?: boolean
  }

  async function read(bytes: Buffer, isSettled: boolean): Promise<Found> {
    if (!isUtf8(bytes)) return { isBroken: true, problem: describeEncoding(file, bytes) }
    if (isManifest(bytes)) return readManifest(bytes)
    // What has no end of its own may be cut off anywhere, also within an id.
    if (!isSettled && !isClosed(bytes)) return { isBroken: true }
    if (bytes.length > MOST_PLACED_BYTES && !isJson(file, bytes))
      return {
        problem: `\`${file}\` is larger than ${renderSize(MOST_PLACED_BYTES)}: use JSON or NDJSON`,
      }
    const { rows, flaws, isBroken } = parseReferenceList(bytes.toString(), {
      name: file,
      readPlaced: deps.readPlaced,
      nowMs: deps.clock.nowMs(),
    })
    const problem = flaws.length === 0 ? {} : { problem: describeFlaws(file, flaws) }
    if (isBroken) return { isBroken, ...problem }
    return { told: { statement: { kind: 'list', rows } }, ...problem }
  }

  async function readManifest(bytes: Buffer): Promise<Found> {
    try {
      const entries = await deps.readEntries(bytes, file)
      return { told: { statement: { kind: 'manifest', entries } } }
    } catch (error) {
      if (!isMirrorError(error)) throw error
      return { isBroken: true, problem: describeDamage(bytes, error.message) }
    }
  }

  /** Where it stops to be JSON, if that is what is wrong with it. */
  function describeDamage(bytes: Buffer, message: string): string {
    const [flaw] =
      bytes.length > MOST_PLACED_BYTES ? [] : deps.readPlaced(bytes.toString()).problems
    return flaw ? `${message} (line ${flaw.line}, column ${flaw.column})` : message
  }

  return { look }
}

/** Both forms of JSON end with what closes them. */
const isClosed = (bytes: Buffer): boolean =>
  /[\]}]\s*$/.test(bytes.toString('utf8', bytes.length - 16))

const isJson = (file: string, bytes: Buffer): boolean =>
  /\.(?:ndjson|jsonl)$/i.test(file) || (isClosed(bytes) && !/\.ya?ml$/i.test(file))

/** Editors of Windows begin a file with a mark, which is no part of what it says. */
const withoutMark = (bytes: Buffer): Buffer =>
  bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Paths in any other encoding would be others here, and nobody would see why. */
function describeEncoding(file: string, bytes: Buffer): string {
  const before = bytes.toString().split('\ufffd', 1).join('').split('\n')
  const column = (before.at(-1)?.length ?? 0) + 1
  return `\`${file}\`, line ${before.length}, column ${column}: this is not UTF-8 (GBK or UTF-16, perhaps): save it as UTF-8`
}

const isManifest = (bytes: Buffer): boolean =>
  /^\s*\{[^}]{0,200}"format":\s*"wecom-media-mirror\/manifest"/.test(
    bytes.toString('utf8', 0, 1000),
  )

const describeFlaws = (file: string, flaws: readonly Flaw[]): string => {
  const told = flaws
    .slice(0, MOST_FLAWS)
    .map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`)
  const more = flaws.length > told.length ? `; and ${flaws.length - told.length} more` : ''
  return `\`${file}\`, ${told.join('; ')}${more}`
}

const wordsOf = ({ code, message }: NodeJS.ErrnoException): string => {
  if (code === 'ENOENT') return 'it is not there'
  return code === 'EACCES' || code === 'EPERM' ? `permission denied (${code})` : message
}
