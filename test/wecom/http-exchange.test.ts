// One request and one answer over real sockets, with everything that goes wrong in between.
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { FileUnreadable, WecomUnreachable } from '../../src/errors.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createHttpExchange, type ExchangeRequest } from '../../src/wecom/http-exchange.ts'
import type { ExchangeLimits } from '../../src/wecom/watchdog.ts'
import { failureOf, patient } from './client.ts'
import { createLoopback, listen } from './loopback.ts'

const QUICK: ExchangeLimits = { idleMs: 100, baseMs: 5_000, minBytesPerSecond: 1e6 }

function createExchange(baseUrl: string, limits?: ExchangeLimits) {
  const exchange = createHttpExchange({
    baseUrl,
    clock: systemClock,
    environment: {},
    ...(limits && { limits }),
  })
  onTestFinished(() => exchange.close())
  return exchange
}

const get = (path = '/x'): ExchangeRequest => ({ method: 'GET', path, query: {} })

const post = (chunks: () => AsyncGenerator<Buffer>, sizeBytes: number): ExchangeRequest => ({
  method: 'POST',
  path: '/x',
  query: {},
  body: { sizeBytes, chunks },
})

async function* repeat(chunk: Buffer, times: number) {
  for (let sent = 0; sent < times; sent++) yield chunk
}

