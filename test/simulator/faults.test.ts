import { connect } from 'node:net'
import { expect, test } from 'vitest'
import type { Fault } from '../../src/simulator/faults.ts'
import { createFaultBook } from '../../src/simulator/faults.ts'
import { aJpg } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, MULTIPART_TYPE, multipart, send, upload } from './calls.ts'

const GET = { api: 'get', mediaId: 'a' } as const
const BUSY = { kind: 'errcode', errcode: -1 } as const

/** Which of the first ten calls a rule befalls, as marks. */
function pattern(when: object, calls = 10, call = GET) {
  const book = createFaultBook()
  book.add({ when, fault: BUSY })
  return Array.from({ length: calls }, () => (book.pick(call).fault ? 'x' : '.')).join('')
}

test.each([
  [{}, 'xxxxxxxxxx'],
  [{ times: 3 }, 'xxx.......'],
  [{ nth: 3 }, '..x.......'],
  [{ nth: 3, times: 2 }, '..xx......'],
  [{ api: 'get' }, 'xxxxxxxxxx'],
  [{ api: 'upload' }, '..........'],
  [{ mediaId: 'a', times: 1 }, 'x.........'],
  [{ mediaId: 'b' }, '..........'],
  [{ rate: 0 }, '..........'],
  [{ rate: 1 }, 'xxxxxxxxxx'],
])('a fault when %j befalls %s', (when, expected) => {
  expect(pattern(when)).toBe(expected)
})

test('a rate befalls its share of calls, the same ones for the same seed', () => {
  const drawn = pattern({ rate: 0.3, seed: 7 }, 2000)
  const share = drawn.replaceAll('.', '').length / 2000
  expect(share).toBeGreaterThan(0.25)
  expect(share).toBeLessThan(0.35)
  expect(pattern({ rate: 0.3, seed: 7 }, 2000)).toBe(drawn)
  expect(pattern({ rate: 0.3, seed: 8 }, 2000)).not.toBe(drawn)
})

test('the first of several faults counts, delays add up, and one that was not seen is not used up', () => {
  const book = createFaultBook()
  book.add({ when: { times: 1 }, fault: BUSY })
  book.add({ when: {}, fault: { kind: 'delay', ms: 100 } })
  book.add({ when: { times: 1 }, fault: { kind: 'empty' } })
  book.add({ when: {}, fault: { kind: 'delay', ms: 10 } })
  expect(book.pick(GET)).toEqual({ delayMs: 110, fault: BUSY })
  expect(book.pick(GET)).toEqual({ delayMs: 110, fault: { kind: 'empty' } })
  expect(book.pick(GET)).toEqual({ delayMs: 110, fault: undefined })
})

async function withFault(fault: object, api?: 'gettoken' | 'upload' | 'get') {
  const running = await withSimulator()
  const token = await fetchToken(running.baseUrl)
  const content = aJpg(400_000)
  const mediaId = await running.controls.addMedia({ kind: 'image', wireName: 'a.jpg', content })
  const remove = running.controls.addFault({ when: api ? { api } : {}, fault: fault as Fault })
  running.controls.clearCalls()
  return {
    ...running,
    content,
    remove,
    gettoken: () => send(`${running.baseUrl}/cgi-bin/gettoken?corpid=a&corpsecret=b`),
    upload: () => upload(running.baseUrl, { token, content }),
    get: (range?: string) =>
      download(running.baseUrl, { token, mediaId, ...(range === undefined ? {} : { range }) }),
  }
}

test('a fault lasts until it is taken away', async () => {
  const { gettoken, remove, controls } = await withFault(BUSY)
  expect((await gettoken()).json().errcode).toBe(-1)
  remove()
  expect((await gettoken()).json().errcode).toBe(0)
  controls.addFault({ when: {}, fault: BUSY })
  controls.clearFaults()
  expect((await gettoken()).json().errcode).toBe(0)
})

test('a text of one’s own replaces the live form', async () => {
  const { gettoken } = await withFault({ kind: 'errcode', errcode: 40014, errmsg: '不合法' })
  const answer = await gettoken()
  expect(answer.json()).toEqual({ errcode: 40014, errmsg: '不合法' })
  expect(answer.headers['error-msg']).toBe('???')
})

test.each([413, 502, 503])('a gateway answers %i with a page of its own', async (status) => {
  const { get, upload, controls } = await withFault({ kind: 'gateway-page', status })
  for (const answer of [await get(), await upload()]) {
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('text/html')
    expect(answer.headers).not.toHaveProperty('error-code')
    expect(answer.body.toString()).toContain(`<h1>${status} `)
  }
  expect(controls.media()).toHaveLength(1)
})

test('half a JSON is what comes of an answer, though the call took effect', async () => {
  const { get, upload, controls } = await withFault({ kind: 'half-json' })
  for (const answer of [await get(), await upload()]) {
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8')
    expect(() => answer.json()).toThrow(SyntaxError)
    expect(answer.headers['content-length']).toBe(String(answer.body.length))
  }
  expect(controls.media()).toHaveLength(2)
})

