import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { FileUnreadable, WecomRefused, WecomUnreachable } from '../../src/errors.ts'
import { aMedium } from '../helpers/memory-wecom.ts'
import { createClient, failureOf, patient } from './client.ts'
import { createLoopback, type Received, replyJson } from './loopback.ts'

const TOKEN = { errcode: 0, errmsg: 'ok', access_token: 'T1', expires_in: 7200 }

/** A client whose uploads are answered as told. */
async function createBench(
  onUpload: (received: Received, response: import('node:http').ServerResponse) => void,
) {
  const { baseUrl, received } = await createLoopback((request, response) => {
    if (request.url.pathname === '/cgi-bin/gettoken') replyJson(response, TOKEN)
    else onUpload(request, response)
  })
  const uploads = () => received.filter(({ url }) => url.pathname === '/cgi-bin/media/upload')
  return { ...createClient({ baseUrl }), uploads }
}

const accept = (more = {}) =>
  createBench((_request, response) =>
    replyJson(response, { errcode: 0, errmsg: '', type: 'file', media_id: 'M1', ...more }),
  )

test('the request is what the official example shows', async () => {
  const { wecom, uploads } = await accept({ created_at: '1380000000' })
  const bytes = Buffer.from('mytext')
  await wecom.upload(aMedium({ kind: 'image', wireName: '海报 "1".jpg', bytes }), patient)
  const [sent] = uploads()
  expect(sent?.method).toBe('POST')
  expect(Object.fromEntries(sent?.url.searchParams ?? [])).toEqual({
    access_token: 'T1',
    type: 'image',
  })
  const boundary = sent?.headers['content-type']?.match(
    /^multipart\/form-data; boundary=(\S+)$/,
  )?.[1]
  const body =
    `--${boundary}\r\nContent-Disposition: form-data; name="media"; filename="海报 _1_.jpg"; filelength=6\r\n` +
    `Content-Type: application/octet-stream\r\n\r\nmytext\r\n--${boundary}--\r\n`
  expect(sent?.body.toString()).toBe(body)
  expect(sent?.headers['content-length']).toBe(String(Buffer.byteLength(body)))
  expect(sent?.headers).not.toHaveProperty('transfer-encoding')
})

test('boundaries are never used twice', async () => {
  const { wecom, uploads } = await accept()
  for (let turn = 0; turn < 3; turn++) await wecom.upload(aMedium(), patient)
  expect(new Set(uploads().map(({ headers }) => headers['content-type'])).size).toBe(3)
})

test('a stream and a buffer of many slices arrive whole', async () => {
  const { wecom, uploads } = await accept()
  const bytes = Buffer.alloc(1_000_003, 'abcdefg')
  await wecom.upload(aMedium({ bytes }), patient)
  await wecom.upload(
    aMedium({ bytes, content: () => Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]) }),
    patient,
  )
  for (const { body } of uploads()) expect(body.includes(bytes)).toBe(true)
})

test.each([
  ['a string of seconds', { created_at: '1380000000' }, 1_380_000_000_000],
  ['a number of seconds', { created_at: 1380000000 }, 1_380_000_000_000],
  ['another name', { create_at: '1380000000' }, 1_380_000_000_000],
])('created_at may be %s', async (_name, more, createdAtMs) => {
  const { wecom } = await accept(more)
  expect(await wecom.upload(aMedium(), patient)).toEqual({ mediaId: 'M1', createdAtMs })
})

test.each([
  ['is missing', {}],
  ['is null', { created_at: null }],
  ['is zero', { created_at: '0' }],
  ['lies in the future', { created_at: '99999999999' }],
  ['is in milliseconds', { created_at: String(Date.now()) }],
])('the moment before the upload counts when created_at %s', async (_name, more) => {
  const { wecom } = await accept(more)
  const beforeMs = Date.now()
  const { createdAtMs } = await wecom.upload(aMedium(), patient)
  expect(createdAtMs).toBeGreaterThanOrEqual(beforeMs)
  expect(createdAtMs).toBeLessThanOrEqual(Date.now())
})

