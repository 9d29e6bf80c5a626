// What the port adds to single calls: the token, and its replacement.
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { type MediaId, parseMediaId } from '../../src/media/media.ts'
import { createFakeClock, type FakeClock } from '../helpers/fake-clock.ts'
import { aMedium } from '../helpers/memory-wecom.ts'
import { createClient, failureOf, patient } from './client.ts'
import { createLoopback, replyJson } from './loopback.ts'

const mediaId = parseMediaId('M1') as MediaId

/** A service that hands out T1, T2, … and takes only those that are in `valid`. */
async function createBench(clock?: FakeClock) {
  const valid = new Set<string>()
  const service = { tokens: 0, errcode: 42001, revokeAtBirth: false, expires_in: 7200 }
  const { baseUrl, received } = await createLoopback(({ url }, response) => {
    if (url.pathname === '/cgi-bin/gettoken') {
      const access_token = `T${++service.tokens}`
      if (!service.revokeAtBirth) valid.add(access_token)
      return replyJson(response, { errcode: 0, access_token, expires_in: service.expires_in })
    }
    if (!valid.has(url.searchParams.get('access_token') ?? '')) {
      return replyJson(response, { errcode: service.errcode, errmsg: 'access_token expired' })
    }
    if (url.pathname === '/cgi-bin/media/upload') return replyJson(response, { media_id: 'M1' })
    response.setHeader('Content-Disposition', 'attachment; filename="a.txt"').end('bytes')
  })
  const uploads = () => received.filter(({ url }) => url.pathname.endsWith('upload'))
  return {
    ...createClient({ baseUrl, ...(clock && { clock }) }),
    valid,
    service,
    uploads,
    received,
  }
}

test('one token serves many calls', async () => {
  const { wecom, service } = await createBench()
  await Promise.all(Array.from({ length: 10 }, () => wecom.upload(aMedium(), patient)))
  expect(service.tokens).toBe(1)
})

test('a token that is due is replaced before it is used', async () => {
  const clock = createFakeClock(Date.now())
  const { wecom, uploads } = await createBench(clock)
  await wecom.upload(aMedium(), patient)
  clock.leap(6_900_000)
  await wecom.upload(aMedium(), patient)
  expect(uploads().map(({ url }) => url.searchParams.get('access_token'))).toEqual(['T1', 'T2'])
})

test.each([40014, 42001])(
  'a token refused with %i is replaced, and the call repeated',
  async (errcode) => {
    const { wecom, valid, service } = await createBench()
    service.errcode = errcode
    await wecom.upload(aMedium(), patient)
    valid.clear()
    expect((await wecom.upload(aMedium(), patient)).mediaId).toBe('M1')
    valid.clear()
    const { body } = await wecom.download({ mediaId }, patient)
    expect(Buffer.concat(await body.toArray()).toString()).toBe('bytes')
    expect(service.tokens).toBe(3)
  },
)

test('the repeated call reads the content again and sends all of it', async () => {
  const { wecom, valid, uploads } = await createBench()
  await wecom.upload(aMedium(), patient)
  valid.clear()
  const bytes = Buffer.alloc(300_000, 'again')
  let opened = 0
  const content = () => {
    opened++
    return Readable.from([bytes.subarray(0, 1), bytes.subarray(1)])
  }
  await wecom.upload(aMedium({ bytes, content }), patient)
  expect(opened).toBe(2)
  for (const { body } of uploads().slice(1)) expect(body.includes(bytes)).toBe(true)
})

test('parallel calls that are refused share one new token', async () => {
  const { wecom, valid, service } = await createBench()
  await wecom.upload(aMedium(), patient)
  valid.clear()
  await Promise.all(Array.from({ length: 20 }, () => wecom.upload(aMedium(), patient)))
  expect(service.tokens).toBe(2)
})

test('a new token that is refused as well is an answer to wait out, not to loop on', async () => {
  const { wecom, service, uploads } = await createBench()
  service.revokeAtBirth = true
  const failure = await failureOf(wecom.upload(aMedium(), patient))
  expect(failure).toMatchObject({ errcode: 42001, remedy: 'retry', hint: expect.any(String) })
  expect(uploads()).toHaveLength(2)
  expect(service.tokens).toBe(2)

  for (let turn = 0; turn < 30; turn++) await failureOf(wecom.upload(aMedium(), patient))
  expect(service.tokens).toBe(2)
})

