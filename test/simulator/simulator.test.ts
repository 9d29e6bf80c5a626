import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createSimulator } from '../../src/simulator/simulator.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { aJpg } from '../helpers/samples.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
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

test('a disk that fails is reported, and nobody gets an id for what was not kept', async () => {
  const directory = await createTempFolder()
  const reported: unknown[] = []
  const report = (error: unknown) => void reported.push(error)
  const simulator = createSimulator({ clock: createFakeClock(), directory, report })
  const { baseUrl } = await simulator.start()
  const token = await fetchToken(baseUrl)
  await rm(directory, { recursive: true })
  await expect(upload(baseUrl, { token })).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(reported).toMatchObject([{ code: 'ENOENT' }])
  expect(simulator.controls.media()).toEqual([])
  await simulator.stop()
})

test('it listens where it is told to, once', async () => {
  const { simulator, baseUrl } = await withSimulator()
  expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  await expect(simulator.start()).rejects.toThrow('it is running')
  await simulator.stop()
  await simulator.stop()
  const port = Number(new URL(baseUrl).port)
  expect(await simulator.start({ port, host: 'localhost' })).toEqual({
    baseUrl: expect.stringMatching(new RegExp(`:${port}$`)),
  })
  const other = createSimulator({ clock: createFakeClock(), directory: await createTempFolder() })
  const where = { port, host: 'localhost' }
  await expect(other.start(where)).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
