// A run of the real program with a canary in every secret, through troubles that like to repeat one; and the look for them in everything
// that it wrote, said or left behind. Short in test/e2e, with everything in test/long.
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createEchoingGateway } from '../helpers/echoing-gateway.ts'
import { createSite, type Daemon, type Ended } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

export const CANARY = {
  corpsecret: 'c4n4ry+corpsecret/=&x',
  callbackToken: 'c4n4rycallbacktoken',
  aesKey: 'c4n4ryAesKey0123456789abcdefghijklmnopqrstu',
  httpToken: 'c4n4ry-http-token',
  proxyPassword: 'c4n4ry-proxy-password',
  hookKey: 'c4n4ry-hook-key',
  hookToken: 'c4n4ry-hook-token',
  hookSecret: 'c4n4ry-hook-secret',
}

export const SECRETS = {
  wecom: { secret: CANARY.corpsecret },
  // On a port of its own: others may run at the same time.
  callback: { listen: '127.0.0.1:0', token: CANARY.callbackToken, encodingAesKey: CANARY.aesKey },
  http: { token: CANARY.httpToken },
  // Nobody listens there.
  on: [
    {
      event: ['landed', 'first-id', 'changed-id', 'lost'],
      post: `http://127.0.0.1:9/hook?key=${CANARY.hookKey}`,
      token: CANARY.hookToken,
      secret: CANARY.hookSecret,
    },
  ],
}

/** A secret as it stands, and as it travels. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  new URLSearchParams([['', secret]]).toString().slice(1),
  Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1),
  JSON.stringify(secret).slice(1, -1),
]

/** Every file below a directory with its name. */
export async function everythingIn(directory: string): Promise<string> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  const texts = files.map(async (file) => `${file}\n${await readFile(file, 'latin1')}`)
  return (await Promise.all(texts)).join('\n')
}

export function expectNone(
  written: Readonly<Record<string, string>>,
  tokens: Iterable<string> = [],
) {
  for (const secret of [...Object.values(CANARY), ...tokens])
    for (const form of formsOf(secret))
      for (const [where, text] of Object.entries(written)) {
        const at = text.indexOf(form)
        if (at >= 0)
          throw new Error(`${form} is in ${where}: …${text.slice(Math.max(0, at - 200), at + 80)}`)
      }
  for (const [where, text] of Object.entries(written))
    expect([where, /(access_token|corpsecret)=(?!\*\*\*)/.test(text)]).toEqual([where, false])
}

export const said = (ends: readonly Ended[]) =>
  ends.map(({ stdout, stderr }) => `${stdout}\n${stderr}`).join('\n')

/** Lets the next calls of a kind meet every trouble, and asks for such calls until they have. */
async function meetAll(
  gateway: Awaited<ReturnType<typeof createEchoingGateway>>,
  daemon: Daemon,
  {
    api,
    ask,
    troubles,
  }: { api: string; ask: (round: number) => Promise<unknown>; troubles: readonly string[] },
) {
  gateway.befall(api, troubles)
  for (let round = 0; gateway.leftFor(api) > 0 && round < 40; round++) {
    const [before, reloads] = [gateway.leftFor(api), countOf(daemon, 'config-reloaded')]
    await ask(round)
    // Closes the circuit, which some of them open, and lets go of the token.
    daemon.signal('SIGHUP')
    await until(() => countOf(daemon, 'config-reloaded') > reloads, { what: 'a reload' })
    await until(() => gateway.leftFor(api) < before, {
      what: `a call to ${api}, of which are left: ${gateway.leftFor(api)}`,
    })
  }
  expect(gateway.leftFor(api)).toBe(0)
}

const countOf = (daemon: Daemon, event: string) =>
  daemon.lines.filter((line) => line.event === event).length

/** The troubles that the calls of each kind meet, one call each. */
interface Troubles {
  readonly gettoken: readonly string[]
  readonly upload: readonly string[]
  readonly get: readonly string[]
}

/** Runs the daemon through all of that, and looks everywhere. */
export async function runWithCanaries(troubles: Troubles): Promise<void> {
  const wecom = await withSimulator({ clock: systemClock })
  const gateway = await createEchoingGateway(wecom.baseUrl)
  const proxy = gateway.url.replace('//', `//user:${CANARY.proxyPassword}@`)
  const settings = {
    ...SECRETS,
    wecom: { ...SECRETS.wecom, baseUrl: 'http://wecom.invalid', proxy },
  }
  const site = await createSite('', settings)
  let number = 0
  const drop = async () => site.write(`${number}.png`, aPng(200 + number++))
  await drop()
  const daemon = await site.startDaemon()
  await daemon.saw('uploaded')

  const suffer = (api: keyof Troubles, ask: (round: number) => Promise<unknown>) =>
    meetAll(gateway, daemon, { api, ask, troubles: troubles[api] })
  await suffer('gettoken', drop)
  await suffer('upload', drop)
  await suffer('get', (round) => rm(join(site.folder, `${round}.png`), { force: true }))
  const answers: Ended[] = []
  for (const args of [['status'], ['status', '--json'], ['list', '--json'], ['plan']])
    answers.push(await site.run(...args))
  const pid = (await site.ask<{ daemon: { pid: number } }>('status')).daemon.pid
  const process = await readFile(`/proc/${pid}/cmdline`, 'latin1')
  const title = await readFile(`/proc/${pid}/comm`, 'latin1')
  const whileRunning = await everythingIn(site.state)
  const end = await daemon.stop()

  expect(gateway.seen.authorizations.size).toBe(1)
  expect(gateway.seen.tokens.size).toBeGreaterThan(0)
  // The failures were told, and the program stayed up.
  expect(end.code).toBe(0)
  expect(countOf(daemon, 'hook-failed')).toBeGreaterThan(0)
  expect(countOf(daemon, 'step-postponed') + countOf(daemon, 'circuit-opened')).toBeGreaterThan(1)
  expectNone(
    {
      log: said([end]),
      answers: said(answers),
      process,
      title,
      'the state while it ran': whileRunning,
      'the state afterwards': await everythingIn(site.state),
      'the folder': await everythingIn(site.folder),
    },
    [...gateway.seen.tokens, ...gateway.seen.authorizations],
  )
}