test('after half a minute another token is tried, and all is well again', async () => {
  const clock = createFakeClock(Date.now())
  const { wecom, service } = await createBench(clock)
  service.revokeAtBirth = true
  await failureOf(wecom.upload(aMedium(), patient))
  service.revokeAtBirth = false
  clock.leap(30_000)
  expect((await wecom.upload(aMedium(), patient)).mediaId).toBe('M1')
})

test.each([
  [40001, 'stop'],
  [40013, 'stop'],
  [60020, 'stop'],
  [40007, 'stop'],
  [99_999, 'stop'],
  [40014, 'stop'],
  [45009, 'slow-down'],
  [-1, 'retry'],
])('gettoken refused with %i calls for %s, and is not asked twice', async (errcode, remedy) => {
  let asked = 0
  const { baseUrl } = await createLoopback((_request, response) => {
    asked++
    replyJson(response, { errcode, errmsg: 'no, from ip: 203.0.113.7, more' })
  })
  const { wecom } = createClient({ baseUrl })
  const failure = await failureOf(wecom.upload(aMedium(), patient))
  expect(failure).toMatchObject({ errcode, remedy, fromIp: '203.0.113.7' })
  expect(failure.message).toMatch(/^cannot get an access token: /)
  expect(asked).toBe(1)
})

test('a refusal that gettoken is not known to give says where to look, and blames no file', async () => {
  const { baseUrl } = await createLoopback((_request, response) =>
    replyJson(response, { errcode: 40006, errmsg: 'invalid file size' }),
  )
  const failure = await failureOf(createClient({ baseUrl }).wecom.upload(aMedium(), patient))
  expect(failure).toMatchObject({
    hint: expect.stringMatching(/check that `wecom.baseUrl` leads to WeCom; .*e=40006$/),
  })
})

test('a gateway that finds the question for a token too large is waited out, and no file is blamed', async () => {
  const { baseUrl } = await createLoopback((_request, response) => response.writeHead(413).end())
  const failure = await failureOf(createClient({ baseUrl }).wecom.upload(aMedium(), patient))
  expect(failure).toMatchObject({
    code: 'WECOM_UNREACHABLE',
    remedy: 'retry',
    hint: expect.stringContaining('client_max_body_size'),
  })
})

test.each([
  ['without a token', { errcode: 0, expires_in: 7200 }],
  ['with an empty token', { errcode: 0, access_token: '', expires_in: 7200 }],
  ['without a life', { errcode: 0, access_token: 'T' }],
  ['with a life of nothing', { errcode: 0, access_token: 'T', expires_in: 0 }],
])('gettoken %s is not WeCom', async (_name, json) => {
  const { baseUrl } = await createLoopback((_request, response) => replyJson(response, json))
  const failure = await failureOf(createClient({ baseUrl }).wecom.upload(aMedium(), patient))
  expect(failure).toMatchObject({ code: 'WECOM_UNREACHABLE' })
})

test('the skew of the clocks is learnt from refusals too, and told', async () => {
  const aheadMs = 3_600_000
  const { baseUrl } = await createLoopback((_request, response) => {
    response.setHeader('Date', new Date(Date.now() + aheadMs).toUTCString())
    replyJson(response, { errcode: 40001, errmsg: 'no' })
  })
  const { wecom, serviceClock, events } = createClient({ baseUrl })
  await failureOf(wecom.upload(aMedium(), patient))
  expect(Math.abs(serviceClock.skewMs() - aheadMs)).toBeLessThan(2_000)
  expect(events).toEqual([{ kind: 'clock-skew', skewMs: serviceClock.skewMs() }])
})

test('the Date of a gateway is not believed', async () => {
  const { baseUrl } = await createLoopback((_request, response) => {
    response.setHeader('Date', new Date(0).toUTCString())
    response.writeHead(502).end('<html>')
  })
  const { wecom, serviceClock } = createClient({ baseUrl })
  await failureOf(wecom.upload(aMedium(), patient))
  expect(serviceClock.skewMs()).toBe(0)
})
