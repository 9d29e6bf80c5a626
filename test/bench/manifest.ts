// What the manifest costs, side by side with `node:sqlite` (and lowdb's own file adapter) in one run and one directory:
// npm run bench manifest, or for one size: node test/bench/manifest.ts 100000
// Ratios within one run mean something; absolute figures are this machine's.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Low } from 'lowdb'
import { JSONFile } from 'lowdb/node'
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import type { Manifest } from '../../src/manifest/manifest.ts'
import { readManifest } from '../../src/manifest/read-manifest.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createEvents, type MirrorEvent } from '../../src/support/events.ts'
import { aFingerprint, aMediaId, anEntry, CORP_ID, START_MS } from '../manifest/rows.ts'
import { openSqlitePeer, type SqlitePeer } from './sqlite-peer.ts'

const SIZES = [1_000, 100_000, 1_000_000]
/** Four is what uploads at once by default. */
const CONCURRENCIES = [1, 4, 16, 64]
/** Ours and theirs take turns, so that a slower moment of the disk meets both. */
const ROUNDS = 7
const ROUND_MS = 700
/** The whole file at every write: beyond this a single one takes seconds. */
const MAX_STOCK_ENTRIES = 100_000
const TRAFFIC_MS = 75_000

let drawn = 0

/** A different content every time: some stores skip what is the same. */
const entryAt = (n: number) => {
  const unique = (drawn++).toString(36).padStart(6, '0')
  return anEntry(`posters/season-${n % 97}/picture-${n}.jpg`, {
    mediaId: aMediaId(`3aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789_${unique}-abcdefghijklmnopqr`),
    fingerprint: aFingerprint(drawn),
    renewAtMs: START_MS + ((n * 7919) % 86_400) * 1000,
  })
}

const print = (what: string, figures: string) => console.log(`${what.padEnd(44)} ${figures}`)
const ms = (value: number | undefined) => `${(value ?? 0).toFixed(2)} ms`
const rss = () => `${Math.round(process.memoryUsage().rss / 2 ** 20)} MB resident`
const percentile = (values: readonly number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0

/** Runs it, and returns how long it took and how long the event loop stood still at worst. */
async function measure<T>(act: () => Promise<T>) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  // It counts from its own first tick: what blocks before that would not be seen.
  await new Promise((resolve) => setTimeout(resolve, 20))
  const startedMs = performance.now()
  const result = await act()
  const tookMs = performance.now() - startedMs
  await new Promise((resolve) => setTimeout(resolve, 5))
  delay.disable()
  return { result, tookMs, stallMs: delay.max / 1e6 }
}

