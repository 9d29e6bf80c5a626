// Answers for `references.files`: looks at the files again and again, takes in what lists say, and keeps what other hosts' manifests
// offer. They are few and often lie on network shares, which tell nobody of a change; so they are looked at, and not watched.

import { isUnwritable } from '../errors.ts'
import type { MediaId, MediaPath, WantedReference } from '../media/media.ts'
import type { Timer } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'
import { oneAtATime } from '../support/one-at-a-time.ts'
import { createOffers, type Offers } from './offers.ts'
import { createReferenceFile, type ReferenceFileDeps, type Statement } from './reference-file.ts'
import { expandPattern } from './reference-globs.ts'

/** Between two looks, of which each costs a system call or two for every file; more where a look itself takes long. */
const LOOK_EVERY_MS = 2000
const REST_TIMES = 20
/** So many rows of a list are taken in side by side, and share a flush of the disk. */
const CHUNK_ROWS = 500

/** How it stands with one reference file. */
export interface FileReport {
  readonly file: string
  /** Undefined as long as nothing could be read of it. */
  readonly kind: Statement['kind'] | undefined
  readonly count: number
  readonly readAtMs: number | undefined
  readonly problem: string | undefined
}

export interface ReferenceFiles {
  readonly offers: Pick<Offers, 'at' | 'withBytes' | 'paths'>
  /** Looks at all of them, also a second time at what is perhaps still being written. */
  look(): Promise<void>
  start(): void
  stop(): Promise<void>
  report(): readonly FileReport[]
  /** Whether a list names the id, as it said last. */
  lists(mediaId: MediaId): boolean
  /** Whether each pattern has found a file, and each file has said something since the start: who is silent may say anything. */
  areRead(): boolean
}

interface Kept {
  readonly look: ReturnType<typeof createReferenceFile>['look']
  /** What it lists, of each id the first row. */
  listed: ReadonlyMap<MediaId, WantedReference>
  /** Rows that were taken in, as they were. */
  readonly rows: Map<MediaId, string>
  /** Rows could not be taken in, for want of room on the disk: they are tried again at every look. */
  hasUntaken: boolean
  report: FileReport
}

