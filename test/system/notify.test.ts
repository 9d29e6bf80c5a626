// The notify protocol without a boot: the real program, the real systemd-notify, and a socket that writes down what comes.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { aJpg } from '../helpers/samples.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'

/** Node has no datagram sockets of this kind. Perl is on every Debian, and prints one datagram a line here. */
const RECEIVER = `use Socket; $| = 1; my $socket;
socket($socket, AF_UNIX, SOCK_DGRAM, 0) && bind($socket, pack_sockaddr_un($ARGV[0])) or die $!;
print "listening\\n";
while (defined recv($socket, my $message, 65536, 0)) { $message =~ tr/\\n/|/; print "$message\\n" }`

const endOf = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('close', resolve))

/** All lines that it printed so far. */
function linesOf(child: ChildProcess): () => string[] {
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (more) => {
    text += more
  })
  return () => text.split('\n').slice(0, -1)
}

async function listen(socket: string): Promise<() => string[]> {
  const lines = linesOf(
    spawn('perl', ['-e', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  await until(() => lines().includes('listening'), { what: 'the receiver' })
  // systemd-notify asks with each message to be told that it was taken; that is between it and systemd.
  return () => lines().filter((line) => line !== 'listening' && line !== 'BARRIER=1')
}

async function aSite() {
  const root = await createTempFolder()
  await mkdir(join(root, 'folder'))
  const file = join(root, 'config.yaml')
  const wecom = { baseUrl: 'simulator', corpId: 'ww-test', secret: 'canary-secret' }
  await writeFile(
    file,
    stringify({ wecom, folder: { path: 'folder', settle: '100ms' }, state: 'state' }),
  )
  return { root, file, socket: join(root, 'notify.sock') }
}

const start = (file: string, env: Record<string, string>) =>
  spawn(process.execPath, ['src/main.ts', 'run', '-c', file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })

it('says READY with a status, feeds the watchdog, keeps the status true, says STOPPING last', async () => {
  const { root, file, socket } = await aSite()
  const heard = await listen(socket)
  await writeFile(join(root, 'folder', 'poster.jpg'), aJpg())
  const daemon = start(file, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' })
  linesOf(daemon)
  await until(() => heard().length > 0, { what: 'a first word' })
  expect(heard()[0]).toMatch(/^READY=1\|STATUS=[01] media, 0 problems$/)

  await until(() => heard().filter((line) => line === 'WATCHDOG=1').length >= 3, {
    what: 'three beats',
  })
  await until(() => heard().includes('STATUS=1 media, 0 problems'), { what: 'a new status' })
  const ended = endOf(daemon)
  daemon.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(heard().filter((line) => line.startsWith('STOPPING'))).toEqual([
    'STOPPING=1|STATUS=stopping',
  ])
  expect(heard().filter((line) => !/^(READY|STATUS|WATCHDOG|STOPPING)=/.test(line))).toEqual([])
})

it('feeds no watchdog that is not its own', async () => {
  const { file, socket } = await aSite()
  const heard = await listen(socket)
  const daemon = start(file, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' })
  linesOf(daemon)
  await until(() => heard().length > 0, { what: 'READY' })
  const ended = endOf(daemon)
  daemon.kill('SIGTERM')
  await ended
  expect(heard().map((line) => line.replace(/\|.*/, ''))).toEqual(['READY=1', 'STOPPING=1'])
})

it('says nothing of being ready when its configuration is broken, and ends with 78', async () => {
  const { file, socket } = await aSite()
  const heard = await listen(socket)
  await writeFile(file, 'folder: { pathh: folder }\n')
  const daemon = spawn(process.execPath, ['src/main.ts', 'run', '-c', file], {
    env: { ...process.env, NOTIFY_SOCKET: socket },
    stdio: 'ignore',
  })
  expect(await endOf(daemon)).toBe(78)
  expect(heard()).toEqual([])
})
