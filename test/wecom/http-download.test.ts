import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { WecomRefused, WecomUnreachable } from '../../src/errors.ts'
import { type MediaId, parseMediaId } from '../../src/media/media.ts'
import type { Download } from '../../src/wecom/wecom.ts'
import { createClient, failureOf, patient } from './client.ts'
import { createLoopback, replyJson } from './loopback.ts'

const mediaId = parseMediaId('1G6nrLmr5EC3MMb_-zK1dDdzmd0p7cNliYu9V5w7o8K0') as MediaId
const DEAD = { errcode: 40007, errmsg: 'invalid media_id' }

async function createBench(onGet: (response: ServerResponse) => void) {
  const { baseUrl, received } = await createLoopback(({ url }, response) => {
    if (url.pathname !== '/cgi-bin/gettoken') return onGet(response)
    replyJson(response, { access_token: 'T1', expires_in: 7200 })
  })
  return { ...createClient({ baseUrl }), received }
}

/** Downloads from a service that answers with these headers and bytes. */
async function download(
  headers: Record<string, string | number>,
  bytes: Buffer | string,
  options: { status?: number; range?: { firstByte: number; lastByte: number } } = {},
): Promise<Download> {
  const { wecom } = await createBench((response) => {
    for (const [name, value] of Object.entries(headers)) {
      // As the service does: raw UTF-8 in the header.
      response.setHeader(
        name,
        typeof value === 'string' ? Buffer.from(value).toString('latin1') : value,
      )
    }
    response.writeHead(options.status ?? 200).end(bytes)
  })
  const { range } = options
  return await wecom.download({ mediaId, ...(range && { range }) }, patient)
}

const bytesOf = async ({ body }: Download) => Buffer.concat(await body.toArray())
const named = (name: string) => ({ 'Content-Disposition': `attachment; filename="${name}"` })

test('a medium comes with its name, type and length', async () => {
  const { wecom, received } = await createBench((response) => {
    response.writeHead(200, {
      'Content-Type': 'image/jpeg',
      'Content-Disposition': `attachment; filename*=utf-8''%E8%81%8A.jpg; filename="x.jpg"`,
      'Content-Length': 6,
      'Error-Code': 0,
    })
    response.end('mytext')
  })
  const { body, ...about } = await wecom.download({ mediaId }, patient)
  expect(about).toEqual({
    announcedName: '聊.jpg',
    contentType: 'image/jpeg',
    sizeBytes: 6,
    totalBytes: 6,
  })
  expect(Buffer.concat(await body.toArray()).toString()).toBe('mytext')
  expect(Object.fromEntries(received[1]?.url.searchParams ?? [])).toEqual({
    access_token: 'T1',
    media_id: mediaId,
  })
  expect(received[1]?.headers).not.toHaveProperty('range')
})

test('a voice in high definition is fetched from its own interface', async () => {
  const { wecom, received } = await createBench((response) => {
    response.writeHead(200, { 'Content-Type': 'voice/speex', ...named('XXX') }).end('speech')
  })
  const got = await wecom.download({ mediaId, isHd: true }, patient)
  expect(got).toMatchObject({ contentType: 'voice/speex', announcedName: 'XXX' })
  expect((await bytesOf(got)).toString()).toBe('speech')
  const { pathname, searchParams } = received[1]?.url ?? {}
  expect([pathname, searchParams?.get('media_id')]).toEqual(['/cgi-bin/media/get/jssdk', mediaId])
})

const JSON_TYPE = { 'Content-Type': 'application/json; charset=UTF-8' }

test.each<[string, Record<string, string | number>, string]>([
  ['a .json file', { ...JSON_TYPE, ...named('a.json') }, '{"errcode":40007,"errmsg":"a file"}'],
  ['a .json file without a name', JSON_TYPE, '{"price":3}'],
  ['a .json file without a name that has an errcode of 0', JSON_TYPE, '{"errcode":0}'],
  ['a long .json file without a name', JSON_TYPE, `{"errcode":40007,"x":"${'y'.repeat(20_000)}"}`],
  ['a file that is called JSON and is none', JSON_TYPE, '\u0000\u0001'],
  ['a text that begins like JSON', { 'Content-Type': 'text/plain' }, JSON.stringify(DEAD)],
  ['a page with a name', { 'Content-Type': 'text/html', ...named('a.html') }, '<html></html>'],
  ['a medium without any header', {}, 'bytes'],
  ['a medium with a header that says all is well', { 'Error-Code': 0, ...named('a.txt') }, 'bytes'],
])('%s arrives intact', async (_name, headers, text) => {
  expect((await bytesOf(await download(headers, text))).toString()).toBe(text)
})

test.each(['{"errcode":40007,"err', '{ "errcode" : {} }', '{"errcode":'])(
  '%s is a broken answer and no file',
  async (text) => {
    expect(await failureOf(download(JSON_TYPE, text))).toMatchObject({
      code: 'WECOM_UNREACHABLE',
      message: expect.stringContaining('a refusal that makes no sense'),
    })
  },
)

test('a large .json file without a name arrives intact, though its beginning was looked at', async () => {
  const bytes = Buffer.alloc(1_000_000, '{"errcode":40007}')
  const got = await bytesOf(await download(JSON_TYPE, bytes))
  expect(got.equals(bytes)).toBe(true)
})

