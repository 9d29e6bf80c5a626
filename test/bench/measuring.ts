// What the benchmarks share: the real program in a process of its own with a probe inside, sites to run it on, and a table.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const MAIN = here('../../src/main.ts')

export interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
  readonly maxStallMs: number
  readonly p99StallMs: number
  readonly peakRssMb: number
}

export interface BenchSite {
  readonly folder: string
  readonly state: string
  readonly configFile: string
  remove(): Promise<void>
}

export async function createBenchSite(baseUrl: string): Promise<BenchSite> {
  const root = await mkdtemp(join(tmpdir(), 'bench-'))
  const [folder, state, configFile] = ['folder', 'state', 'config.yaml'].map((name) =>
    join(root, name),
  ) as [string, string, string]
  await mkdir(folder)
  await writeFile(
    configFile,
    stringify({
      wecom: {
        corpId: 'ww-bench',
        secret: 'bench',
        baseUrl,
        quota: { perMinute: 1_000_000, perHour: 10_000_000, share: '100%' },
      },
      folder: { path: folder, settle: '1ms' },
      state,
      log: { format: 'json', level: 'warn' },
    }),
  )
  return { folder, state, configFile, remove: () => rm(root, { recursive: true, force: true }) }
}

export async function startSink(): Promise<{ baseUrl: string; stop(): void }> {
  const child = spawn(process.execPath, [here('./sink.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const baseUrl = await new Promise<string>((resolve) =>
    child.stdout.once('data', (line) => resolve(String(line).trim())),
  )
  return { baseUrl, stop: () => void child.kill() }
}

/** A Node program with the probe inside; `until` may end it earlier with SIGTERM. */
export async function measure(
  args: readonly string[],
  env: Record<string, string> = {},
  until: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<Cost> {
  const probeFile = join(await mkdtemp(join(tmpdir(), 'probe-')), 'cost.json')
  const child = spawn(process.execPath, ['--import', here('./probe.ts'), ...args], {
    env: { ...process.env, ...env, PROBE_FILE: probeFile },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout?.resume()
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  await until(child)
  const code = await ended
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return JSON.parse(await readFile(probeFile, 'utf8'))
}

export const program = (...args: string[]): string[] => [MAIN, ...args]
export const peer = (folder: string, baseUrl: string): string[] => [
  here('./fetch-peer.ts'),
  folder,
  baseUrl,
]

export function report(
  title: string,
  rows: readonly (readonly [string, Record<string, string | number>])[],
): void {
  process.stdout.write(`\n${title}\n`)
  for (const [name, figures] of rows) {
    const text = Object.entries(figures)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')
    process.stdout.write(`  ${name.padEnd(34)} ${text}\n`)
  }
}

export const ratio = (ours: number, theirs: number): string => (ours / theirs).toFixed(2)
