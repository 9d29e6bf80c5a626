import { expect, test } from 'vitest'
import { aJpg, anAmr, anMp4, aPdf, aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { BOUNDARY, download, fetchToken, MULTIPART_TYPE, multipart, send, upload } from './calls.ts'

const MB = 2 ** 20

const accepted: [type: string, what: string, content: Buffer][] = [
  ['image', 'a JPG', aJpg()],
  ['image', 'a PNG', aPng()],
  ['image', 'a JPG of exactly 10 MB', aJpg(10 * MB)],
  ['voice', 'an AMR of 60 s', anAmr({ seconds: 60 })],
  ['video', 'an MP4', anMp4()],
  ['file', 'six bytes', Buffer.from('123456')],
  ['file', 'an AMR of 61 s', anAmr({ seconds: 61 })],
  ['file', 'exactly 20 MB', Buffer.alloc(20 * MB)],
]

test.each(accepted)('as %s, %s is taken', async (type, _what, content) => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  expect((await upload(baseUrl, { token, type, content })).json().errcode).toBe(0)
  expect(controls.media()[0]?.sizeBytes).toBe(content.length)
})

const refused: [type: string, what: string, content: Buffer, errcode: number][] = [
  ['file', 'nothing', Buffer.alloc(0), 44001],
  ['file', 'five bytes', Buffer.from('12345'), 40006],
  ['file', 'a byte over 20 MB', Buffer.alloc(20 * MB + 1), 45001],
  ['image', 'five bytes', Buffer.from('12345'), 40006],
  ['image', 'a PDF', aPdf(), 40123],
  ['image', 'a JPG a byte over 10 MB', aJpg(10 * MB + 1), 40009],
  ['voice', 'a JPG', aJpg(), 301017],
  ['voice', 'an AMR of 61 s', anAmr({ seconds: 61 }), 45007],
  ['voice', 'an AMR over 2 MB', Buffer.concat([anAmr(), Buffer.alloc(2 * MB)]), 45001],
  ['video', 'a PNG', aPng(), 40004],
  ['video', 'an MP4 a byte over 10 MB', anMp4(10 * MB + 1), 40011],
  ['', 'no type', aJpg(), 40005],
  ['%22image%22', 'a quoted type', aJpg(), 40005],
  ['thumb', 'a type of the Official Account', aJpg(), 40005],
]

test.each(refused)('as %s, %s is refused', async (type, _what, content, errcode) => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  expect((await upload(baseUrl, { token, type, content })).json().errcode).toBe(errcode)
  expect(controls.media()).toEqual([])
})

test.each([
  ['image', aPng(), 40123],
  ['image', aJpg(MB + 1), 40009],
  ['file', Buffer.alloc(10 * MB + 1), 45001],
  ['image', aJpg(MB), 0],
])('the limits of an enterprise account can be chosen: %s', async (type, content, errcode) => {
  const { baseUrl } = await withSimulator({ limits: 'enterprise-account' })
  const token = await fetchToken(baseUrl)
  expect((await upload(baseUrl, { token, type, content })).json().errcode).toBe(errcode)
})

const part = (disposition: string) => multipart(Buffer.from('some text'), { disposition })
const plain = multipart(Buffer.from('some text'))

const unreadable: [what: string, body: Buffer, contentType?: string][] = [
  ['filename* alone', part(`form-data; name="media"; filename*=utf-8''%E6%B5%8B.txt`)],
  ['no filename', part('form-data; name="media"')],
  ['an empty filename', part('form-data; name="media"; filename=""')],
  ['a part of another name', part('form-data; name="file"; filename="a.txt"')],
  ['a name without quotes', part('form-data; name=media; filename="a.txt"')],
  ['a filename without quotes', part('form-data; name="media"; filename=a.txt')],
  ['no boundary', plain, 'multipart/form-data'],
  ['a quoted boundary', plain, `multipart/form-data; boundary="${BOUNDARY}"`],
  ['another boundary', plain, 'multipart/form-data; boundary=another'],
  ['another type', plain, 'application/octet-stream'],
  ['a body cut short', plain.subarray(0, plain.length - 8)],
  ['a body of nothing', Buffer.alloc(0)],
  ['line feeds alone', Buffer.from(plain.toString('latin1').replaceAll('\r\n', '\n'))],
  ['a head without an end', Buffer.from(`--${BOUNDARY}\r\n${'x: y\r\n'.repeat(5000)}`)],
]

