// The secret and the token travel in URLs, and everybody on the way likes to repeat URLs. No error may.

import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type MediaId, parseMediaId } from '../../src/media/media.ts'
import { aMedium } from '../helpers/memory-wecom.ts'
import { createClient, failureOf, patient, SECRET } from './client.ts'
import { createLoopback, type Received, replyJson } from './loopback.ts'

const TOKEN = 'canary-token/+='
const CANARIES = [SECRET, TOKEN].flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  new URLSearchParams([['', secret]]).toString().slice(1),
])
const mediaId = parseMediaId('M1') as MediaId

type Echo = (received: Received, response: ServerResponse) => void

const echoes: [string, Echo][] = [
  [
    'an errmsg',
    ({ url }, response) => replyJson(response, { errcode: 40001, errmsg: echoOf(url) }),
  ],
  [
    'an unknown refusal',
    ({ url }, response) => replyJson(response, { errcode: 99, errmsg: echoOf(url) }),
  ],
  [
    'a refused token',
    ({ url }, response) => replyJson(response, { errcode: 42001, errmsg: echoOf(url) }),
  ],
  [
    'an error header',
    ({ url }, response) =>
      response.writeHead(200, { 'Error-Code': 40007, 'Error-Msg': encodeURI(echoOf(url)) }).end(),
  ],
  [
    'a page',
    ({ url }, response) =>
      response.writeHead(502, echoOf(url).replace(/[^ -~]/g, '')).end(echoOf(url)),
  ],
  ['half JSON', ({ url }, response) => response.end(`{"errmsg":"${echoOf(url)}`)],
  ['a redirect', ({ url }, response) => response.writeHead(302, { Location: url.href }).end()],
  ['gibberish', ({ url }, response) => response.socket?.end(`${url.href} what?\r\n\r\n`)],
  [
    'a bad header',
    ({ url }, response) => response.socket?.end(`HTTP/1.1 200 OK\r\n${url.search}\0: 1\r\n\r\n`),
  ],
  ['a reset', (_received, response) => response.socket?.resetAndDestroy()],
  [
    'half a body',
    ({ url }, response) => {
      response.writeHead(200, { 'Content-Length': 1e6 })
      response.write(echoOf(url), () => response.socket?.end())
    },
  ],
]

/** The URL, and what is in it, in every form. */
const echoOf = (url: URL): string => `${url.href} ${[...url.searchParams.values()].join(' ')}`

/** Everything that a log could print of an error: all its properties, its stack, its causes. */
function everythingOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const shown = inspect(error, { depth: 10, showHidden: true, maxStringLength: null })
  return `${shown} ${error.message} ${error.stack} ${JSON.stringify(error)} ${everythingOf(error.cause)}`
}

function expectNoCanary(failure: Error) {
  for (const canary of CANARIES) expect(everythingOf(failure)).not.toContain(canary)
}

test.each(echoes)(
  'the secret is in no error after %s in answer to gettoken',
  async (_name, echo) => {
    const { baseUrl } = await createLoopback(echo)
    expectNoCanary(await failureOf(createClient({ baseUrl }).wecom.upload(aMedium(), patient)))
  },
)

test.each(echoes)(
  'the token is in no error after %s in answer to a medium',
  async (_name, echo) => {
    const { baseUrl } = await createLoopback((received, response) => {
      if (received.url.pathname !== '/cgi-bin/gettoken') return echo(received, response)
      replyJson(response, { access_token: TOKEN, expires_in: 7200 })
    })
    const { wecom } = createClient({ baseUrl })
    expectNoCanary(await failureOf(wecom.upload(aMedium(), patient)))
    const download = wecom.download({ mediaId }, patient).then(({ body }) => body.toArray())
    const outcome = await download.catch((error: unknown) => error)
    if (outcome instanceof Error) expectNoCanary(outcome)
  },
)

test('the canaries are really looked for', () => {
  const cause = Object.assign(new Error('deep'), { path: `/x?access_token=${TOKEN}` })
  expect(() => expectNoCanary(new Error('shallow', { cause }))).toThrow()
})