test('nothing is what comes of an answer', async () => {
  const { get, upload, gettoken, controls } = await withFault({ kind: 'empty' })
  for (const answer of [await get(), await upload(), await gettoken()]) {
    expect([answer.status, answer.body.length]).toEqual([200, 0])
  }
  expect(controls.media()).toHaveLength(2)
})

test.each([
  ['before-store', 1],
  ['after-store', 2],
  ['mid-body', 1],
] as const)('a connection reset at an upload, %s', async (at, stored) => {
  const { upload, controls } = await withFault({ kind: 'reset', at }, 'upload')
  await expect(upload()).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(controls.media()).toHaveLength(stored)
  expect(controls.calls()[0]).toMatchObject({ api: 'upload', fault: 'reset' })
  expect(controls.calls()[0]).not.toHaveProperty('status')
})

test('a connection reset in the middle of a download leaves the head and, of the content, half at most', async () => {
  const { baseUrl, controls } = await withFault({ kind: 'reset', at: 'mid-body' }, 'get')
  const token = await fetchToken(baseUrl)
  const mediaId = controls.media()[0]?.mediaId
  const seen = await new Promise<{ bytes: number; code: unknown; head: string }>((resolve) => {
    const { hostname, port } = new URL(baseUrl)
    const socket = connect(Number(port), hostname)
    const chunks: Buffer[] = []
    let code: unknown
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code
    })
    socket.on('close', () => {
      const all = Buffer.concat(chunks)
      resolve({ bytes: all.length, code, head: all.toString('latin1', 0, 500) })
    })
    socket.write(
      `GET /cgi-bin/media/get?access_token=${token}&media_id=${mediaId} HTTP/1.1\r\nHost: x\r\n\r\n`,
    )
  })
  expect(seen.head).toContain('Content-Length: 400000\r\n')
  expect(seen.code).toBe('ECONNRESET')
  // What a slow reader has not made room for yet is lost with the connection.
  expect(seen.bytes).toBeGreaterThan(1_000)
  expect(seen.bytes).toBeLessThan(201_000)
})

test('silence lasts for its time, then the usual answer comes', async () => {
  const { get, clock, content } = await withFault({ kind: 'stall', forMs: 30_000 })
  const waiting = get()
  await expect.poll(() => clock.pendingTimers()).toBe(1)
  await clock.advance(30_000)
  expect((await waiting).body.equals(content)).toBe(true)
})

test('silence may fall in the middle of an answer', async () => {
  const { get, clock, content } = await withFault({ kind: 'stall', forMs: 30_000, at: 'mid-body' })
  const waiting = get()
  await expect.poll(() => clock.pendingTimers()).toBe(1)
  await clock.advance(30_000)
  expect((await waiting).body.equals(content)).toBe(true)
})

test('silence without an end lasts until the simulator stops', async () => {
  const { get, controls, simulator } = await withFault({ kind: 'stall' })
  const waiting = get()
  waiting.catch(() => undefined)
  await expect.poll(() => controls.calls()[0]?.fault).toBe('stall')
  await simulator.stop()
  await expect(waiting).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('latency and delays are waited for on the clock', async () => {
  const { gettoken, controls, clock } = await withFault({ kind: 'delay', ms: 2000 })
  controls.change({ latencyMs: 1000 })
  const waiting = gettoken()
  await expect.poll(() => clock.pendingTimers()).toBe(1)
  await clock.advance(3000)
  expect((await waiting).json().errcode).toBe(0)
  const [row] = controls.calls()
  expect((row?.endedAtMs ?? 0) - (row?.atMs ?? 0)).toBe(3000)
})

test('more is announced than comes', async () => {
  const { get, gettoken, upload, controls } = await withFault({ kind: 'wrong-length' })
  for (const call of [get, gettoken, upload]) {
    await expect(call()).rejects.toMatchObject({ code: 'ECONNRESET' })
  }
  expect(controls.calls().map((row) => row.status)).toEqual([200, 200, 200])
})

test('less comes than there is, and is announced so', async () => {
  const { get, content } = await withFault({ kind: 'wrong-length', byBytes: -100 })
  const whole = await get()
  expect(whole.headers['content-length']).toBe('399900')
  expect(whole.body.equals(content.subarray(0, -100))).toBe(true)
  const part = await get('bytes=0-999')
  expect(part.headers).toMatchObject({
    'content-length': '900',
    'content-range': 'bytes 0-999/400000',
  })
})

test('a caller who hangs up in the middle of an upload leaves nothing behind', async () => {
  const { baseUrl, controls, simulator } = await withSimulator()
  const token = await fetchToken(baseUrl)
  const { hostname, port } = new URL(baseUrl)
  const body = multipart(Buffer.alloc(500_000))
  const socket = connect(Number(port), hostname)
  socket.write(
    `POST /cgi-bin/media/upload?access_token=${token}&type=file HTTP/1.1\r\nHost: x\r\n` +
      `Content-Type: ${MULTIPART_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  socket.write(body.subarray(0, 300_000), () => socket.destroy())
  await expect.poll(() => controls.counts().upload).toBe(1)
  await simulator.stop()
  expect(controls.media()).toEqual([])
})
