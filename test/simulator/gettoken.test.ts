import { expect, test } from 'vitest'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, send, upload } from './calls.ts'

const HOUR_MS = 3_600_000
const KNOWN = { credentials: [{ corpId: 'ww1', secret: 'good' }] }

const gettoken = async (baseUrl: string, query: string) =>
  (await send(`${baseUrl}/cgi-bin/gettoken${query}`)).json()

test.each([
  ['', 41004],
  ['?corpid=ww1', 41004],
  ['?corpsecret=good', 41002],
  ['?corpid=ww2&corpsecret=good', 40013],
  ['?corpid=ww1&corpsecret=bad', 40001],
  ['?corpid=ww1&corpsecret=good', 0],
])('gettoken%s is answered with %i', async (query, errcode) => {
  const { baseUrl } = await withSimulator(KNOWN)
  const reply = await gettoken(baseUrl, query)
  expect(reply.errcode).toBe(errcode)
})

test('without a list, any corp and secret get a token that lives two hours', async () => {
  const { baseUrl } = await withSimulator()
  const reply = await gettoken(baseUrl, '?corpid=x&corpsecret=y')
  expect(reply).toMatchObject({ errcode: 0, errmsg: 'ok', expires_in: 7200 })
  expect(reply.access_token.length).toBeLessThanOrEqual(512)
})

test('a repeated call gives the same token, and what is left of its life', async () => {
  const { baseUrl, clock } = await withSimulator()
  const first = await gettoken(baseUrl, '?corpid=x&corpsecret=y')
  clock.leap(HOUR_MS)
  const second = await gettoken(baseUrl, '?corpid=x&corpsecret=y')
  expect(second).toMatchObject({ access_token: first.access_token, expires_in: 3600 })
  clock.leap(HOUR_MS)
  const third = await gettoken(baseUrl, '?corpid=x&corpsecret=y')
  expect(third.access_token).not.toBe(first.access_token)
})

test('two apps of one corp have tokens of their own', async () => {
  const { baseUrl } = await withSimulator()
  expect(await fetchToken(baseUrl, 'ww1', 'a')).not.toBe(await fetchToken(baseUrl, 'ww1', 'b'))
})

test('told so, a repeated call gives a new token and kills the old one', async () => {
  const { baseUrl } = await withSimulator({ repeatedToken: 'new' })
  const old = await fetchToken(baseUrl)
  const token = await fetchToken(baseUrl)
  expect(token).not.toBe(old)
  expect((await upload(baseUrl, { token: old })).json().errcode).toBe(42001)
  expect((await upload(baseUrl, { token })).json().errcode).toBe(0)
})

test.each([42001, 40014] as const)('an expired token is answered with %i', async (errcode) => {
  const { baseUrl, clock } = await withSimulator({ expiredTokenErrcode: errcode })
  const token = await fetchToken(baseUrl)
  clock.leap(2 * HOUR_MS - 1)
  expect((await upload(baseUrl, { token })).json().errcode).toBe(0)
  clock.leap(1)
  expect((await upload(baseUrl, { token })).json().errcode).toBe(errcode)
})

test('revoked tokens are dead at once, and gettoken gives a new one', async () => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  controls.revokeTokens()
  expect((await upload(baseUrl, { token })).json().errcode).toBe(42001)
  const next = await fetchToken(baseUrl)
  expect((await upload(baseUrl, { token: next })).json().errcode).toBe(0)
})

test('a token counts in the URL only', async () => {
  const { baseUrl } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const headers = { Authorization: `Bearer ${token}`, access_token: token }
  const answer = await send(`${baseUrl}/cgi-bin/media/get?media_id=x`, { headers })
  expect(answer.json().errcode).toBe(41001)
  const invented = await download(baseUrl, { token: 'invented', mediaId: 'x' })
  expect(invented.json().errcode).toBe(40014)
})

test('many wrong secrets block the address for an hour, right secrets included', async () => {
  const { baseUrl, clock } = await withSimulator({ ...KNOWN, wrongSecrets: { count: 3 } })
  for (const expected of [40001, 40001, 40001, 45009]) {
    expect((await gettoken(baseUrl, '?corpid=ww1&corpsecret=bad')).errcode).toBe(expected)
  }
  expect((await gettoken(baseUrl, '?corpid=ww1&corpsecret=good')).errcode).toBe(45009)
  clock.leap(HOUR_MS - 1)
  expect((await gettoken(baseUrl, '?corpid=ww1&corpsecret=good')).errcode).toBe(45009)
  clock.leap(1)
  expect((await gettoken(baseUrl, '?corpid=ww1&corpsecret=good')).errcode).toBe(0)
})

test('wrong secrets far apart in time block nobody', async () => {
  const { baseUrl, clock } = await withSimulator({ ...KNOWN, wrongSecrets: { count: 2 } })
  for (let attempt = 0; attempt < 4; attempt++) {
    expect((await gettoken(baseUrl, '?corpid=ww1&corpsecret=bad')).errcode).toBe(40001)
    clock.leap(HOUR_MS)
  }
})