const textOf = async (body: NodeJS.ReadableStream) => {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

/** A server that speaks raw bytes. */
async function createRawServer(onConnection: (socket: net.Socket) => void) {
  const port = await listen(net.createServer(onConnection))
  return `http://127.0.0.1:${port}`
}

test('a base URL with a path keeps it, and the query is encoded', async () => {
  const { baseUrl, received } = await createLoopback((_request, response) => response.end('ok'))
  const exchange = createExchange(`${baseUrl}/gateway/`)
  const query = { access_token: 'a+b/c&d', type: '文' }
  const { body } = await exchange.send({ method: 'GET', path: '/cgi-bin/x', query }, patient)
  expect(await textOf(body)).toBe('ok')
  expect(received[0]?.url.pathname).toBe('/gateway/cgi-bin/x')
  expect(Object.fromEntries(received[0]?.url.searchParams ?? [])).toEqual(query)
})

test('a body is sent with its length and never chunked', async () => {
  const { baseUrl, received } = await createLoopback((_request, response) => response.end())
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const { body } = await createExchange(baseUrl).send(
    post(() => repeat(chunk, 40), 40 * 65_536),
    patient,
  )
  await textOf(body)
  expect(received[0]?.headers['content-length']).toBe(String(40 * 65_536))
  expect(received[0]?.headers).not.toHaveProperty('transfer-encoding')
  expect(received[0]?.body.length).toBe(40 * 65_536)
})

test('the connection is kept for the next call', async () => {
  const { baseUrl, server } = await createLoopback((_request, response) => response.end('ok'))
  let connections = 0
  server.on('connection', () => void connections++)
  const exchange = createExchange(baseUrl)
  for (let call = 0; call < 5; call++) await textOf((await exchange.send(get(), patient)).body)
  expect(connections).toBe(1)
})

test('the content is read no faster than the line takes it', async () => {
  const baseUrl = await createRawServer((socket) => void socket.pause())
  let yielded = 0
  async function* endless() {
    for (; yielded < 2_000; yielded++) yield Buffer.alloc(256 * 1024)
  }
  const call = createExchange(baseUrl, QUICK).send(post(endless, 2_000 * 262_144), patient)
  expect((await failureOf(call)).message).toContain('nothing moved for 0.1 s')
  expect(yielded).toBeLessThan(200)
})

test('redirects are not followed', async () => {
  const elsewhere = await createLoopback((_request, response) => response.end('stolen'))
  const { baseUrl } = await createLoopback((_request, response) => {
    response.writeHead(302, { Location: `${elsewhere.baseUrl}/?secret` }).end()
  })
  const answer = await createExchange(baseUrl).send(get(), patient)
  expect(answer.status).toBe(302)
  await textOf(answer.body)
  expect(elsewhere.received).toEqual([])
})

test('nobody listening is said with host and code', async () => {
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  const failure = await failureOf(createExchange(`http://127.0.0.1:${port}`).send(get(), patient))
  expect(failure).toBeInstanceOf(WecomUnreachable)
  expect(failure.message).toBe(`cannot reach WeCom at 127.0.0.1:${port}: ECONNREFUSED`)
  expect(failure.cause).toMatchObject({ code: 'ECONNREFUSED' })
})

test('a name that does not exist is said with host and code', async () => {
  const failure = await failureOf(createExchange('http://nowhere.invalid').send(get(), patient))
  expect(failure.message).toMatch(/^cannot reach WeCom at nowhere.invalid: (ENOTFOUND|EAI_AGAIN)$/)
  expect(failure).toMatchObject({ hint: expect.stringContaining('DNS') })
})

test.each<[string, (socket: net.Socket) => void, string]>([
  [
    'reset before any answer',
    (socket) => socket.once('data', () => socket.resetAndDestroy()),
    'ECONNRESET',
  ],
  ['closed before any answer', (socket) => socket.once('data', () => socket.end()), 'ECONNRESET'],
  [
    'answered in gibberish',
    (socket) => socket.once('data', () => socket.end('what?\r\n\r\n')),
    'HPE_',
  ],
])('a connection %s is unreachable', async (_name, onConnection, code) => {
  const baseUrl = await createRawServer(onConnection)
  const failure = await failureOf(createExchange(baseUrl).send(get(), patient))
  expect(failure).toBeInstanceOf(WecomUnreachable)
  expect(failure.message).toContain(code)
})

test.each<[string, string]>([
  ['its announced length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
  ['its last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
])('a body that ends before %s fails while it is read', async (_name, bytes) => {
  const baseUrl = await createRawServer((socket) => socket.once('data', () => socket.end(bytes)))
  const answer = await createExchange(baseUrl).send(get(), patient)
  expect(await failureOf(textOf(answer.body))).toBeInstanceOf(WecomUnreachable)
})

test('an answer that comes before the body is sent is read, and the rest is not sent', async () => {
  let content: AsyncGenerator<Buffer> | undefined
  const baseUrl = await createRawServer((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge')
      socket.pause()
    })
  })
  const chunks = () => (content = repeat(Buffer.alloc(262_144), 400))
  const answer = await createExchange(baseUrl).send(post(chunks, 400 * 262_144), patient)
  expect(answer.status).toBe(413)
  expect(await textOf(answer.body)).toBe('large')
  expect(await content?.next()).toEqual({ done: true, value: undefined })
})

test('content that fails is told as it is, and the connection is cut', async () => {
  const arrived = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const baseUrl = await createRawServer((socket) => {
    socket.on('data', () => arrived.resolve())
    socket.on('close', () => closed.resolve())
  })
  const failure = new FileUnreadable('the disk is on fire')
  async function* failing() {
    yield Buffer.alloc(1_000)
    await arrived.promise
    throw failure
  }
  expect(await failureOf(createExchange(baseUrl).send(post(failing, 2_000), patient))).toBe(failure)
  await closed.promise
})

test('silence ends the call after the idle time', async () => {
  const baseUrl = await createRawServer((socket) => socket.resume())
  const failure = await failureOf(createExchange(baseUrl, QUICK).send(get(), patient))
  expect(failure.message).toContain('nothing moved for 0.1 s')
})

test('silence in the middle of a body ends it too', async () => {
  const baseUrl = await createRawServer((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'))
  })
  const answer = await createExchange(baseUrl, QUICK).send(get(), patient)
  expect((await failureOf(textOf(answer.body))).message).toContain('nothing moved')
})

/** Sends a byte every 20 ms, so many of them. */
const trickle = (count: number) =>
  createRawServer((socket) => {
    socket.once('data', async () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${count}\r\n\r\n`)
      for (let sent = 0; sent < count && !socket.destroyed; sent++) {
        socket.write('x')
        await delay(20)
      }
    })
  })

test('a slow but steady body outlives the idle time', async () => {
  const answer = await createExchange(await trickle(30), QUICK).send(get(), patient)
  expect(await textOf(answer.body)).toBe('x'.repeat(30))
})

test('a body that trickles below the least rate ends when its time is up', async () => {
  const limits = { idleMs: 1_000, baseMs: 200, minBytesPerSecond: 1e9 }
  const answer = await createExchange(await trickle(1_000), limits).send(get(), patient)
  expect((await failureOf(textOf(answer.body))).message).toContain('slower than the limit')
})

test('a reader who takes his time is not mistaken for a silent service', async () => {
  const { baseUrl } = await createLoopback((_request, response) => response.end(Buffer.alloc(4e6)))
  const answer = await createExchange(baseUrl, QUICK).send(get(), patient)
  await delay(450)
  expect((await textOf(answer.body)).length).toBe(4e6)
})

test('the signal ends a call that waits for its answer, with its own reason', async () => {
  const arrived = Promise.withResolvers<void>()
  const baseUrl = await createRawServer((socket) => socket.once('data', () => arrived.resolve()))
  const stopping = new AbortController()
  const failure = failureOf(createExchange(baseUrl).send(get(), stopping.signal))
  await arrived.promise
  const reason = new Error('stopping')
  stopping.abort(reason)
  expect(await failure).toBe(reason)
})

test('the signal ends a body that is being read', async () => {
  const baseUrl = await trickle(1_000)
  const stopping = new AbortController()
  const answer = await createExchange(baseUrl).send(get(), stopping.signal)
  const failure = failureOf(textOf(answer.body))
  stopping.abort(new Error('stopping'))
  expect((await failure).message).toBe('stopping')
})

test('a signal that has fired already lets nothing out', async () => {
  const { baseUrl, received } = await createLoopback((_request, response) => response.end())
  const signal = AbortSignal.abort(new Error('no'))
  await expect(createExchange(baseUrl).send(get(), signal)).rejects.toThrow('no')
  expect(received).toEqual([])
})

test('dropping a body frees the connection', async () => {
  const closed = Promise.withResolvers<void>()
  const { baseUrl, server } = await createLoopback((_request, response) => {
    response.write(Buffer.alloc(100_000))
  })
  server.on('connection', (socket) => socket.on('close', () => closed.resolve()))
  const answer = await createExchange(baseUrl).send(get(), patient)
  answer.body.destroy()
  await closed.promise
})

test('closing ends what is under way', async () => {
  const arrived = Promise.withResolvers<void>()
  const baseUrl = await createRawServer((socket) => socket.once('data', () => arrived.resolve()))
  const exchange = createExchange(baseUrl)
  const failure = failureOf(exchange.send(get(), patient))
  await arrived.promise
  exchange.close()
  expect((await failure).message).toContain('the program is stopping')
  expect((await failureOf(exchange.send(get(), patient))).message).toContain('stopping')
})
