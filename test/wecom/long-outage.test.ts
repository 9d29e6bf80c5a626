// What a service that says no for days gets to see of us: the calls that really leave, through token, retries and circuit.
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { createCircuit } from '../../src/wecom/circuit.ts'
import { createConcurrency } from '../../src/wecom/concurrency.ts'
import { createFreshTokenWecom } from '../../src/wecom/fresh-token-wecom.ts'
import type { Answer, HttpExchange } from '../../src/wecom/http-exchange.ts'
import { createTokenFetch } from '../../src/wecom/http-token.ts'
import { createHttpWecom } from '../../src/wecom/http-wecom.ts'
import { createObservedWecom } from '../../src/wecom/observed-wecom.ts'
import { createRetryingWecom } from '../../src/wecom/retrying-wecom.ts'
import { createServiceClock } from '../../src/wecom/service-clock.ts'
import { createTokenSource } from '../../src/wecom/token.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { aMedium } from '../helpers/memory-wecom.ts'
import { patient, SECRET } from './client.ts'
import { unreachable } from './errors.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const SLOTS = 4
const REST_MS = 5_000

type Reply = Readonly<Record<string, string | number>> | 'no line'
const TOKEN = { errcode: 0, errmsg: 'ok', access_token: 'a token', expires_in: 7200 }
const RECEIPT = { errcode: 0, type: 'file', media_id: 'a'.repeat(44), created_at: '1795334400' }

/** The whole stack but for the sockets, and as many callers as there are slots, who try for ever. */
function createBench(replies: { gettoken: Reply; upload: Reply }) {
  const clock = createFakeClock()
  const emit = () => {}
  const callsAtMs = { gettoken: [] as number[], upload: [] as number[] }
  const target = { host: 'wecom', proxyHost: undefined }
  const send: HttpExchange['send'] = async ({ path }): Promise<Answer> => {
    const api = path.endsWith('gettoken') ? 'gettoken' : 'upload'
    callsAtMs[api].push(clock.nowMs())
    const reply = replies[api]
    if (reply === 'no line') throw unreachable()
    const body = Readable.from([Buffer.from(JSON.stringify(reply))])
    return { status: 200, headers: { 'content-type': 'application/json' }, body, target }
  }
  const exchange: HttpExchange = { target, secrets: [], send, close() {} }
  let seed = 7
  const random = () => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32
    return seed / 2 ** 32
  }
  const serviceClock = createServiceClock({ clock, emit })
  const circuit = createCircuit({ clock, random, emit })
  onTestFinished(() => circuit.stop())
  const fetchToken = createTokenFetch({
    exchange,
    corpId: 'ww-test',
    secret: SECRET,
    clock,
    serviceClock,
  })
  const tokens = createTokenSource({ clock, fetchToken, emit })
  const wire = createFreshTokenWecom(createHttpWecom({ exchange, tokens, serviceClock }))
  const mayRepeat = () => circuit.state().kind === 'closed'
  const retrying = createRetryingWecom({ wecom: wire, clock, random, mayRepeat })
  const most = { uploads: SLOTS, downloads: SLOTS }
  const concurrency = createConcurrency({ clock, most, emit })
  const wecom = createObservedWecom({ wecom: retrying, circuit, concurrency })

  let running = 0
  let uploaded = 0
  const pump = () => {
    while (running < SLOTS && circuit.admits()) {
      running++
      const upload = wecom.upload(aMedium(), patient).then(
        () => void uploaded++,
        () => undefined,
      )
      void upload.finally(() => {
        circuit.release()
        // A slot rests for a moment, so that a service that is well is not called without end.
        clock.after(REST_MS, () => {
          running--
          pump()
        })
      })
    }
  }
  circuit.onChange(pump)
  return { clock, replies, callsAtMs, pump, uploaded: () => uploaded }
}

const countBetween = (callsAtMs: readonly number[], fromMs: number, toMs: number) =>
  callsAtMs.filter((atMs) => atMs >= fromMs && atMs < toMs).length

function mostWithinAnHour(callsAtMs: readonly number[]): number {
  return Math.max(...callsAtMs.map((fromMs) => countBetween(callsAtMs, fromMs, fromMs + HOUR_MS)))
}

test('a wrong secret is shown some 144 times a day, the eighth day as the first, and the quarter of an hour after it is mended is enough', async () => {
  const { clock, replies, callsAtMs, pump, uploaded } = createBench({
    gettoken: { errcode: 40001, errmsg: 'invalid credential' },
    upload: RECEIPT,
  })
  const startMs = clock.nowMs()
  pump()
  await clock.advance(8 * DAY_MS)
  for (let day = 0; day < 8; day++) {
    const count = countBetween(
      callsAtMs.gettoken,
      startMs + day * DAY_MS,
      startMs + (day + 1) * DAY_MS,
    )
    expect(count).toBeGreaterThan(120)
    expect(count).toBeLessThan(170)
  }
  // An address was once allowed 300 calls an hour, and is blocked for an hour after "many" wrong secrets.
  expect(mostWithinAnHour(callsAtMs.gettoken)).toBeLessThanOrEqual(13)
  expect(callsAtMs.upload).toEqual([])

  replies.gettoken = TOKEN
  await clock.advance(15 * MINUTE_MS)
  expect(uploaded()).toBeGreaterThanOrEqual(SLOTS)
})

test('tokens that are refused as soon as they are issued cost less than 120 gettoken calls an hour', async () => {
  const { clock, callsAtMs, pump } = createBench({
    gettoken: TOKEN,
    upload: { errcode: 40014, errmsg: 'invalid access_token' },
  })
  pump()
  await clock.advance(DAY_MS)
  expect(callsAtMs.gettoken.length).toBeGreaterThan(24)
  expect(mostWithinAnHour(callsAtMs.gettoken)).toBeLessThan(120)
})

test('an address that is not trusted does not cost a token per probe', async () => {
  const { clock, callsAtMs, pump } = createBench({
    gettoken: TOKEN,
    upload: { errcode: 60020, errmsg: 'not allow to access from your ip, from ip: 203.0.113.7' },
  })
  pump()
  await clock.advance(DAY_MS)
  expect(callsAtMs.gettoken.length).toBeLessThanOrEqual(13)
  expect(callsAtMs.upload.length).toBeLessThan(170 + SLOTS)
})

test('a line that is down for a day costs one call per probe, and work goes on within a minute after', async () => {
  const { clock, replies, callsAtMs, pump, uploaded } = createBench({
    gettoken: 'no line',
    upload: 'no line',
  })
  pump()
  await clock.advance(DAY_MS)
  expect(callsAtMs.gettoken.length).toBeGreaterThan(2_300)
  expect(callsAtMs.gettoken.length).toBeLessThan(2_650)

  replies.gettoken = TOKEN
  replies.upload = RECEIPT
  await clock.advance(MINUTE_MS)
  expect(uploaded()).toBeGreaterThanOrEqual(SLOTS)
})

test('a block of an hour costs a call at its begin, one after a minute and one after it is over', async () => {
  const { clock, replies, callsAtMs, pump, uploaded } = createBench({
    gettoken: TOKEN,
    upload: { errcode: 45009, errmsg: 'api freq out of limit' },
  })
  pump()
  await clock.advance(61 * MINUTE_MS)
  expect(callsAtMs.upload.length).toBe(SLOTS + 1)
  replies.upload = RECEIPT
  await clock.advance(7 * MINUTE_MS)
  expect(uploaded()).toBeGreaterThanOrEqual(SLOTS)
})
