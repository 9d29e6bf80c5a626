// Canaries in every secret, and every kind of failure that could repeat one: none is in anything that the real program writes, says or
// leaves behind.
import { writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createEchoingGateway } from '../helpers/echoing-gateway.ts'
import { createSite, type Ended } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { CANARY, everythingIn, expectNone, runWithCanaries, SECRETS, said } from './canaries.ts'

/** One of each way in which an answer is read; all of them at every call are in test/long/secrets.test.ts. */
const SOME = ['page', 'gibberish', 'unknown refusal', 'dead token']

const NOWHERE_CAUGHT = 'where nobody catches it'

/** A module that is loaded before the program. Such errors carry the address that they are about, as those of `new URL` do. */
function bugAtFirstCall(isUncaught: boolean): string {
  const code = `import http from 'node:http'; import { syncBuiltinESMExports } from 'node:module'
    http.request = (url) => {
      const bug = Object.assign(new TypeError('made to fail'), { input: String(url), url })
      if (${isUncaught}) setImmediate(() => { throw bug })
      throw bug
    }
    syncBuiltinESMExports()`
  return `data:text/javascript,${encodeURIComponent(code)}`
}

it('no secret is in log, status, manifest, journal, lock, answers or command line, whatever fails', async () => {
  await runWithCanaries({
    gettoken: [...SOME, 'wrong secret'],
    upload: SOME,
    get: ['error header'],
  })
}, 120_000)

it('no secret is in what is said of a set-up that does not work', async () => {
  const wecom = await withSimulator({ clock: systemClock })
  const plain = await createEchoingGateway(wecom.baseUrl)
  const site = await createSite(wecom.baseUrl, SECRETS)
  await site.write('a.png', aPng())
  const wrong: Record<string, unknown>[] = [
    // Something else than TLS answers there, and nobody at all.
    { baseUrl: plain.url.replace('http:', 'https:') },
    { proxy: `http://user:${CANARY.proxyPassword}@127.0.0.1:9`, baseUrl: 'https://wecom.invalid' },
    // Where values are of the wrong form, each with a canary in it.
    {
      secret: { [CANARY.corpsecret]: 1 },
      proxy: `socks5://user:${CANARY.proxyPassword}@h`,
      baseUrl: `http://x:${CANARY.proxyPassword}@h`,
    },
  ]
  const ends: Ended[] = []
  for (const wecomSettings of wrong) {
    await site.configure({ ...SECRETS, wecom: { ...SECRETS.wecom, ...wecomSettings } })
    ends.push(await site.run('sync'))
  }
  await writeFile(site.configFile, `wecom: { secret: ${CANARY.corpsecret} ] ${CANARY.httpToken}`)
  ends.push(await site.run('run'))
  for (const { code } of ends) expect(code).toBeGreaterThan(0)
  expectNone({ said: said(ends), 'the state': await everythingIn(site.state) })
}, 60_000)

it.each(['in the middle of a call', NOWHERE_CAUGHT])(
  'no secret is in the last words of a bug %s',
  async (where) => {
    const wecom = await withSimulator({ clock: systemClock })
    const site = await createSite(wecom.baseUrl, SECRETS)
    await site.write('a.png', aPng())
    site.runUnder('env', `NODE_OPTIONS=--import=${bugAtFirstCall(where === NOWHERE_CAUGHT)}`)
    const { code, stderr, stdout } = await site.run('run')
    expect(code).toBe(70)
    expect(stderr).toContain('this is a bug in wecom-media-mirror')
    expect(stderr).toContain('made to fail')
    expectNone({ stderr, stdout, 'the state': await everythingIn(site.state) })
  },
  60_000,
)
