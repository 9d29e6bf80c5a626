// Programs that follow the media: the real daemon, a real command and a real receiver, deaths and outages in between.
import { createHmac } from 'node:crypto'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, ofPath, type Site } from '../helpers/program.ts'
import { createReceiver, type Receiver, type Told } from '../helpers/receiver.ts'
import { aJpg, aPng } from '../helpers/samples.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { listen } from '../wecom/loopback.ts'
import { CERT_FILE, cert, key } from '../wecom/secure-way.ts'

const live = (options = {}) => withSimulator({ clock: systemClock, ...options })
const ALL = ['landed', 'first-id', 'changed-id', 'lost']
const RENEWING = { renewal: { lifetime: '8s', before: '6s', spread: '0s' } }

interface HookStatus {
  name: string
  target: string
  waiting: number
  delivered: number | null
  given_up: number | null
  failing_since: string | null
  last_error: string | null
}
const hooksOf = async (site: Site) => (await site.ask<{ hooks: HookStatus[] }>('status')).hooks

/** A command that writes what it is told, and its environment, to a file each. */
async function aCommand(site: Site, name: string, last = '') {
  const file = join(site.state, '..', name)
  const heard = `${file}.heard`
  await writeFile(file, `#!/bin/sh\necho $$ >> "$1.pids"\nenv > "$1.env"\ncat >> "$1"\n${last}\n`)
  await chmod(file, 0o755)
  const text = (name: string) => readFile(`${heard}${name}`, 'utf8').catch(() => '')
  return {
    run: [file, heard],
    env: () => text('.env'),
    pids: async () => (await text('.pids')).split('\n').filter(Boolean).map(Number),
    told: async (): Promise<Told[]> =>
      (await text(''))
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  }
}

/** Of each path what was told of it, each telling once and in the order in which it was first heard. */
function storiesOf({ told }: Pick<Receiver, 'told'>): Map<string, Told[]> {
  const seen = new Set<string>()
  const firsts = told.filter(({ id }) => !seen.has(id) && seen.add(id))
  return Map.groupBy(firsts, ({ path }) => path ?? '')
}

/** Each id took the place of the one before, and none was left out. */
function expectUnbroken([first, ...others]: readonly Told[]) {
  expect(first).toMatchObject({ event: 'first-id', old_media_id: null })
  let before = first
  for (const telling of others) {
    expect(telling.event).toBe('changed-id')
    // Of one that was told late the id is not given out any more.
    if (before?.media_id) expect(telling.old_media_id).toBe(before.media_id)
    before = telling
  }
}

it('tells a command and an address of everything that happens to a medium', async () => {
  const wecom = await live()
  const site = await createSite(wecom.baseUrl)
  const receiver = await createReceiver()
  const command = await aCommand(site, 'tell')
  const secretFile = join(site.state, '..', 'hook-secret')
  await writeFile(secretFile, 'canary-hook-secret\n', { mode: 0o600 })
  await site.configure({
    ...RENEWING,
    on: [
      { event: [...ALL], run: command.run, match: 'posters/**' },
      {
        event: [...ALL],
        name: 'shop',
        post: `${receiver.origin}/hook?key=canary-key`,
        token: 'canary-token',
        secret: { file: secretFile },
      },
    ],
  })
  await site.write('posters/春.jpg', aJpg())
  const daemon = await site.startDaemon()
  const heard = (event: string, is: (told: Told) => boolean = () => true) =>
    until(() => receiver.told.some((told) => told.event === event && is(told)), { what: event })
  await heard('changed-id')
  const id = await wecom.controls.addMedia({ kind: 'image', wireName: 'b.png', content: aPng() })
  expect((await site.run('pull', id)).code).toBe(0)
  await heard('landed')
  expect((await site.run('pull', 'no-such-id')).code).not.toBe(0)
  await heard('lost', ({ old_media_id }) => old_media_id === 'no-such-id')

  const [first] = receiver.told
  expect(first).toMatchObject({
    format: 'wecom-media-mirror/event',
    event: 'first-id',
    attempt: 1,
    hook: 'shop',
    corp_id: 'ww-test',
    path: 'posters/春.jpg',
    type: 'image',
    old_media_id: null,
  })
  const renewal = receiver.told.find(({ event }) => event === 'changed-id')
  expect(renewal?.old_media_id).toBe(first?.media_id)
  const landed = receiver.told.find(({ event }) => event === 'landed')
  expect(landed).toMatchObject({ origin: 'reference', reference: { media_id: id } })
  const { authorization, 'x-signature-256': signature } = receiver.headers[0] ?? {}
  expect(authorization).toBe('Bearer canary-token')
  const body = Buffer.from(`${JSON.stringify(first)}\n`)
  const hmac = createHmac('sha256', 'canary-hook-secret').update(body).digest('hex')
  expect(signature).toBe(`sha256=${hmac}`)

  const told = await command.told()
  expect(told.map(({ event }) => event).slice(0, 2)).toEqual(['first-id', 'changed-id'])
  expect(new Set(told.map(({ path }) => path))).toEqual(new Set(['posters/春.jpg']))
  expect(await command.env()).not.toMatch(/canary|NODE|VITEST/)

  const screen = (await site.run('status')).stdout
  expect(screen).toMatch(/hook tell +run .*tell: 0 waiting, \d+ delivered/)
  expect(screen).toContain(`post ${receiver.origin}: 0 waiting`)
  await daemon.stop()
  const everything = [screen, JSON.stringify(daemon.lines), ...(await stateTexts(site))].join('\n')
  expect(everything).not.toContain('canary-')
}, 60_000)