export function createReferenceFiles(
  deps: ReferenceFileDeps & {
    readonly patterns: readonly string[]
    readonly clock: {
      nowMs(): number
      monotonicMs(): number
      after(delayMs: number, act: () => void): Timer
      sleep(delayMs: number, signal?: AbortSignal): Promise<void>
    }
    readonly accept: (wanted: WantedReference) => Promise<unknown>
    /** Other hosts say something else about these paths. */
    readonly onOffers: (paths: ReadonlySet<MediaPath>) => void
    readonly emit: Emit
    readonly onBug: (error: unknown) => void
  },
): ReferenceFiles {
  const { clock, emit, patterns } = deps
  const offers = createOffers()
  const files = new Map<string, Kept>()
  const stopping = new AbortController()
  let timer: Timer | undefined
  let isPending = false
  /** Patterns for which there is no file. */
  let idle = patterns.length

  const lookAtAll = oneAtATime(async () => {
    isPending = false
    const matches = await Promise.all(patterns.map(expandPattern))
    idle = matches.filter((found) => found.length === 0).length
    const found = new Set(matches.flat())
    for (const file of found) if (!files.has(file)) files.set(file, open(file))
    // A list that a glob finds no more has done its part. A manifest has not: what it offers is asked for again and again.
    for (const [file, { report }] of files)
      if (!found.has(file) && report.kind !== 'manifest') files.delete(file)
    for (const [file, kept] of files) {
      if (stopping.signal.aborted) return
      await lookAt(file, kept)
    }
  })

  const open = (file: string): Kept => ({
    look: createReferenceFile(file, deps).look,
    listed: new Map(),
    rows: new Map(),
    hasUntaken: false,
    report: { file, kind: undefined, count: 0, readAtMs: undefined, problem: undefined },
  })

  async function lookAt(file: string, kept: Kept): Promise<void> {
    const { statement, problem, isPending: mustWait } = await kept.look()
    if (mustWait) {
      isPending = true
      return
    }
    if (statement) await take(file, kept, statement)
    else if (kept.hasUntaken) await takeRows(file, kept)
    const before = kept.report.problem
    kept.report = { ...kept.report, problem }
    if (problem !== undefined && problem !== before)
      emit({ kind: 'reference-file-refused', file, because: problem })
    if (problem === undefined && before !== undefined) emit({ kind: 'reference-file-mended', file })
  }

  async function take(file: string, kept: Kept, statement: Statement): Promise<void> {
    const { kind } = statement
    const count = kind === 'list' ? statement.rows.length : statement.entries.length
    kept.report = { ...kept.report, kind, count, readAtMs: clock.nowMs() }
    emit({ kind: 'reference-file-read', file, what: kind, count })
    if (statement.kind === 'list') {
      kept.listed = firstOfEach(statement.rows)
      return takeRows(file, kept)
    }
    kept.listed = new Map()
    const changed = offers.replace(file, statement.entries)
    if (changed.size > 0) deps.onOffers(changed)
  }

  /** Of an id that stands in several places the first counts, so that it is not landed here and there in turn. */
  async function takeRows(file: string, kept: Kept): Promise<void> {
    const { listed, rows } = kept
    for (const mediaId of [...rows.keys()]) if (!listed.has(mediaId)) rows.delete(mediaId)
    const news = [...listed.values()].filter(
      (row) => !isOthers(file, row.mediaId) && rows.get(row.mediaId) !== textOf(row),
    )
    kept.hasUntaken = false
    for (let from = 0; from < news.length && !kept.hasUntaken; from += CHUNK_ROWS) {
      // The next start takes in the rest; nobody waits for a minute until a large list is through.
      if (stopping.signal.aborted) return
      await Promise.all(news.slice(from, from + CHUNK_ROWS).map((row) => takeRow(kept, row)))
    }
  }

  async function takeRow(kept: Kept, row: WantedReference): Promise<void> {
    try {
      await deps.accept(row)
      kept.rows.set(row.mediaId, textOf(row))
    } catch (error) {
      // A full disk is told of by those whose outcomes it concerns.
      if (!isUnwritable(error)) throw error
      kept.hasUntaken = true
    }
  }

  function isOthers(file: string, mediaId: MediaId): boolean {
    for (const [other, { rows }] of files) if (other !== file && rows.has(mediaId)) return true
    return false
  }

  async function look(): Promise<void> {
    if (patterns.length === 0) return
    await lookAtAll()
    if (!isPending) return
    await clock.sleep(deps.settleMs, stopping.signal).catch(() => {})
    if (!stopping.signal.aborted) await lookAtAll()
  }

  function lookLater(delayMs: number) {
    timer = clock.after(delayMs, () => {
      const startedAtMs = clock.monotonicMs()
      lookAtAll()
        .then(() => {
          if (stopping.signal.aborted) return
          const restMs = REST_TIMES * (clock.monotonicMs() - startedAtMs)
          lookLater(Math.max(isPending ? deps.settleMs : LOOK_EVERY_MS, restMs))
        })
        .catch(deps.onBug)
    })
  }

  return {
    offers,
    look,
    start() {
      if (patterns.length > 0) lookLater(LOOK_EVERY_MS)
    },
    async stop() {
      stopping.abort(new Error('the mirror is stopping'))
      timer?.cancel()
      // A look under way ends at its next file, or the next rows of one.
      if (patterns.length > 0) await lookAtAll()
    },
    report: () => [...files.values()].map(({ report }) => report),
    lists: (mediaId) => [...files.values()].some(({ listed }) => listed.has(mediaId)),
    areRead: () =>
      idle === 0 && [...files.values()].every(({ report }) => report.kind !== undefined),
  }
}

function firstOfEach(rows: readonly WantedReference[]): ReadonlyMap<MediaId, WantedReference> {
  const first = new Map<MediaId, WantedReference>()
  for (const row of rows) if (!first.has(row.mediaId)) first.set(row.mediaId, row)
  return first
}

const textOf = ({ path, createdAtMs, from }: WantedReference): string =>
  JSON.stringify([path, createdAtMs, from])
