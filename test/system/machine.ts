// A machine of its own: the systemd of this one booted once more by ./boot, driven from outside.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const BOOT = fileURLToPath(new URL('boot', import.meta.url))
/** A boot takes a second, a shutdown less; where other work keeps the cores busy they get this long. */
const BOOT_WITHIN_MS = 30_000
const OFF_WITHIN_MS = 10_000
const COMMAND_WITHIN_MS = 50_000
const MAX_OUTPUT_BYTES = 2 ** 24

interface Answer {
  /** -1 when it was killed, or took too long. */
  readonly code: number
  readonly output: string
}

export interface Machine {
  /** Runs a command inside and resolves with all it printed; rejects, with that in the message, when it fails. */
  run(...command: string[]): Promise<string>
  /** The same, whatever its exit code. */
  attempt(...command: string[]): Promise<Answer>
  /** Where a file inside is, seen from outside. */
  path(inside: string): string
  write(inside: string, content: string | Buffer): Promise<void>
  read(inside: string): Promise<string>
  powerOff(): Promise<void>
}

/** `prefix` is what it has in the place of /usr/local. */
export async function bootMachine(prefix: string): Promise<Machine> {
  const root = await mkdtemp(join(tmpdir(), 'machine-'))
  const cgroup = await chooseCgroup(basename(root))
  const child = spawn('bash', [BOOT, prefix, root, cgroup], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const cleanUp = async () => {
    const force = setTimeout(() => child.kill('SIGKILL'), OFF_WITHIN_MS)
    await ended
    clearTimeout(force)
    await rm(root, { recursive: true })
    await removeCgroup(cgroup)
  }

  let leader: string
  try {
    leader = await findLeader(child)
  } catch (error) {
    child.kill('SIGKILL')
    await cleanUp()
    throw error
  }
  const attempt = (...command: string[]) => enter(leader, command)
  const path = (inside: string) => join(`/proc/${leader}/root`, inside)
  return {
    attempt,
    async run(...command) {
      const { code, output } = await attempt(...command)
      if (code !== 0) throw new Error(`\`${command.join(' ')}\` ended with ${code}: ${output}`)
      return output
    },
    path,
    read: (inside) => readFile(path(inside), 'utf8'),
    async write(inside, content) {
      await mkdir(dirname(path(inside)), { recursive: true })
      await writeFile(path(inside), content)
    },
    async powerOff() {
      await attempt('systemctl', 'poweroff', '--no-block')
      await cleanUp()
    },
  }
}

/** The process that is number 1 inside, once it has booted. */
async function findLeader(child: ChildProcess): Promise<string> {
  let [said, state] = ['', '']
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      said += text
    })
  const startedAt = performance.now()
  while (child.exitCode === null && performance.now() - startedAt < BOOT_WITHIN_MS) {
    // Looked up each time: before it is systemd, the only child may be a command of the script's.
    const { stdout } = await exec('pgrep', ['-P', String(child.pid)]).catch(() => ({ stdout: '' }))
    const leader = stdout.trim()
    if (leader) state = (await enter(leader, ['systemctl', 'is-system-running'])).output.trim()
    if (/^(running|degraded)$/.test(state)) return leader
    await sleep(50)
  }
  throw new Error(`cannot boot a machine: its state is \`${state}\`, and it said: ${said}`)
}

function enter(leader: string, command: readonly string[]): Promise<Answer> {
  const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--net', '--cgroup']
  const args = ['--target', leader, ...namespaces, 'env', '--chdir=/', ...command]
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', LANG: 'C.UTF-8' }
  const limits = { maxBuffer: MAX_OUTPUT_BYTES, timeout: COMMAND_WITHIN_MS }
  return new Promise((resolve) => {
    execFile('nsenter', args, { env, ...limits }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, output: `${stdout}${stderr}` })
    })
  })
}

/** Where the machine's own control group can be made; empty where there is no unified hierarchy to make it in. */
async function chooseCgroup(name: string): Promise<string> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n')
  const unified = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')
  const [, target, , options = ''] = unified ?? []
  return target !== undefined && /^rw\b/.test(options) ? join(target, name) : ''
}

/** After a kill it takes a moment until the last of its processes is out. */
async function removeCgroup(cgroup: string): Promise<void> {
  for (let look = 0; look < 50; look++) {
    if (cgroup === '' || !existsSync(cgroup)) return
    const empty = ['-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']
    await exec('find', [cgroup, ...empty]).catch(() => sleep(100))
  }
  throw new Error(`cannot remove \`${cgroup}\`: there are processes left in it`)
}
