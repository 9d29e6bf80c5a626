import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { aJpg } from '../helpers/samples.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, upload } from './calls.ts'

const DAY_MS = 24 * 3_600_000

test('a medium lives three days of the clock, then its id is invalid and its bytes are gone', async () => {
  const { baseUrl, clock, controls, directory } = await withSimulator()
  const uploaded = await upload(baseUrl, { token: await fetchToken(baseUrl) })
  const mediaId = uploaded.json().media_id
  const get = async () => download(baseUrl, { token: await fetchToken(baseUrl), mediaId })
  clock.leap(3 * DAY_MS - 1)
  expect((await get()).body.toString()).toBe('some text')
  clock.leap(1)
  expect((await get()).json().errcode).toBe(40007)
  expect(controls.media()).toEqual([])
  expect(await readdir(directory)).toEqual(['index.ndjson'])
})

test('a medium can be killed before its time', async () => {
  const { baseUrl, controls, directory } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const mediaId = (await upload(baseUrl, { token })).json().media_id
  expect(await controls.killMedia(mediaId)).toBe(true)
  expect(await controls.killMedia(mediaId)).toBe(false)
  expect((await download(baseUrl, { token, mediaId })).json().errcode).toBe(40007)
  expect(await readdir(directory)).toEqual(['index.ndjson'])
})

test('the same bytes again get a new id, and both live', async () => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const ids = [await upload(baseUrl, { token }), await upload(baseUrl, { token })].map(
    (answer) => answer.json().media_id,
  )
  expect(new Set(ids).size).toBe(2)
  expect(controls.media().map((medium) => medium.mediaId)).toEqual(ids)
})

test('what is kept tells all there is to know of an upload', async () => {
  const { baseUrl, controls, clock } = await withSimulator()
  const token = await fetchToken(baseUrl)
  await upload(baseUrl, { token, type: 'image', content: aJpg(), filename: '图.jpg' })
  expect(controls.media()).toEqual([
    {
      mediaId: expect.stringMatching(/^[\w-]{65}$/),
      corpId: 'ww1',
      kind: 'image',
      wireName: '图.jpg',
      sizeBytes: 174,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      format: 'jpg',
      durationMs: 0,
      createdAtMs: clock.nowMs(),
      fileLength: 174,
    },
  ])
})

test('a restarted simulator still knows its ids, and has forgotten the dead', async () => {
  const directory = await createTempFolder()
  const clock = createFakeClock()
  const first = await withSimulator({ directory, clock })
  const token = await fetchToken(first.baseUrl)
  const old = (await upload(first.baseUrl, { token })).json().media_id
  clock.leap(DAY_MS)
  const young = (await upload(first.baseUrl, { token: await fetchToken(first.baseUrl) })).json()
  await first.simulator.stop()

  clock.leap(2 * DAY_MS)
  const second = await withSimulator({ directory, clock })
  expect(second.controls.media().map((medium) => medium.mediaId)).toEqual([young.media_id])
  const next = await fetchToken(second.baseUrl)
  const alive = await download(second.baseUrl, { token: next, mediaId: young.media_id })
  expect(alive.body.toString()).toBe('some text')
  const dead = await download(second.baseUrl, { token: next, mediaId: old })
  expect(dead.json().errcode).toBe(40007)
  expect(await readdir(directory)).toHaveLength(2)
})

test('a line torn by a crash and bytes without a line are dropped at the start', async () => {
  const directory = await createTempFolder()
  const first = await withSimulator({ directory })
  const token = await fetchToken(first.baseUrl)
  const mediaId = (await upload(first.baseUrl, { token })).json().media_id
  await first.simulator.stop()
  await appendFile(join(directory, 'index.ndjson'), '{"add":{"mediaId":"torn')
  await writeFile(join(directory, '3stray.bin'), 'x')

  const second = await withSimulator({ directory })
  expect(second.controls.media().map((medium) => medium.mediaId)).toEqual([mediaId])
  expect((await readdir(directory)).sort()).toEqual([`${mediaId}.bin`, 'index.ndjson'].sort())
})

test('the index does not grow with the dead', async () => {
  const { controls, directory } = await withSimulator()
  const medium = { kind: 'file', wireName: 'a', content: Buffer.from('x') } as const
  for (let turn = 0; turn < 1_010; turn++) await controls.killMedia(await controls.addMedia(medium))
  const lines = (await readFile(join(directory, 'index.ndjson'), 'utf8')).split('\n')
  expect(lines.length).toBeLessThan(30)
})

test('it may be stopped and started again, and keeps its tokens', async () => {
  const { baseUrl, simulator } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const mediaId = (await upload(baseUrl, { token })).json().media_id
  await simulator.stop()
  await expect(download(baseUrl, { token, mediaId })).rejects.toThrow('ECONNREFUSED')
  const again = await simulator.start()
  expect((await download(again.baseUrl, { token, mediaId })).status).toBe(200)
})
