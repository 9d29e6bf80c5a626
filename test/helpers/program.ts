// The real program as a child process, on a site of its own: a folder, a state directory, a configuration.
import { type ChildProcess, spawn } from 'node:child_process'
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { createTempFolder } from './temp-folder.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Halves what a start costs; whatever ends in its own time leaves more in it. */
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url))
/** Nothing on one machine takes this long; a test that waits longer has failed. */
const PATIENCE_MS = 15_000

type Settings = { [key: string]: unknown }

export interface LogLine {
  readonly event: string
  readonly level: string
  readonly message: string
  readonly [fact: string]: unknown
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Begun {
  readonly stdin: Writable
  signal(name: NodeJS.Signals): void
  ended(): Promise<Ended>
}

export interface Daemon {
  readonly pid: number
  readonly lines: readonly LogLine[]
  /** The first line of this event, from now on or from before, for which `is` says yes. */
  saw(event: string, is?: (line: LogLine) => boolean, withinMs?: number): Promise<LogLine>
  signal(name: NodeJS.Signals): void
  ended(): Promise<Ended>
  stop(): Promise<Ended>
}

export interface Site {
  readonly folder: string
  readonly state: string
  readonly configFile: string
  write(path: string, content: Buffer | string): Promise<void>
  configure(settings: Settings): Promise<void>
  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ended>
  /** Begins a command that is to be fed or interrupted. */
  begin(...args: string[]): Begun
  /** Runs a command with `--json` and reads its answer. */
  ask<Answer>(...args: string[]): Promise<Answer>
  /** Resolves at the event, `ready` where none is named. */
  startDaemon(until?: string, withinMs?: number): Promise<Daemon>
  /** The daemon from its very beginning; or another program of the tests that stands in for it, and what it is told. */
  launch(program?: readonly string[]): Daemon
  /** From now on the program is started by this command, which gets it as its last arguments. */
  runUnder(...launcher: string[]): void
  /** From now on the program runs as this user, and owns state and configuration. */
  runAs(uid: number): Promise<void>
  /** The document as any other program reads it. */
  document(): Promise<{
    media: Record<string, Settings>
    problems: Record<string, Settings>
    [key: string]: unknown
  }>
}

/** Settings over the ordinary ones of a test: quick to settle, ticks every second, everything logged. */
export async function createSite(baseUrl: string, settings: Settings = {}): Promise<Site> {
  const root = await createTempFolder('site')
  const [folder, state, configFile] = ['folder', 'state', 'config.yaml'].map((name) =>
    join(root, name),
  ) as [string, string, string]
  await mkdir(folder)
  const ordinary: Settings = {
    wecom: { corpId: 'ww-test', secret: 'canary-secret', baseUrl },
    folder: { path: folder, settle: '100ms' },
    state,
    renewal: { schedule: '* * * * * *' },
    restore: { schedule: '* * * * * *' },
    log: { level: 'debug', format: 'json' },
  }
  const configure = (wanted: Settings) => writeFile(configFile, stringify(merge(ordinary, wanted)))
  await configure(settings)

  let user: number | undefined
  let launcher: readonly string[] = []
  const start = (args: readonly string[], stdin: 'ignore' | 'pipe' = 'ignore') => {
    const { NOTIFY_SOCKET: _, ...env } = process.env
    const [command = '', ...rest] = [...launcher, process.execPath, ...args, '-c', configFile]
    const child = spawn(command, rest, {
      cwd: root,
      env: { ...env, NODE_COMPILE_CACHE: COMPILE_CACHE },
      stdio: [stdin, 'pipe', 'pipe'],
      ...(user !== undefined && { uid: user, gid: user }),
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    return child
  }
  const run = (...args: string[]) => collect(start([MAIN, ...args]))
  const launch = (program: readonly string[] = [MAIN, 'run']) => watch(start(program))

  return {
    folder,
    state,
    configFile,
    configure,
    async write(path, content) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), content)
    },
    run,
    begin(...args) {
      const child = start([MAIN, ...args], 'pipe')
      const ended = collect(child)
      if (!child.stdin) throw new Error('a child without stdin')
      return { stdin: child.stdin, signal: (name) => void child.kill(name), ended: () => ended }
    },
    async ask(...args) {
      const { stdout, stderr } = await run(...args, '--json')
      if (stdout === '') throw new Error(`no answer to ${args.join(' ')}: ${stderr}`)
      return JSON.parse(stdout)
    },
    async startDaemon(until = 'ready', withinMs = PATIENCE_MS) {
      const daemon = launch()
      await daemon.saw(until, undefined, withinMs)
      return daemon
    },
    launch,
    runUnder(...command) {
      launcher = command
    },
    async runAs(uid) {
      user = uid
      for (const path of [root, configFile]) await chown(path, uid, uid)
    },
    document: async () => JSON.parse(await readFile(join(state, 'manifest.json'), 'utf8')),
  }
}

function merge(under: Settings, over: Settings): Settings {
  const merged = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = under[key]
    const both = [below, value].every(
      (side) => typeof side === 'object' && side !== null && !Array.isArray(side),
    )
    merged[key] = both ? merge(below as Settings, value as Settings) : value
  }
  return merged
}

async function collect(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr }
}

function watch(child: ChildProcess): Daemon {
  const lines: LogLine[] = []
  const waiting = new Set<() => void>()
  let rest = ''
  let isOver = false
  const ended = collect(child).then((end) => {
    isOver = true
    for (const look of waiting) look()
    return end
  })
  child.stdout?.on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.filter((part) => part !== '').map((part) => JSON.parse(part)))
    for (const look of [...waiting]) look()
  })

  function saw(
    event: string,
    is: (line: LogLine) => boolean = () => true,
    withinMs = PATIENCE_MS,
  ): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = lines.find((line) => line.event === event && is(line))
        if (!found && !isOver) return
        clearTimeout(timer)
        waiting.delete(look)
        if (found) resolve(found)
        else
          ended.then(({ code, stderr }) =>
            reject(new Error(`ended with ${code} before ${event}: ${stderr}`)),
          )
      }
      const timer = setTimeout(() => {
        waiting.delete(look)
        const seen = lines.map((line) => `${line.event}: ${line.message}`).join('\n')
        reject(new Error(`no ${event} within ${withinMs} ms; seen:\n${seen}`))
      }, withinMs)
      waiting.add(look)
      look()
    })
  }

  return {
    pid: child.pid ?? -1,
    lines,
    saw,
    signal: (name) => void child.kill(name),
    ended: () => ended,
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** For lines about one entry. */
export const ofPath = (path: string) => (line: LogLine) =>
  (line.entry as { path?: string } | undefined)?.path === path ||
  line.path === path ||
  (line.problem as { path?: string } | undefined)?.path === path
