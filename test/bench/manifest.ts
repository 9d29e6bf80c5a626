// What the manifest costs, beside lowdb's own file adapter in the same run: node test/bench/manifest.ts [entries]
// Ratios within one run mean something; absolute figures are this machine's.
import { mkdtemp, rm } from 'node:fs/promises'
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

const ENTRY_COUNT = Number(process.argv[2] ?? 100_000)
const ROUND_MS = 2000

const root = await mkdtemp(join(tmpdir(), 'manifest-bench-'))
const directory = join(root, 'state')
const events = createEvents()
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
const anyEntry = () => entryAt(Math.floor(Math.random() * ENTRY_COUNT))
const open = () =>
  openLowdbManifest({
    directory,
    corpId: CORP_ID,
    clock: systemClock,
    emit: events.emit,
    lock: 'exclusive',
    command: 'bench',
  })

const nextDocument = () =>
  new Promise<Extract<MirrorEvent, { kind: 'document-written' }>>((resolve) => {
    const stop = events.subscribe((event) => {
      if (event.kind !== 'document-written') return
      stop()
      resolve(event)
    })
  })

const print = (what: string, figures: string) => console.log(`${what.padEnd(44)} ${figures}`)
const ms = (value: number | undefined) => `${(value ?? 0).toFixed(2)} ms`
const rss = () => `${Math.round(process.memoryUsage().rss / 2 ** 20)} MB resident`
const percentile = (values: readonly number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]

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

async function commitsPerSecond(commit: () => Promise<unknown>, concurrency: number) {
  const latencies: number[] = []
  const untilMs = performance.now() + ROUND_MS
  const worker = async () => {
    while (performance.now() < untilMs) {
      const startedMs = performance.now()
      await commit()
      latencies.push(performance.now() - startedMs)
    }
  }
  const { tookMs, stallMs } = await measure(() =>
    Promise.all(Array.from({ length: concurrency }, worker)),
  )
  const rate = Math.round((latencies.length / tookMs) * 1000)
  print(
    `  ${concurrency} at a time`,
    `${String(rate).padStart(6)} /s   p50 ${ms(percentile(latencies, 0.5))}   p99 ${ms(percentile(latencies, 0.99))}   worst stall ${ms(stallMs)}`,
  )
}

async function fill(manifest: Manifest) {
  for (let n = 0; n < ENTRY_COUNT; n += 1000) {
    const length = Math.min(1000, ENTRY_COUNT - n)
    await manifest.commit(
      Array.from({ length }, (_, k) => ({ kind: 'put-entry', entry: entryAt(n + k) })),
    )
  }
}

const put = (manifest: Manifest) => () =>
  manifest.commit([{ kind: 'put-entry', entry: anyEntry() }])

async function benchOurs() {
  let manifest = await open()
  const filled = await measure(() => fill(manifest))
  print('ours: fill, 1,000 a commit', `${ms(filled.tookMs)}, ${rss()}`)
  const closed = await measure(() => manifest.close())
  print(
    '  first document (everything serialised)',
    `${ms(closed.tookMs)}, stall ${ms(closed.stallMs)}`,
  )

  const opened = await measure(open)
  manifest = opened.result
  print('  open', `${ms(opened.tookMs)}, stall ${ms(opened.stallMs)}, ${rss()}`)
  const read = await measure(() => readManifest({ directory, corpId: CORP_ID }))
  print('  read without the lock', `${ms(read.tookMs)}, stall ${ms(read.stallMs)}`)
  const due = await measure(() => manifest.findDue({ untilMs: Number.MAX_SAFE_INTEGER }, 1000))
  print('  the 1,000 due next', ms(due.tookMs))

  const written = nextDocument()
  const latencies: number[] = []
  const round = await measure(async () => {
    let isWritten = false
    void written.then(() => (isWritten = true))
    while (!isWritten) {
      const startedMs = performance.now()
      await put(manifest)()
      latencies.push(performance.now() - startedMs)
    }
    return written
  })
  print(
    '  document under commits, one at a time',
    `${ms(round.result.tookMs)} for ${(round.result.bytes / 1e6).toFixed(1)} MB, stall ${ms(round.stallMs)}; commits meanwhile p50 ${ms(percentile(latencies, 0.5))}, p99 ${ms(percentile(latencies, 0.99))}, max ${ms(latencies.reduce((a, b) => Math.max(a, b)))}`,
  )
  console.log('ours: durable commits')
  const { cpuMs, count } = await cpuPerCommit(manifest)
  print('  CPU of one commit of one change', `${ms(cpuMs / count)} (64 at a time)`)
  for (const concurrency of [1, 16, 64]) await commitsPerSecond(put(manifest), concurrency)
  await manifest.close()
  print('  ', rss())
}

async function cpuPerCommit(manifest: Manifest) {
  const before = process.cpuUsage()
  const count = 64 * 200
  for (let n = 0; n < 200; n++) await Promise.all(Array.from({ length: 64 }, put(manifest)))
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, count }
}

/** lowdb as it comes: the whole file at every write, and never flushed. */
async function benchStock() {
  const file = join(root, 'stock.json')
  const db = new Low<Record<string, unknown>>(new JSONFile(file), {})
  for (let n = 0; n < ENTRY_COUNT; n++) {
    const entry = entryAt(n)
    db.data[entry.path] = entry
  }
  const written = await measure(() => db.write())
  print('stock lowdb JSONFile: write', `${ms(written.tookMs)}, stall ${ms(written.stallMs)}`)
  const read = await measure(() => new Low<Record<string, unknown>>(new JSONFile(file), {}).read())
  print('  read, unchecked, no indexes', `${ms(read.tookMs)}, stall ${ms(read.stallMs)}`)
  console.log('stock lowdb JSONFile: commits (not durable)')
  const commit = () =>
    db.update((data) => {
      const entry = anyEntry()
      data[entry.path] = entry
    })
  for (const concurrency of [1, 16, 64]) await commitsPerSecond(commit, concurrency)
}

console.log(`${ENTRY_COUNT} entries, Node ${process.version}`)
try {
  await benchOurs()
  await benchStock()
} finally {
  await rm(root, { recursive: true, force: true })
}
