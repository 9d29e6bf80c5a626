import { expect, test } from 'vitest'
import { aJpg, anAmr, anMp4, aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, send } from './calls.ts'

const MB = 2 ** 20

async function withMedium(content: Buffer, wireName: string, options = {}) {
  const running = await withSimulator(options)
  const token = await fetchToken(running.baseUrl)
  const mediaId = await running.controls.addMedia({ kind: 'file', wireName, content })
  const get = (range?: string) =>
    download(running.baseUrl, { token, mediaId, ...(range === undefined ? {} : { range }) })
  return { ...running, token, mediaId, get }
}

/** Node shows header bytes as Latin-1. */
const bytesOf = (header: unknown) => Buffer.from(String(header), 'latin1').toString('utf8')

test.each([
  [undefined, 200, undefined, '0123456789'],
  ['bytes=0-3', 206, 'bytes 0-3/10', '0123'],
  ['bytes=4-', 206, 'bytes 4-9/10', '456789'],
  ['bytes=8-100', 206, 'bytes 8-9/10', '89'],
  ['bytes=-3', 206, 'bytes 7-9/10', '789'],
  ['bytes=-30', 206, 'bytes 0-9/10', '0123456789'],
  ['bytes=9-9', 206, 'bytes 9-9/10', '9'],
  ['bytes=10-', 416, 'bytes */10', ''],
  ['bytes=-0', 416, 'bytes */10', ''],
  ['bytes=5-2', 200, undefined, '0123456789'],
  ['bytes=0-1,4-5', 200, undefined, '0123456789'],
  ['bytes 0-3', 200, undefined, '0123456789'],
  ['items=0-3', 200, undefined, '0123456789'],
])('Range: %s is answered with %i', async (range, status, contentRange, body) => {
  const { get } = await withMedium(Buffer.from('0123456789'), 'a.txt')
  const answer = await get(range)
  expect(answer.status).toBe(status)
  expect(answer.headers['content-range']).toBe(contentRange)
  expect(answer.body.toString()).toBe(body)
  expect(answer.headers['content-length']).toBe(String(body.length))
})

test('more than 20 MB must be fetched in ranges of at most 20 MB', async () => {
  const content = Buffer.alloc(20 * MB + 1, 'x')
  const { get } = await withMedium(content, 'big.bin')
  expect((await get()).json().errcode).toBe(830002)
  expect((await get(`bytes=0-${20 * MB}`)).json().errcode).toBe(830002)
  const first = await get(`bytes=0-${20 * MB - 1}`)
  const rest = await get(`bytes=${20 * MB}-`)
  expect([first.status, rest.status]).toEqual([206, 206])
  expect(Buffer.concat([first.body, rest.body]).equals(content)).toBe(true)
})

test.each([
  [
    'star-and-raw',
    'attachment; filename*=utf-8\'\'%E5%8F%91%E7%A5%A8%20%281%29.PDF; filename="发票 (1).PDF"',
  ],
  ['plain', 'attachment; filename="MEDIA_ID.pdf"'],
  ['empty-base', 'attachment; filename=".pdf"'],
  ['missing', undefined],
] as const)('the name is announced as %s', async (dispositionForm, expected) => {
  const { get, mediaId } = await withMedium(Buffer.from('%PDF-1.4'), '发票 (1).PDF', {
    dispositionForm,
  })
  const answer = await get()
  const seen = answer.headers['content-disposition']
  expect(seen && bytesOf(seen).replace(mediaId, 'MEDIA_ID')).toBe(expected)
})

test.each([
  '../../etc/passwd',
  'a\r\nX-Injected: 1.txt',
  '\u0000x\u007f.txt',
  'no extension',
  '\ud800.txt',
])('a hostile name does no harm to the answer: %j', async (wireName) => {
  for (const dispositionForm of ['star-and-raw', 'plain', 'empty-base'] as const) {
    const { get } = await withMedium(Buffer.from('content'), wireName, { dispositionForm })
    const answer = await get()
    expect(answer.body.toString()).toBe('content')
    expect(answer.headers).not.toHaveProperty('x-injected')
  }
})

test.each([
  ['a.bin', aJpg(), 'image/jpeg'],
  ['a.bin', aPng(), 'image/png'],
  ['a.bin', anMp4(), 'video/mp4'],
  ['a.bin', anAmr(), 'audio/amr'],
  ['a.json', Buffer.from('{"errcode":1}'), 'application/json; charset=UTF-8'],
  ['a.txt', Buffer.from('some text'), 'text/plain'],
  ['a', Buffer.from('some text'), 'application/octet-stream'],
])('the type of %s goes by its content', async (name, content, contentType) => {
  const { get } = await withMedium(content, name)
  const answer = await get()
  expect(answer.headers['content-type']).toBe(contentType)
  expect(answer.headers).toMatchObject({
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache, must-revalidate',
    'error-code': '0',
  })
})

test('a medium is shared by the apps of its corp, and by no other corp', async () => {
  const { baseUrl, controls } = await withSimulator()
  const mediaId = await controls.addMedia({
    kind: 'file',
    wireName: 'a.txt',
    content: Buffer.from('x'),
    corpId: 'ww1',
  })
  const ours = await fetchToken(baseUrl, 'ww1', 'another app')
  expect((await download(baseUrl, { token: ours, mediaId })).body.toString()).toBe('x')
  const theirs = await fetchToken(baseUrl, 'ww2')
  expect((await download(baseUrl, { token: theirs, mediaId })).json().errcode).toBe(40007)
})

test('only what a web page recorded is to be had in high definition', async () => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const voice = { kind: 'voice', wireName: 'a.amr', content: anAmr() } as const
  const ordinary = await controls.addMedia(voice)
  const recorded = await controls.addMedia({ ...voice, fromJsSdk: true })
  const another = await controls.addMedia({ ...voice, fromJsSdk: true, corpId: 'ww2' })
  const get = (mediaId: string, headers = {}) =>
    send(`${baseUrl}/cgi-bin/media/get/jssdk?access_token=${token}&media_id=${mediaId}`, {
      headers,
    })
  for (const mediaId of [ordinary, another, 'unknown'])
    expect((await get(mediaId)).json().errcode).toBe(40007)
  expect((await get('')).json().errcode).toBe(41006)
  const speech = await get(recorded)
  expect(speech.headers).toMatchObject({
    'content-type': 'voice/speex',
    'content-disposition': `attachment; filename="${recorded}"`,
    'error-code': '0',
  })
  // Other bytes than the ordinary call gives, which gives them all the same.
  expect(speech.body).toHaveLength(2 * voice.content.length)
  expect(speech.body.toString('latin1')).not.toContain('AMR')
  expect((await download(baseUrl, { token, mediaId: recorded })).body.equals(voice.content)).toBe(
    true,
  )
  const end = speech.body.length - 1
  const part = await get(recorded, { range: `bytes=${end - 2}-` })
  expect([part.status, part.headers['content-range']]).toEqual([
    206,
    `bytes ${end - 2}-${end}/${end + 1}`,
  ])
  expect(part.body.equals(speech.body.subarray(-3))).toBe(true)
})

test('an id that was not named is missing, not invalid', async () => {
  const { baseUrl } = await withSimulator()
  const token = await fetchToken(baseUrl)
  expect((await download(baseUrl, { token, mediaId: '' })).json().errcode).toBe(41006)
})