test.each(unreadable)('%s is "empty media data"', async (_what, body, contentType) => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const answer = await upload(baseUrl, { token, body, contentType: contentType ?? MULTIPART_TYPE })
  expect(answer.json()).toMatchObject({
    errcode: 44001,
    errmsg: expect.stringMatching(/^empty media data/),
  })
  expect(controls.media()).toEqual([])
})

test.each([
  ['form-data; name="media"; filename="测试 报告.txt"', '测试 报告.txt'],
  [`form-data; name="media"; filename*=utf-8''x.txt; filename="名.txt"`, '名.txt'],
  ['form-data; name="media"; filename="%E6%B5%8B.txt"', '%E6%B5%8B.txt'],
  ['form-data; filename="b.txt"; name="media"', 'b.txt'],
])('the name of `%s` is %s', async (disposition, wireName) => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  expect((await upload(baseUrl, { token, body: part(disposition) })).json().errcode).toBe(0)
  expect(controls.media()[0]?.wireName).toBe(wireName)
})

test('only the part `media` is taken of a body with several', async () => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const field = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="type"\r\n\r\nimage\r\n`
  const body = Buffer.concat([Buffer.from(`preamble\r\n${field}`), plain])
  expect((await upload(baseUrl, { token, body })).json().errcode).toBe(0)
  expect(controls.media()[0]).toMatchObject({ sizeBytes: 9 })
})

test('content that looks like a delimiter is content', async () => {
  const { baseUrl } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const content = Buffer.from(`\r\n--\r\n--a-bound\r\n\r\n${BOUNDARY}--\r\n`)
  const { media_id: mediaId } = (await upload(baseUrl, { token, content })).json()
  expect((await download(baseUrl, { token, mediaId })).body.equals(content)).toBe(true)
})

test.each([
  ['image', 40123],
  ['file', 0],
])('a wrong filelength of a %s is answered with %i', async (type, errcode) => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const body = multipart(aJpg(), { fileLength: 5 })
  expect((await upload(baseUrl, { token, type, body })).json().errcode).toBe(errcode)
  expect(controls.media()[0]?.fileLength).toBe(errcode === 0 ? 5 : undefined)
})

test('a body without a Content-Length is taken, or refused with 412 before it is read', async () => {
  const { baseUrl, controls } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const chunked = () =>
    send(`${baseUrl}/cgi-bin/media/upload?access_token=${token}&type=file`, {
      method: 'POST',
      headers: { 'Content-Type': MULTIPART_TYPE, 'Transfer-Encoding': 'chunked' },
      body: plain,
    })
  expect((await chunked()).json().errcode).toBe(0)
  controls.change({ chunkedUpload: 'refuse' })
  const refusal = await chunked()
  expect(refusal.status).toBe(412)
  expect(refusal.headers['content-type']).toBe('text/html')
})

test('a body beyond all limits is refused unread', async () => {
  const { baseUrl } = await withSimulator({ maxBodyBytes: 1000 })
  const token = await fetchToken(baseUrl)
  const answer = await upload(baseUrl, { token, content: Buffer.alloc(5_000_000) })
  expect(answer.json().errcode).toBe(40206)
})

test('a bad token is noticed before a bad body, and a GET is no upload', async () => {
  const { baseUrl } = await withSimulator()
  const broken = await upload(baseUrl, { token: 'x', type: 'nonsense', body: Buffer.from('x') })
  expect(broken.json().errcode).toBe(40014)
  const token = await fetchToken(baseUrl)
  const got = await send(`${baseUrl}/cgi-bin/media/upload?access_token=${token}&type=file`)
  expect(got.json().errcode).toBe(40063)
})
