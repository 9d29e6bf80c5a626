// Measures scan and watch over a large folder, beside `find` and beside chokidar left to itself. Run: node test/bench/scan.ts [files]
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { argv, execPath, memoryUsage } from 'node:process'
import { fileURLToPath } from 'node:url'
import { watch } from 'chokidar'
import { systemClock } from '../../src/support/clock.ts'
import { createDirectoryWatches } from '../../src/watch/directory-watches.ts'
import { createFolder } from '../../src/watch/folder.ts'
import { createFolderIndex } from '../../src/watch/folder-index.ts'
import { createFolderScan } from '../../src/watch/folder-scan.ts'
import { createIgnore } from '../../src/watch/ignore.ts'

const FILES_PER_DIRECTORY = 100
const RUNS = 3

type Measure = (root: string) => Promise<number>

const openScan = (root: string) =>
  createFolderScan({ root, isIgnored: createIgnore([]), clock: systemClock })

/** Each is run in a process of its own; the number is how many files or directories it found. */
const MEASURES: Readonly<Record<string, Measure>> = {
  async 'find -type f, with size and times'(root) {
    const output = execFileSync('find', [root, '-type', 'f', '-printf', '%s %T@ %C@ %p\n'], {
      maxBuffer: 2 ** 30,
    })
    return output.reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0)
  },
  async scan(root) {
    let files = 0
    for await (const listings of openScan(root).walk(''))
      for (const listing of listings) files += listing.files.length
    return files
  },
  async 'scan into the index'(root) {
    const index = createFolderIndex({ settleMs: 0 })
    for await (const listings of openScan(root).walk(''))
      for (const listing of listings) index.takeIn(listing, systemClock.nowMs())
    return index.fileCount()
  },
  async 'watch, as we ask chokidar to'(root) {
    const watches = createDirectoryWatches({ root, onHint() {}, onError: fail })
    await watches.add(await openScan(root).directories(''))
    return [...watches.directories()].length
  },
  async 'watch, chokidar left to itself'(root) {
    const watcher = watch(root, { ignoreInitial: true, atomic: false, followSymlinks: false })
    await new Promise<void>((resolve) => watcher.once('ready', resolve))
    return Object.keys(watcher.getWatched()).length - 1
  },
  async 'restart: watch, scan, index'(root) {
    const folder = createFolder({
      root,
      isMarked: false,
      settings: { ignore: [], settleMs: 1_000, rescanMs: 600_000 },
      isWatched: true,
      clock: systemClock,
      emit() {},
      random: () => 0.5,
      onChange() {},
      onRescanned: () => {},
      onBelief() {},
      onBug: fail,
    })
    await folder.start()
    return folder.fileCount()
  },
}

function fail(error: unknown): never {
  throw error
}

async function measure(name: string, root: string): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const startedAt = performance.now()
  const count = await MEASURES[name]?.(root)
  const tookMs = Math.round(performance.now() - startedAt)
  const rssMb = Math.round(memoryUsage().rss / 2 ** 20)
  console.log(JSON.stringify({ count, tookMs, rssMb, stallMs: Math.round(delay.max / 1e6) }))
  // What watches would otherwise keep the process.
  process.exit()
}

function plantFolder(fileCount: number): string {
  const root = mkdtempSync(join(tmpdir(), 'wmm-bench-'))
  for (let number = 0; number < fileCount; number++) {
    const leaf = Math.floor(number / FILES_PER_DIRECTORY)
    const directory = join(root, `d${leaf % 10}`, `s${Math.floor(leaf / 10)}`)
    if (number % FILES_PER_DIRECTORY === 0) mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `file-${number}.jpg`), 'x'.repeat(200))
  }
  return root
}

function runAll(fileCount: number): void {
  const root = plantFolder(fileCount)
  try {
    for (const name of Object.keys(MEASURES)) {
      const runs = Array.from({ length: RUNS }, () =>
        JSON.parse(
          execFileSync(execPath, [fileURLToPath(import.meta.url), name, root], {
            encoding: 'utf8',
          }),
        ),
      ).sort((a, b) => a.tookMs - b.tookMs)
      const { count, tookMs, rssMb, stallMs } = runs[Math.floor(RUNS / 2)]
      console.log(
        `${name.padEnd(36)} ${count} found  ${tookMs} ms  ${rssMb} MB RSS  worst stall ${stallMs} ms`,
      )
    }
  } finally {
    rmSync(root, { recursive: true })
  }
}

const [, , first = '100000', root] = argv
if (root) await measure(first, root)
else runAll(Number(first))
