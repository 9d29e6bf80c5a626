// Restart over 100,000 unchanged files, and a pass for one new file with 100,000 in the manifest.

import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import type { FileFacts, MediaPath } from '../../src/media/media.ts'
import { createPasses } from '../../src/pass.ts'
import { systemClock } from '../../src/support/clock.ts'
import { aFile, aPath } from '../helpers/builders.ts'
import { folderOf } from '../helpers/map-folder.ts'
import {
  type BenchSite,
  createBenchSite,
  measure,
  program,
  ratio,
  report,
  startSink,
} from './measuring.ts'

const PASSES = 200

async function fill(folder: string, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const directory = join(folder, `${number % 10}`, `${Math.floor(number / 10) % 100}`)
    if (number < 1000) await mkdir(directory, { recursive: true })
    await writeFile(join(directory, `${number}.txt`), `content of file ${number}`)
  }
}

async function measureRestart(site: BenchSite): Promise<number> {
  const startedAtMs = performance.now()
  let readyAfterMs = 0
  await measure(program('run', '-c', site.configFile), {}, async (child) => {
    await new Promise<void>((resolve) => {
      let said = ''
      child.stdout?.on('data', (part) => {
        said += part
        if (said.includes('"event":"ready"')) resolve()
      })
    })
    readyAfterMs = performance.now() - startedAtMs
    child.kill('SIGTERM')
  })
  return readyAfterMs
}

/** The real planner, passes and manifest; the folder and the transfers are stood in for, since neither is asked for more than this. */
async function measurePass(site: BenchSite): Promise<number> {
  const manifest = await openLowdbManifest({
    directory: site.state,
    corpId: 'ww-bench',
    clock: systemClock,
    emit: () => {},
    lock: 'exclusive',
    command: 'bench',
  })
  const files = new Map<MediaPath, FileFacts>()
  const passes = createPasses({
    folder: folderOf(files),
    manifest,
    queue: () => ({ submit: () => {}, withdraw: () => {} }),
    renewals: { take: async () => ({ due: new Set(), early: new Set() }) },
    perform: async () => {},
    policy: {
      onDelete: 'restore',
      lifetimeMs: 3 * 24 * 3_600_000,
      renewReferences: false,
      isIgnored: () => false,
      host: 'here',
    },
    clock: systemClock,
    isOutage: () => false,
    emit: () => {},
    onBug: (error) => {
      throw error
    },
  })
  const before = process.cpuUsage()
  for (let number = 0; number < PASSES; number++) {
    const path = aPath(`new/${number}.jpg`)
    files.set(path, aFile({ path }))
    passes.request({ because: 'bench', paths: [path] })
    await passes.planned()
  }
  const { user, system } = process.cpuUsage(before)
  await manifest.close()
  return (user + system) / 1000 / PASSES
}

export async function benchRestart(count = 100_000): Promise<void> {
  const sink = await startSink()
  const site = await createBenchSite(sink.baseUrl)
  await fill(site.folder, count)
  const first = await measure(program('sync', '-c', site.configFile))
  report(`${count} small files, first sync`, [['sync', { ...first }]])
  // With nobody to upload to, an upload could not go unnoticed.
  sink.stop()
  await execFileSync('sed', ['-i', 's/level: warn/level: info/', site.configFile])
  const restarts = [
    await measureRestart(site),
    await measureRestart(site),
    await measureRestart(site),
  ].sort((a, b) => a - b)
  const findStartedAtMs = performance.now()
  execFileSync('find', [site.folder, '-type', 'f', '-printf', '%s %T@ %C@ %p\n'], {
    maxBuffer: 2 ** 30,
  })
  const findMs = performance.now() - findStartedAtMs
  report(`restart over ${count} unchanged files`, [
    [
      'run, to ready',
      {
        minMs: Math.round(restarts[0] ?? 0),
        medianMs: Math.round(restarts[1] ?? 0),
        maxMs: Math.round(restarts[2] ?? 0),
      },
    ],
    ['find, listing them', { ms: Math.round(findMs) }],
    ['ratio run / find', { wall: ratio(restarts[1] ?? 0, findMs) }],
  ])
  report(`a pass for one new file, ${count} in the manifest`, [
    ['pass', { cpuMs: (await measurePass(site)).toFixed(3) }],
  ])
  await site.remove()
}