it('a receiver that is down is told when it is back, each path in its order, and the mirror goes on meanwhile', async () => {
  const wecom = await live()
  const before = await createReceiver()
  const site = await createSite(wecom.baseUrl, {
    on: [{ event: [...ALL], post: `${before.origin}/` }],
  })
  await before.stop()
  for (const path of ['a.png', 'b.png', 'c.png', 'd.png'])
    await site.write(path, aPng(path.charCodeAt(0) + 20))
  const daemon = await site.startDaemon()
  await daemon.saw('hook-failed', ({ isNews }) => isNews === true)
  await site.write('a.png', aPng(300))
  await daemon.saw('uploaded', (line) => ofPath('a.png')(line) && line.because === 'changed')
  expect(await hooksOf(site)).toMatchObject([
    {
      waiting: 5,
      delivered: 0,
      failing_since: expect.any(String),
      last_error: `no answer from ${before.origin}: ECONNREFUSED`,
    },
  ])
  const after = await createReceiver(Number(new URL(before.origin).port))
  await daemon.saw('hook-recovered', undefined, 30_000)
  await until(() => after.told.length >= 5, { what: 'all that is owed' })
  expect(
    storiesOf(after)
      .get('a.png')
      ?.map(({ event }) => event),
  ).toEqual(['first-id', 'changed-id'])
  expect([...storiesOf(after).keys()].sort()).toEqual(['a.png', 'b.png', 'c.png', 'd.png'])
  await daemon.stop()
}, 60_000)

it('what was committed without a daemon, or before a SIGKILL, is told by the next one, under the same id', async () => {
  const wecom = await live()
  const receiver = await createReceiver()
  const site = await createSite(wecom.baseUrl, { on: [{ event: [...ALL], post: receiver.origin }] })
  await site.write('a.png', aPng())
  expect((await site.run('sync')).code).toBe(0)
  expect(await hooksOf(site)).toMatchObject([{ waiting: 1, delivered: null }])
  expect(receiver.told).toEqual([])
  receiver.answer(0)
  const killed = await site.startDaemon()
  await until(() => receiver.told.length === 1, { what: 'the first attempt' })
  killed.signal('SIGKILL')
  await killed.ended()
  receiver.answer(200)
  const daemon = await site.startDaemon()
  await daemon.saw('hook-told')
  expect(receiver.told).toHaveLength(2)
  expect(receiver.told[1]).toEqual({
    ...receiver.told[0],
    safe_for_ms: receiver.told[1]?.safe_for_ms,
  })
  await daemon.stop()
  expect((await site.document()).deliveries).toBeUndefined()
}, 60_000)