test('the moment before the upload is on the clock of the service', async () => {
  const serviceMs = Date.now() + 3_600_000
  const { baseUrl } = await createLoopback((request, response) => {
    response.setHeader('Date', new Date(serviceMs).toUTCString())
    const isToken = request.url.pathname.endsWith('gettoken')
    replyJson(
      response,
      isToken ? TOKEN : { media_id: 'M1', created_at: String((serviceMs / 1000 + 600) | 0) },
    )
  })
  const { wecom } = createClient({ baseUrl })
  const { createdAtMs } = await wecom.upload(aMedium(), patient)
  expect(Math.abs(createdAtMs - serviceMs)).toBeLessThan(2_500)
})

test.each<[string, unknown]>([
  ['without errcode', { type: 'file', media_id: 'M1', created_at: '1380000000' }],
  ['with an errcode in quotes', { errcode: '0', media_id: 'M1', created_at: 1380000000 }],
  ['without errmsg', { errcode: 0, errmsg: null, media_id: 'M1', extra: { deep: [1] } }],
])('an answer %s is a yes', async (_name, json) => {
  const { wecom } = await createBench((_request, response) => replyJson(response, json))
  expect((await wecom.upload(aMedium(), patient)).mediaId).toBe('M1')
})

test.each([
  [40009, 'skip'],
  [45009, 'slow-down'],
  [60020, 'stop'],
  [-1, 'retry'],
  ['40001', 'stop'],
])('errcode %j is a refusal with remedy %s', async (errcode, remedy) => {
  const errmsg = 'no, hint: [1_2_a], from ip: 203.0.113.7, more info at https://x'
  const { wecom } = await createBench((_request, response) =>
    replyJson(response, { errcode, errmsg }),
  )
  const failure = await failureOf(wecom.upload(aMedium({ wireName: 'a.jpg' }), patient))
  expect(failure).toBeInstanceOf(WecomRefused)
  expect(failure).toMatchObject({ errcode: Number(errcode), errmsg, remedy, fromIp: '203.0.113.7' })
  expect(failure.message).toMatch(/^cannot upload `a\.jpg`: .+ \(errcode -?\d+: no, hint/)
})

test.each([
  [40123, true],
  [45007, true],
  [44001, false],
  [60020, false],
])('errcode %i says whether kind file may take it: %s', async (errcode, mayGoAsFile) => {
  const { wecom } = await createBench((_request, response) => replyJson(response, { errcode }))
  expect(await failureOf(wecom.upload(aMedium(), patient))).toMatchObject({ mayGoAsFile })
})

test('the refusal of an address says which one to add, and where', async () => {
  const { wecom } = await createBench((_request, response) =>
    replyJson(response, { errcode: 60020, errmsg: 'not allow, from ip: 203.0.113.7' }),
  )
  const failure = await failureOf(wecom.upload(aMedium(), patient))
  expect(failure).toMatchObject({ hint: expect.stringMatching(/企业可信IP.*203\.0\.113\.7/) })
})

test.each<[string, number, string, string, string]>([
  ['half JSON', 200, 'application/json', '{"errcode":0,"media_', 'not JSON'],
  ['nothing', 200, 'application/json', '', 'an empty body'],
  ['a page', 200, 'text/html', '<html>welcome</html>', 'not JSON'],
  ['JSON without an id', 200, 'application/json', '{"errcode":0}', 'without what was asked for'],
  ['an id that cannot be one', 200, 'application/json', '{"media_id":"a b"}', 'cannot be one'],
  ['JSON that is not an object', 200, 'application/json', '[]', 'without what was asked for'],
  ['a yes with HTTP 500', 500, 'application/json', '{"errcode":0,"media_id":"M1"}', 'HTTP 500'],
  ['HTTP 502 and a page', 502, 'text/html', '<html>nginx</html>', 'HTTP 502'],
  ['HTTP 404 and nothing', 404, 'text/plain', '', 'HTTP 404'],
  ['a megabyte', 200, 'application/json', ' '.repeat(1_000_000), 'longer than any answer'],
])('%s is not WeCom: unreachable', async (_name, status, type, text, says) => {
  const { wecom } = await createBench((_request, response) =>
    response.writeHead(status, { 'Content-Type': type }).end(text),
  )
  const failure = await failureOf(wecom.upload(aMedium(), patient))
  expect(failure).toBeInstanceOf(WecomUnreachable)
  expect(failure.message).toContain(says)
  expect(failure).toMatchObject({ hint: expect.any(String) })
})

test('a 413 names the setting that cures it', async () => {
  const { wecom } = await createBench((_request, response) =>
    response.writeHead(413, { 'Content-Type': 'text/html' }).end('<html>nginx</html>'),
  )
  expect(await failureOf(wecom.upload(aMedium(), patient))).toMatchObject({
    hint: expect.stringContaining('client_max_body_size'),
  })
})

test('a redirect says that the base URL is wrong', async () => {
  const { wecom } = await createBench((_request, response) =>
    response.writeHead(301, { Location: 'https://elsewhere/' }).end(),
  )
  const failure = await failureOf(wecom.upload(aMedium(), patient))
  expect(failure).toBeInstanceOf(WecomUnreachable)
  expect(failure).toMatchObject({ hint: expect.stringContaining('`wecom.baseUrl`') })
})

const announced = { wireName: 'a.txt', sizeBytes: 10 }
test.each<[string, Parameters<typeof aMedium>[0], RegExp]>([
  ['a stream that ends early', { content: () => Readable.from([Buffer.alloc(9)]) }, /only 9/],
  [
    'a stream that goes on',
    { content: () => Readable.from([Buffer.alloc(9), Buffer.alloc(9)]) },
    /more/,
  ],
  ['an empty stream', { content: () => Readable.from([]) }, /only 0/],
  ['a buffer that is too short', { content: Buffer.alloc(9) }, /only 9/],
  ['a buffer that is too long', { content: Buffer.alloc(11) }, /more/],
])('%s is a file that changed, and nothing is stored', async (_name, about, says) => {
  const { wecom, uploads } = await accept()
  const failure = await failureOf(wecom.upload(aMedium({ ...about, ...announced }), patient))
  expect(failure).toBeInstanceOf(FileUnreadable)
  expect(failure.message).toMatch(/^cannot upload `a\.txt`: it changed while it was read, 10 bytes/)
  expect(failure.message).toMatch(says)
  expect(uploads()).toEqual([])
})

test('a stream that breaks is a file that cannot be read', async () => {
  const { wecom } = await accept()
  const broken = Object.assign(new Error('i/o error, read'), { code: 'EIO' })
  const content = () =>
    Readable.from(
      (async function* () {
        yield Buffer.alloc(3)
        throw broken
      })(),
    )
  const failure = await failureOf(wecom.upload(aMedium({ ...announced, content }), patient))
  expect(failure).toBeInstanceOf(FileUnreadable)
  expect(failure.message).toBe('cannot upload `a.txt`: it cannot be read (EIO)')
  expect(failure.cause).toBe(broken)
})

test('a failure that already has its name keeps it', async () => {
  const { wecom } = await accept()
  const gone = new FileUnreadable('gone')
  const content = () => {
    throw gone
  }
  expect(await failureOf(wecom.upload(aMedium({ ...announced, content }), patient))).toBe(gone)
})

test('a file that is slow to read is let go when the upload is given up', async () => {
  const { wecom } = await accept()
  const stopping = new AbortController()
  const content = new Readable({ read: () => stopping.abort(new Error('stopping')) })
  const upload = wecom.upload(aMedium({ ...announced, content: () => content }), stopping.signal)
  expect((await failureOf(upload)).message).toBe('stopping')
  await new Promise((resolve) => setImmediate(resolve))
  expect(content.destroyed).toBe(true)
})
