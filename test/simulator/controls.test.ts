import { expect, test } from 'vitest'
import { anAmr } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, send, upload } from './calls.ts'

const post = (url: string, body: unknown) =>
  send(url, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

test('calls are counted and noted, without what is secret in them', async () => {
  const { baseUrl, controls, clock } = await withSimulator()
  const token = await fetchToken(baseUrl, 'ww1', 'very-secret')
  await upload(baseUrl, { token, type: 'file' })
  await download(baseUrl, { token, mediaId: 'unknown', range: 'bytes=0-0' })
  expect(controls.counts()).toEqual({ gettoken: 1, upload: 1, get: 1, 'get-jssdk': 0, unknown: 0 })
  expect(controls.calls()).toMatchObject([
    { api: 'gettoken', method: 'GET', atMs: clock.nowMs(), status: 200, errcode: 0 },
    { api: 'upload', method: 'POST', type: 'file', errcode: 0, callerIp: '127.0.0.1' },
    { api: 'get', mediaId: 'unknown', headers: { range: 'bytes=0-0' }, errcode: 40007 },
  ])
  const noted = JSON.stringify(controls.calls())
  expect(noted).not.toContain(token)
  expect(noted).not.toContain('very-secret')
  controls.clearCalls()
  expect(controls.calls()).toEqual([])
  expect(controls.counts().upload).toBe(0)
})

test('the same controls work over HTTP', async () => {
  const { baseUrl, controls } = await withSimulator({ controls: true })
  const at = (noun: string) => `${baseUrl}/_simulator/${noun}`
  const token = await fetchToken(baseUrl)
  const mediaId = (await upload(baseUrl, { token })).json().media_id

  const rule = { when: { api: 'get' }, fault: { kind: 'errcode', errcode: -1 } }
  const added = await post(at('faults'), rule)
  expect([added.status, JSON.parse(added.body.toString())]).toEqual([201, { id: 1 }])
  expect((await download(baseUrl, { token, mediaId })).json().errcode).toBe(-1)
  expect((await send(at('faults/1'), { method: 'DELETE' })).status).toBe(204)
  expect((await send(at('faults/1'), { method: 'DELETE' })).status).toBe(404)
  expect((await download(baseUrl, { token, mediaId })).status).toBe(200)
  await post(at('faults'), { fault: { kind: 'empty' } })
  expect((await send(at('faults'), { method: 'DELETE' })).status).toBe(204)

  const media = JSON.parse((await send(at('media'))).body.toString())
  expect(media).toEqual(controls.media())
  const calls = JSON.parse((await send(at('calls'))).body.toString())
  expect(calls.map((row: { api: string }) => row.api)).toEqual(['gettoken', 'upload', 'get', 'get'])
  expect(JSON.parse((await send(at('counts'))).body.toString())).toMatchObject({ get: 2 })

  expect((await post(at('kill-media'), { mediaId })).status).toBe(204)
  expect((await post(at('kill-media'), { mediaId })).status).toBe(404)
  expect((await post(at('revoke-tokens'), '')).status).toBe(204)
  expect((await download(baseUrl, { token, mediaId })).json().errcode).toBe(42001)
  expect((await post(at('options'), { expiredTokenErrcode: 40014 })).status).toBe(204)
  expect((await download(baseUrl, { token, mediaId })).json().errcode).toBe(40014)
})

test('a voice that a web page recorded can be put in from another program', async () => {
  const { baseUrl } = await withSimulator({ controls: true })
  const content = anAmr()
  const added = await post(`${baseUrl}/_simulator/media`, {
    kind: 'voice',
    wireName: 'a.amr',
    content: content.toString('base64'),
    fromJsSdk: true,
  })
  expect(added.status).toBe(201)
  const { mediaId } = JSON.parse(added.body.toString())
  const token = await fetchToken(baseUrl)
  expect((await download(baseUrl, { token, mediaId })).body.equals(content)).toBe(true)
  const speech = await send(
    `${baseUrl}/cgi-bin/media/get/jssdk?access_token=${token}&media_id=${mediaId}`,
  )
  expect(speech.headers['content-type']).toBe('voice/speex')
})

test('a medium as large as an upload may be is added over HTTP', async () => {
  const { baseUrl, controls } = await withSimulator({ controls: true })
  const content = Buffer.alloc(20 * 2 ** 20, 1).toString('base64')
  const added = await post(`${baseUrl}/_simulator/media`, { kind: 'file', wireName: 'a', content })
  expect(added.status).toBe(201)
  expect(controls.media()).toMatchObject([{ sizeBytes: 20 * 2 ** 20 }])
})

test.each([
  ['media', { kind: 'voice', wireName: 'a.amr', content: '' }, 'it has no content'],
  ['media', { kind: 'voice', wireName: 'a.amr', content: '%' }, 'base64'],
  ['faults', { fault: { kind: 'errcode' } }, 'errcode'],
  ['faults', { fault: { kind: 'nonsense' } }, 'kind'],
  ['faults', { when: { api: 'list' }, fault: { kind: 'empty' } }, 'api'],
  ['faults', '{', 'JSON'],
  ['kill-media', {}, 'mediaId'],
  ['options', { latencyMs: -1 }, 'latencyMs'],
])('what %s cannot understand is refused with the reason: %j', async (noun, body, reason) => {
  const { baseUrl } = await withSimulator({ controls: true })
  const answer = await post(`${baseUrl}/_simulator/${noun}`, body)
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.body.toString()).error).toContain(reason)
})

test('other nouns and endless bodies are refused', async () => {
  const { baseUrl } = await withSimulator({ controls: true })
  expect((await send(`${baseUrl}/_simulator/nonsense`)).status).toBe(404)
  const refused = await post(`${baseUrl}/_simulator/faults`, 'x'.repeat(70_000))
  expect(refused.status).toBe(413)
  expect(JSON.parse(refused.body.toString()).error).toContain('65536 bytes')
})

test('an empty medium cannot be added', async () => {
  const { controls } = await withSimulator()
  const medium = { kind: 'file', wireName: 'a', content: Buffer.alloc(0) } as const
  await expect(controls.addMedia(medium)).rejects.toThrow('it has no content')
})
