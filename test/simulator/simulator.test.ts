import { expect, test } from 'vitest'
import { aJpg } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, send, upload } from './calls.ts'

test('what was uploaded is fetched back, byte for byte', async () => {
  const { baseUrl } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const picture = aJpg(100_000)
  const uploaded = await upload(baseUrl, {
    token,
    type: 'image',
    content: picture,
    filename: 'a.jpg',
  })
  expect(uploaded.json()).toEqual({
    errcode: 0,
    errmsg: '',
    type: 'image',
    media_id: expect.stringMatching(/^[\w-]{44,65}$/),
    created_at: '1795334400',
  })
  const fetched = await download(baseUrl, { token, mediaId: uploaded.json().media_id })
  expect(fetched.status).toBe(200)
  expect(fetched.headers).toMatchObject({
    'content-type': 'image/jpeg',
    'content-length': '100000',
  })
  expect(fetched.body.equals(picture)).toBe(true)
})

test('a path that WeCom does not have is a 404 without a body', async () => {
  const { baseUrl, controls } = await withSimulator()
  for (const path of ['/cgi-bin/media/list', '/', '/_simulator/media', '/toString']) {
    const answer = await send(baseUrl + path)
    expect([answer.status, answer.body.length]).toEqual([404, 0])
  }
  expect(controls.counts().unknown).toBe(4)
})