it('a storm of renewals, with deaths in between, is told without a gap, each path in its order', async () => {
  const wecom = await live()
  const receiver = await createReceiver()
  const site = await createSite(wecom.baseUrl, {
    ...RENEWING,
    on: [{ event: [...ALL], post: receiver.origin }],
  })
  const paths = Array.from({ length: 30 }, (_, number) => `${number}.png`)
  for (const [number, path] of paths.entries()) await site.write(path, aPng(100 + number))
  const killed = await site.startDaemon()
  await until(() => receiver.told.length >= 20, { what: '20 tellings' })
  killed.signal('SIGKILL')
  await killed.ended()
  const daemon = await site.startDaemon()
  const stories = () => storiesOf(receiver)
  const isTold = () => paths.every((path) => (stories().get(path)?.length ?? 0) >= 3)
  await until(isTold, { what: 'two renewals of each' })
  await daemon.stop()
  for (const story of stories().values()) expectUnbroken(story)
}, 60_000)

it('a command that fails for ever is given up, one that hangs is ended, and SIGHUP puts others in force', async () => {
  const wecom = await live()
  const site = await createSite(wecom.baseUrl)
  const failing = await aCommand(site, 'shop', 'echo "no such shop" >&2; exit 4')
  const hanging = await aCommand(site, 'hang', 'sleep 300')
  const hook = { name: 'shop', event: 'first-id' }
  await site.configure({ on: [{ ...hook, run: failing.run, giveUpAfter: '1s' }] })
  const daemon = await site.startDaemon()
  await site.write('a.png', aPng(101))
  const line = await daemon.saw('hook-gave-up')
  expect(line.level).toBe('error')
  expect(line.message).toBe(
    '1 deliveries to the hook `shop` are given up: they could not be told within 1 s: exit code 4: no such shop',
  )
  expect(await hooksOf(site)).toMatchObject([{ waiting: 0, given_up: 1, delivered: 0 }])

  await site.configure({ on: [{ ...hook, post: { file: '/no/such/file' } }] })
  daemon.signal('SIGHUP')
  expect((await daemon.saw('config-refused')).message).toContain('`on[0].post`')

  await site.configure({ on: [{ ...hook, run: hanging.run, timeout: '500ms' }] })
  daemon.signal('SIGHUP')
  await daemon.saw('config-reloaded')
  await site.write('b.png', aPng(102))
  await daemon.saw('hook-failed', ({ because }) => because === 'no end after 500 ms')
  let pids: number[] = []
  await until(() => pids.length > 1, {
    what: 'a second attempt',
    meanwhile: async () => void (pids = await hanging.pids()),
  })
  expect((await daemon.stop()).code).toBe(0)
  pids = await hanging.pids()
  await until(() => !pids.some(isAlive), { what: 'the end of all it started' })
  expect(Object.values((await site.document()).deliveries ?? {})).toMatchObject([
    { hook: 'shop', event: 'first-id', path: 'b.png' },
  ])
}, 60_000)

it('tells an address with a certificate of its own, once the daemon is given its authority', async () => {
  const wecom = await live()
  let told = 0
  const server = createServer({ cert, key }, async (request, response) => {
    await request.toArray()
    told++
    response.end()
  })
  const post = `https://localhost:${await listen(server)}/hook`
  const site = await createSite(wecom.baseUrl, { on: [{ event: 'first-id', post }] })
  await site.write('a.png', aPng())
  const daemon = await site.startDaemon()
  const { message, hint } = await daemon.saw('hook-failed', ({ isNews }) => isNews === true)
  expect(message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
  expect(`${message} ${hint}`).toContain('NODE_EXTRA_CA_CERTS')
  await daemon.stop()
  site.runUnder('env', `NODE_EXTRA_CA_CERTS=${CERT_FILE}`)
  const trusting = await site.startDaemon()
  await trusting.saw('hook-told')
  expect(told).toBe(1)
  await trusting.stop()
}, 60_000)

async function stateTexts({ state }: Site): Promise<string[]> {
  const names = (await readdir(state)).filter((name) => name.startsWith('manifest.'))
  return Promise.all(names.map((name) => readFile(join(state, name), 'utf8')))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