/** How many a second, so many callers at a time, each waiting for its own. */
async function rateOf(commit: () => unknown, concurrency: number): Promise<number> {
  let count = 0
  const startedMs = performance.now()
  const untilMs = startedMs + ROUND_MS
  const caller = async () => {
    while (performance.now() < untilMs) {
      await commit()
      count++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  return (count / (performance.now() - startedMs)) * 1000
}

interface Bench {
  readonly count: number
  readonly root: string
  readonly directory: string
  open(): Promise<Manifest>
  nextDocument(): Promise<Extract<MirrorEvent, { kind: 'document-written' }>>
  documents(): readonly Extract<MirrorEvent, { kind: 'document-written' }>[]
}

async function createBench(count: number): Promise<Bench> {
  const root = await mkdtemp(join(tmpdir(), 'manifest-bench-'))
  const directory = join(root, 'state')
  const events = createEvents()
  const documents: Extract<MirrorEvent, { kind: 'document-written' }>[] = []
  events.subscribe((event) => {
    if (event.kind === 'document-written') documents.push(event)
  })
  return {
    count,
    root,
    directory,
    documents: () => documents,
    open: () =>
      openLowdbManifest({
        directory,
        corpId: CORP_ID,
        clock: systemClock,
        emit: events.emit,
        lock: 'exclusive',
        command: 'bench',
      }),
    nextDocument: () =>
      new Promise((resolve) => {
        const stop = events.subscribe((event) => {
          if (event.kind !== 'document-written') return
          stop()
          resolve(event)
        })
      }),
  }
}

const anyEntry = ({ count }: Bench) => entryAt(Math.floor(Math.random() * count))
const put = (bench: Bench, manifest: Manifest) => () =>
  manifest.commit([{ kind: 'put-entry', entry: anyEntry(bench) }])

function* thousands(count: number) {
  for (let n = 0; n < count; n += 1000)
    yield Array.from({ length: Math.min(1000, count - n) }, (_, k) => entryAt(n + k))
}

async function fill({ count }: Bench, manifest: Manifest) {
  for (const entries of thousands(count))
    await manifest.commit(entries.map((entry) => ({ kind: 'put-entry', entry })))
}

/** Filling, opening, reading, and a document under commits. */
async function benchLife(bench: Bench): Promise<Manifest> {
  let manifest = await bench.open()
  const filled = await measure(() => fill(bench, manifest))
  print('fill, 1,000 a commit', `${ms(filled.tookMs)}, ${rss()}`)
  const closed = await measure(() => manifest.close())
  print(
    'first document, everything serialised',
    `${ms(closed.tookMs)}, stall ${ms(closed.stallMs)}`,
  )
  const opened = await measure(bench.open)
  manifest = opened.result
  print('open', `${ms(opened.tookMs)}, stall ${ms(opened.stallMs)}, ${rss()}`)
  const read = await measure(() => readManifest({ directory: bench.directory, corpId: CORP_ID }))
  print('read without the lock', `${ms(read.tookMs)}, stall ${ms(read.stallMs)}`)
  const due = await measure(() => manifest.findDue({ untilMs: Number.MAX_SAFE_INTEGER }, 1000))
  print('the 1,000 due next', ms(due.tookMs))
  await benchDocument(bench, manifest)
  return manifest
}

async function benchDocument(bench: Bench, manifest: Manifest) {
  const commit = put(bench, manifest)
  const latencies: number[] = []
  const round = await measure(async () => {
    let isWritten = false
    const written = bench.nextDocument()
    void written.then(() => (isWritten = true))
    while (!isWritten) {
      const startedMs = performance.now()
      await commit()
      latencies.push(performance.now() - startedMs)
    }
    return written
  })
  const { tookMs, bytes } = round.result
  print(
    'document under commits, one at a time',
    `${ms(tookMs)} for ${(bytes / 1e6).toFixed(1)} MB, stall ${ms(round.stallMs)}; commits meanwhile p50 ${ms(percentile(latencies, 0.5))}, p99 ${ms(percentile(latencies, 0.99))}`,
  )
}

function fillPeer({ count, root }: Bench): SqlitePeer {
  const peer = openSqlitePeer(join(root, 'peer.sqlite'))
  for (const entries of thousands(count)) peer.commitAll(entries)
  return peer
}

/** A store of one size, ours and theirs, open. */
interface Pair {
  readonly bench: Bench
  readonly manifest: Manifest
  readonly peer: SqlitePeer
}

type Rates = readonly [ours: number, theirs: number, gathered: number]

async function ratesOf({ bench, manifest, peer }: Pair, concurrency: number): Promise<Rates> {
  const gather = () => peer.commitAll(Array.from({ length: concurrency }, () => anyEntry(bench)))
  return [
    await rateOf(put(bench, manifest), concurrency),
    await rateOf(() => peer.commit(anyEntry(bench)), 1),
    (await rateOf(gather, 1)) * concurrency,
  ]
}

/** Medians of rounds in which all sizes and both stores take turns. */
async function benchCommits(pairs: readonly Pair[]) {
  console.log('\ndurable commits a second, ours and node:sqlite (WAL, synchronous=FULL)')
  for (const concurrency of CONCURRENCIES) {
    const rates = pairs.map((): Rates[] => [])
    for (let round = 0; round < ROUNDS; round++)
      for (const [n, pair] of pairs.entries()) rates[n]?.push(await ratesOf(pair, concurrency))
    const medians = rates.map((ofSize) =>
      [0, 1, 2].map((store) =>
        percentile(
          ofSize.map((rate) => rate[store] ?? 0),
          0.5,
        ),
      ),
    )
    for (const [n, [ours = 0, theirs = 1, gathered = 1]] of medians.entries())
      print(
        `${concurrency} at a time, ${pairs[n]?.bench.count} entries`,
        `ours ${ours.toFixed(0)}, node:sqlite ${theirs.toFixed(0)} (ratio ${(ours / theirs).toFixed(2)}), gathered by hand into one transaction ${gathered.toFixed(0)} (ratio ${(ours / gathered).toFixed(2)})`,
      )
    const [smallest, largest] = [medians[0], medians.at(-1)]
    const flat = [0, 1].map((n) => ((largest?.[n] ?? 0) / (smallest?.[n] ?? 1)).toFixed(2))
    print('  largest to smallest', `ours ${flat[0]}, node:sqlite ${flat[1]}`)
  }
}

/** One commit every 20 ms for longer than two documents are apart: what the document costs the disk. */
async function benchTraffic(bench: Bench, manifest: Manifest) {
  const before = { written: await writtenBytes(), documents: bench.documents().length }
  const startedMs = performance.now()
  const commit = put(bench, manifest)
  while (performance.now() - startedMs < TRAFFIC_MS) {
    await commit()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const seconds = (performance.now() - startedMs) / 1000
  const documents = bench.documents().slice(before.documents)
  const bytes = documents.reduce((sum, document) => sum + document.bytes, 0)
  const all = (await writtenBytes()) - before.written
  print(
    `disk traffic, ${seconds.toFixed(0)} s at 50 commits a second`,
    `${documents.length} documents, ${(bytes / 1e6 / seconds).toFixed(2)} MB/s of them; everything ${(all / 1e6 / seconds).toFixed(2)} MB/s`,
  )
}

/** What this process has had written to disks, as Linux counts it. */
async function writtenBytes(): Promise<number> {
  const counts = await readFile('/proc/self/io', 'utf8')
  return Number(/^write_bytes: (\d+)$/m.exec(counts)?.[1])
}

/** lowdb as it comes: the whole file at every write, and never flushed. */
async function benchStock({ count, root }: Bench) {
  const file = join(root, 'stock.json')
  const db = new Low<Record<string, unknown>>(new JSONFile(file), {})
  for (const entries of thousands(count)) for (const entry of entries) db.data[entry.path] = entry
  const written = await measure(() => db.write())
  print('stock lowdb JSONFile, a write', `${ms(written.tookMs)}, stall ${ms(written.stallMs)}`)
}

/** All sizes, and how flat the commits are from the smallest to the largest. */
export async function benchManifest(sizes: readonly number[] = SIZES): Promise<void> {
  const pairs: Pair[] = []
  try {
    for (const count of sizes) {
      console.log(`\n${count} entries, Node ${process.version}`)
      const bench = await createBench(count)
      const manifest = await benchLife(bench)
      if (count <= MAX_STOCK_ENTRIES) await benchStock(bench)
      if (count === MAX_STOCK_ENTRIES) await benchTraffic(bench, manifest)
      pairs.push({ bench, manifest, peer: fillPeer(bench) })
    }
    await benchCommits(pairs)
  } finally {
    for (const { bench, manifest, peer } of pairs) {
      peer.close()
      await manifest.close()
      await rm(bench.root, { recursive: true, force: true })
    }
  }
}

if (import.meta.main) {
  const given = process.argv.slice(2).map(Number)
  await benchManifest(given.length > 0 ? given : undefined)
}
