// Real commands: what they are given, what counts as told, and that nothing of one that is ended is left.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createCommand } from '../../src/hooks/run-command.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'

const never = new AbortController().signal
const sh = (script: string, env = {}) =>
  createCommand({
    run: ['sh', '-c', script, 'sh'],
    env: { PATH: process.env.PATH, ...env },
    clock: systemClock,
  })
const say = (script: string) => sh(script)(Buffer.from('{}\n'), never)
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it('gives it the body on standard input, its arguments as they are, and a place that is nobody else’s', async () => {
  const folder = await createTempFolder()
  const command = createCommand({
    run: [
      'sh',
      '-c',
      'cat > "$1/body"; pwd > "$1/cwd"; printf %s "$2" > "$1/argument"',
      'sh',
      folder,
      '$(id); `id` *',
    ],
    env: { PATH: process.env.PATH },
    clock: systemClock,
  })
  expect(await command(Buffer.from('{"path": "春.jpg"}\n'), never)).toBeUndefined()
  expect(await readFile(join(folder, 'body'), 'utf8')).toBe('{"path": "春.jpg"}\n')
  expect(await readFile(join(folder, 'cwd'), 'utf8')).toBe('/\n')
  expect(await readFile(join(folder, 'argument'), 'utf8')).toBe('$(id); `id` *')
})

it('gives it an environment in which nothing of ours is', async () => {
  const folder = await createTempFolder()
  const given = {
    WECOM_SECRET: 'canary',
    NOTIFY_SOCKET: '/x',
    CREDENTIALS_DIRECTORY: '/run/credentials',
    NODE_OPTIONS: '--no-warnings',
    HTTPS_PROXY: 'http://u:canary@p',
    HOME: '/home/mirror',
    LANG: 'zh_CN.UTF-8',
  }
  await sh(`env > ${folder}/env`, given)(Buffer.from(''), never)
  const names = (await readFile(join(folder, 'env'), 'utf8'))
    .split('\n')
    .flatMap((line) => line.split('=')[0] || [])
  // What the shell itself adds is not ours.
  expect(names.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)).sort()).toEqual([
    'HOME',
    'LANG',
    'PATH',
  ])
})

it.each([
  ['exit 0', undefined],
  ['exec 0<&-; exit 0', undefined],
  ['sleep 60 & exit 0', undefined],
  ['exit 3', 'exit code 3'],
  ['echo one >&2; printf "two\\033[2J\\n" >&2; exit 1', 'exit code 1: two\\u{1b}[2J'],
  ['yes x | head -c 1000000 >&2; exit 1', 'exit code 1: x'],
  ['kill -9 $$', 'it was ended by SIGKILL'],
])('`%s`: %s', async (script, because) => {
  expect((await say(script))?.because).toBe(because)
})

it('says why one cannot be started', async () => {
  const folder = await createTempFolder()
  const file = join(folder, 'plain')
  await writeFile(file, 'echo')
  await chmod(file, 0o644)
  const start = (path: string) =>
    createCommand({ run: [path], env: { PATH: '/nowhere' }, clock: systemClock })(
      Buffer.from(''),
      never,
    )
  expect((await start(file))?.because).toBe('it cannot be started: EACCES')
  expect(await start('no-such-command')).toMatchObject({
    because: 'it cannot be started: ENOENT',
    hint: expect.stringContaining('absolute path'),
  })
})

it('is not stopped by a body that nobody reads', async () => {
  expect(await sh('exit 0')(Buffer.alloc(1_000_000), never)).toBeUndefined()
})

it.each([
  ['one that ends when asked', ':', 'SIGTERM'],
  ['one that does not care, nor what it started', 'trap "" TERM', 'SIGKILL'],
])('ends %s, with all that it started', async (_, first, signal) => {
  const folder = await createTempFolder()
  const pids = join(folder, 'pids')
  const ending = new AbortController()
  const telling = sh(
    `${first}; sleep 60 & echo $! $$ > ${pids}.new; mv ${pids}.new ${pids}; sleep 60`,
  )(Buffer.from(''), ending.signal)
  let found = ''
  await until(() => found !== '', {
    what: 'the command',
    meanwhile: async () => void (found = await readFile(pids, 'utf8').catch(() => '')),
  })
  ending.abort()
  expect((await telling)?.because).toBe(`it was ended by ${signal}`)
  const alive = () => found.trim().split(' ').map(Number).filter(isAlive)
  await until(() => alive().length === 0, { what: 'their end' })
})