test.each<[string, Record<string, string | number>, string]>([
  ['by its header and its body', { ...JSON_TYPE, 'Error-Code': 40007 }, JSON.stringify(DEAD)],
  ['by its header alone', { 'Error-Code': 40007, 'Error-Msg': 'invalid media_id' }, ''],
  [
    'by its header, whatever its name',
    { 'Error-Code': 40007, ...named('a.jpg') },
    JSON.stringify(DEAD),
  ],
  ['by its body alone', JSON_TYPE, JSON.stringify(DEAD)],
  ['by its body, with a bare type', { 'Content-Type': 'application/json' }, JSON.stringify(DEAD)],
  [
    'by its body, in another spelling',
    { 'Content-Type': 'Application/JSON' },
    ' {"errcode":"40007"} ',
  ],
])('an error is recognised %s', async (_name, headers, text) => {
  const failure = await failureOf(download(headers, text))
  expect(failure).toBeInstanceOf(WecomRefused)
  expect(failure).toMatchObject({ errcode: 40007, remedy: 'skip' })
  expect(failure.message).toContain(`cannot download \`${mediaId}\`: the media_id is dead`)
})

test.each<[string, number, Record<string, string>, string]>([
  ['a page with HTTP 200', 200, { 'Content-Type': 'text/html; charset=utf-8' }, '<html>'],
  ['a page with HTTP 502', 502, { 'Content-Type': 'text/html' }, '<html>'],
  ['HTTP 404 and nothing', 404, {}, ''],
  ['HTTP 500 with a name', 500, named('a.jpg'), 'bytes'],
  ['a redirect', 302, { Location: '/elsewhere' }, ''],
  ['an empty body', 200, {}, ''],
  ['an empty body of a type', 200, { 'Content-Type': 'image/jpeg', 'Content-Length': '0' }, ''],
  ['what was compressed on the way', 200, { 'Content-Encoding': 'gzip', ...named('a') }, 'zzz'],
])('%s is not a medium: unreachable', async (_name, status, headers, text) => {
  const failure = await failureOf(download(headers, text, { status }))
  expect(failure).toBeInstanceOf(WecomUnreachable)
})

test('an error is an error, whatever the HTTP status', async () => {
  const failure = await failureOf(download(JSON_TYPE, JSON.stringify(DEAD), { status: 400 }))
  expect(failure).toMatchObject({ errcode: 40007 })
})

const range = { firstByte: 2, lastByte: 3 }

test('a range is asked for and told apart from the whole', async () => {
  const { wecom, received } = await createBench((response) => {
    response.writeHead(206, { 'Content-Range': 'bytes 2-3/6', 'Content-Length': 2, ...named('a') })
    response.end('te')
  })
  const got = await wecom.download({ mediaId, range }, patient)
  expect(received[1]?.headers.range).toBe('bytes=2-3')
  expect(got).toMatchObject({ sizeBytes: 2, totalBytes: 6 })
  expect((await bytesOf(got)).toString()).toBe('te')
})

test('the whole in answer to a range is reported as the whole', async () => {
  const got = await download({ 'Content-Length': 6, ...named('a') }, 'mytext', { range })
  expect(got).toMatchObject({ sizeBytes: 6, totalBytes: 6 })
  const unannounced = await download(named('a'), 'mytext', { range })
  expect(unannounced).toMatchObject({ sizeBytes: undefined, totalBytes: undefined })
})

test.each<[string, Record<string, string | number>, string]>([
  ['without saying which', named('a'), 'te'],
  ['of another place', { 'Content-Range': 'bytes 3-4/6', ...named('a') }, 'ex'],
  ['that is longer', { 'Content-Range': 'bytes 2-4/6', ...named('a') }, 'tex'],
  ['that ends before its time', { 'Content-Range': 'bytes 2-2/6', ...named('a') }, 't'],
  ['of another length than it says', { 'Content-Range': 'bytes 2-3/6', ...named('a') }, 't'],
])('a range %s is not accepted', async (_name, headers, text) => {
  const status = 206
  const failure = await failureOf(
    download({ ...headers, 'Content-Length': text.length }, text, { status, range }),
  )
  expect(failure).toBeInstanceOf(WecomUnreachable)
})

test.each(['t', 'text'])(
  'a range without a length that turns out to be %j fails at its end',
  async (text) => {
    const headers = {
      'Content-Range': 'bytes 2-3/6',
      'Transfer-Encoding': 'chunked',
      ...named('a'),
    }
    const got = await download(headers, text, { status: 206, range })
    expect(await failureOf(bytesOf(got))).toBeInstanceOf(WecomUnreachable)
  },
)

test('a range nobody asked for is not accepted', async () => {
  const headers = { 'Content-Range': 'bytes 0-1/6', ...named('a') }
  expect(await failureOf(download(headers, 'my', { status: 206 }))).toBeInstanceOf(WecomUnreachable)
})

test('a medium that ends before its announced length fails while it is read', async () => {
  const { wecom } = await createBench((response) => {
    response.writeHead(200, { 'Content-Length': 100, ...named('a') })
    response.write('half', () => response.socket?.end())
  })
  const got = await wecom.download({ mediaId }, patient)
  expect(await failureOf(bytesOf(got))).toBeInstanceOf(WecomUnreachable)
})

test('a medium is read as fast as it is taken, and never held whole', async () => {
  let sentBytes = 0
  const totalBytes = 64 * 2 ** 20
  const { wecom } = await createBench((response) => {
    response.writeHead(200, { 'Content-Length': totalBytes, ...named('a') })
    const more = () => {
      while (sentBytes < totalBytes && !response.destroyed) {
        sentBytes += 65_536
        if (!response.write(Buffer.alloc(65_536))) return response.once('drain', more)
      }
      return response
    }
    more()
  })
  const { body } = await wecom.download({ mediaId }, patient)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(body.readableLength).toBeLessThan(1_000_000)
  expect(sentBytes).toBeLessThan(totalBytes / 2)
  body.destroy()
})
