// Answers for the wire of the callback: a port of its own that strangers may reach, so everything about a request has a limit. It may
// stand behind a reverse proxy, whose word about the sender is not needed. What is said over it is callback-receiver.ts's.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Emit } from '../support/events.ts'
import type { Refusal } from './callback-counts.ts'
import type { CallbackAnswer, CallbackReceiver } from './callback-receiver.ts'
import { addressOf, type ListenPlace, listenAt } from './listen-place.ts'

/** Messages are a few kilobytes; the largest events list some hundred names. */
const MAX_BODY_BYTES = 256 * 1024
const MAX_HEADER_BYTES = 8 * 1024
/** WeCom gives an answer five seconds: whoever needs longer to say what he wants is not WeCom. */
const PATIENCE = { headersMs: 5_000, requestMs: 10_000, idleMs: 5_000 }
const MAX_CONNECTIONS = 256
const MAX_REQUESTS_PER_CONNECTION = 100

export interface CallbackServer {
  /** Rejects with `ConfigError` where it cannot listen. */
  start(): Promise<void>
  /** Requests that are being made durable get their answer, all others are cut off. */
  stop(): Promise<void>
}

export function createCallbackServer(deps: {
  /** As the configuration has it, for messages. */
  shownAs: string
  place: ListenPlace
  /** The one path that is answered, exactly. */
  path: string
  receiver: CallbackReceiver
  refusals: { note(refusal: Refusal): void }
  emit: Emit
  /** An answer that failed for a reason nobody foresaw. */
  onBug: (error: unknown) => void
  patience?: typeof PATIENCE
}): CallbackServer {
  const { receiver, refusals, patience = PATIENCE } = deps
  const paths = [deps.path, encodeURI(deps.path)]
  const underWay = new Set<Promise<void>>()
  /** Connections that were counted for what is wrong with them. */
  const blamed = new WeakSet<Duplex>()
  /** Connections whose message has not come whole. */
  const reading = new Set<Socket>()
  let isStopping = false

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      keepAliveTimeout: patience.idleMs,
      connectionsCheckingInterval: patience.headersMs / 5,
    },
    (request, response) => {
      const serving = serve(request, response)
        .catch((error: unknown) => {
          response.destroy()
          deps.onBug(error)
        })
        .finally(() => underWay.delete(serving))
      underWay.add(serving)
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION
  server.on('drop', () => refusals.note('too-many-connections'))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    blame(socket, refusalOf(error))
    if (socket.writable) socket.end(`HTTP/1.1 ${statusOf(error)}\r\nConnection: close\r\n\r\n`)
    else socket.destroy()
  })

  function blame(socket: Duplex, refusal: Refusal): void {
    if (blamed.has(socket)) return
    blamed.add(socket)
    refusals.note(refusal)
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Taken at once: a request that is cut off lets go of its socket.
    const { socket } = request
    let answer: CallbackAnswer | 'hung-up'
    try {
      answer = await answerTo(request)
    } catch (error) {
      if (!isHangUp(error)) throw error
      answer = 'hung-up'
    }
    // A stop is our own doing.
    if (answer === 'hung-up') return isStopping ? undefined : blame(socket, 'hung-up')
    const { status, body = '' } = answer
    // What was not read is not waited for either.
    const isOver = isStopping || !request.complete
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      ...(isOver && { connection: 'close' }),
    })
    response.end(body)
    // Who does not wait for the answer sends the message again, and is told then.
    await finished(response).catch(() => {})
  }

  async function answerTo(request: IncomingMessage): Promise<CallbackAnswer> {
    const { method = '', url = '' } = request
    const mark = url.indexOf('?')
    const [path, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
    if (!paths.includes(path) || (method !== 'GET' && method !== 'POST')) {
      refusals.note('wrong-address')
      return { status: paths.includes(path) ? 405 : 404 }
    }
    if (isStopping) return { status: 503 }
    if (method === 'GET') return receiver.verify(query)
    const body = await readBody(request)
    if (body === undefined) {
      refusals.note('too-large')
      return { status: 413 }
    }
    // From here on it would be committed, and what commits may be closed.
    if (isStopping) return { status: 503 }
    return receiver.receive(query, body)
  }

  /** Undefined for one that is too long; its rest is not read. */
  async function readBody(request: IncomingMessage): Promise<string | undefined> {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined
    const { socket } = request
    reading.add(socket)
    try {
      const parts: Buffer[] = []
      let sizeBytes = 0
      for await (const part of request.iterator({ destroyOnReturn: false })) {
        sizeBytes += part.length
        if (sizeBytes > MAX_BODY_BYTES) return undefined
        parts.push(part)
      }
      return Buffer.concat(parts).toString('utf8')
    } finally {
      reading.delete(socket)
    }
  }

  return {
    async start() {
      const { place, shownAs } = deps
      await listenAt(server, place, shownAs)
      deps.emit({ kind: 'callback-listening', address: addressOf(server, shownAs) })
    },
    async stop() {
      isStopping = true
      if (!server.listening) return
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of reading) socket.destroy()
      await Promise.allSettled([...underWay])
      server.closeAllConnections()
      await closed
    },
  }
}

function refusalOf({ code }: NodeJS.ErrnoException): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'too-slow'
  if (code === 'HPE_HEADER_OVERFLOW') return 'too-large'
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'hung-up' : 'wrong-address'
}

function statusOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout'
  return code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
}

/** The other end went away, or was cut off. */
const isHangUp = (error: unknown): boolean =>
  ['ECONNRESET', 'EPIPE', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )
