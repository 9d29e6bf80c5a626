import { expect, test } from 'vitest'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, send, upload } from './calls.ts'

test('an error is HTTP 200, JSON with a charset, headers of its own, and the live message', async () => {
  const { baseUrl } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const answer = await download(baseUrl, { token, mediaId: 'unknown' })
  expect(answer.status).toBe(200)
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json; charset=UTF-8',
    'error-code': '40007',
    'error-msg': 'invalid media_id',
  })
  expect(answer.json()).toEqual({
    errcode: 40007,
    errmsg: expect.stringMatching(
      /^invalid media_id, hint: \[1795334400_\d{1,2}_[0-9a-f]{32}\], from ip: 127\.0\.0\.1, more info at https:\/\/open\.work\.weixin\.qq\.com\/devtool\/query\?e=40007$/,
    ),
  })
})

test('success says so in the headers, too, unless a gateway drops them', async () => {
  const { baseUrl, controls } = await withSimulator()
  const success = await send(`${baseUrl}/cgi-bin/gettoken?corpid=a&corpsecret=b`)
  expect(success.headers).toMatchObject({ 'error-code': '0', 'error-msg': 'ok' })
  controls.change({ errorHeaders: false })
  const bare = await send(`${baseUrl}/cgi-bin/gettoken?corpid=a&corpsecret=b`)
  expect(bare.headers).not.toHaveProperty('error-code')
})

const EVERY_ROW = [
  -1, 40001, 40004, 40005, 40006, 40007, 40009, 40011, 40013, 40014, 40035, 40058, 40063, 40091,
  40123, 40206, 41001, 41002, 41004, 41006, 42001, 44001, 45001, 45007, 45009, 45031, 45033, 48002,
  48004, 48006, 50003, 50006, 60011, 60020, 60031, 81013, 90308, 93000, 93004, 301002, 301007,
  301016, 301017, 301019, 301042, 830001, 830003, 830002,
]

test.each(EVERY_ROW)('%i can be had on demand, from every API', async (errcode) => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  controls.addFault({ when: {}, fault: { kind: 'errcode', errcode } })
  const answers = [
    await send(`${baseUrl}/cgi-bin/gettoken?corpid=a&corpsecret=b`),
    await upload(baseUrl, { token }),
    await download(baseUrl, { token, mediaId: 'x' }),
  ]
  for (const answer of answers) {
    expect(answer.json()).toMatchObject({
      errcode,
      errmsg: expect.stringMatching(/^[a-z].*, hint: \[.*\], from ip: 127\.0\.0\.1, more info at /),
    })
    expect(answer.headers['error-msg']).not.toBe('unknown error')
  }
})

test('an address that is not trusted is told which address it is', async () => {
  const { baseUrl, controls } = await withSimulator({ trustedIps: ['203.0.113.7'] })
  const token = await fetchToken(baseUrl)
  for (const answer of [
    await upload(baseUrl, { token }),
    await download(baseUrl, { token, mediaId: 'x' }),
  ]) {
    expect(answer.json()).toMatchObject({
      errcode: 60020,
      errmsg: expect.stringContaining('from ip: 127.0.0.1'),
    })
  }
  controls.change({ trustedIps: ['127.0.0.1'] })
  expect((await upload(baseUrl, { token })).json().errcode).toBe(0)
})

test('the clock it shows may be ahead of the one it lives by', async () => {
  const { baseUrl, controls, clock } = await withSimulator({ clockSkewMs: 600_000 })
  const token = await fetchToken(baseUrl)
  const answer = await upload(baseUrl, { token })
  expect(Date.parse(answer.headers.date ?? '')).toBe(clock.nowMs() + 600_000)
  expect(answer.json().created_at).toBe(String((clock.nowMs() + 600_000) / 1000))
  controls.change({ clockSkewMs: -1000 })
  const later = await upload(baseUrl, { token })
  expect(Date.parse(later.headers.date ?? '')).toBe(clock.nowMs() - 1000)
})

test('a setting that does not exist is refused with its name', async () => {
  await expect(withSimulator({ latency: 5 } as object)).rejects.toThrow('latency')
})
