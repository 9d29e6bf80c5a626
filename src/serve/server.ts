// Answers for the wire of the local interface: a Unix socket in the state directory, open to the daemon's own user.
// What is said over it is routes.ts's.

import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { umask } from 'node:process'
import { foreseenAnswer } from './answers.ts'
import type { Desk, FailureAnswer } from './desk.ts'
import { answer, badRequest, type Reply } from './routes.ts'
import { openSocketPath, type SocketPath } from './socket-path.ts'

/** Requests are a few paths; whoever sends more is mistaken. */
const MAX_BODY_BYTES = 2 ** 20

/** Only there to complete a request's target: the socket has no other name. */
const ORIGIN = 'http://daemon'

export interface Server {
  start(): Promise<void>
  stop(): Promise<void>
}

export function createLocalServer(deps: {
  stateDirectory: string
  desk: Desk
  /** An answer that failed for a reason nobody foresaw. */
  onBug: (error: unknown) => void
}): Server {
  let socket: SocketPath | undefined
  const server = createServer((request, response) => {
    reply(request, response).catch((error: unknown) => {
      response.destroy()
      deps.onBug(error)
    })
  })

  async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableEnded) gone.abort(new Error('the caller went away'))
    })
    try {
      await send(response, await answerTo(request, gone.signal))
    } catch (error) {
      if (gone.signal.aborted) return
      const foreseen = foreseenAnswer(error)
      if (!foreseen) throw error
      sendFailure(response, foreseen)
    }
  }

  async function answerTo(request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
    const target = request.url ?? '/'
    const url = URL.parse(target, ORIGIN)
    if (url?.origin !== ORIGIN) return badRequest(`\`${target}\` is no path`)
    const { body, because } = await readJson(request)
    if (because !== undefined) return badRequest(because)
    const { pathname: path, searchParams: query } = url
    return answer(deps.desk, { method: request.method ?? 'GET', path, query, body, signal })
  }

  return {
    async start() {
      socket = await openSocketPath(deps.stateDirectory)
      // Whoever held it is gone: the lock of the state directory is ours.
      await rm(socket.file, { force: true })
      const { path, file } = socket
      await listenPrivately(server, path)
      await chmod(file, 0o600)
    },
    async stop() {
      if (!socket) return
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await rm(socket.file, { force: true })
      await socket.release()
    },
  }
}

/** The socket comes into being at once, and for nobody else: there is no moment in which another could connect. */
async function listenPrivately(server: HttpServer, path: string): Promise<void> {
  const listening = once(server, 'listening')
  const before = umask(0o177)
  server.listen(path)
  umask(before)
  await listening
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  if ('json' in reply) {
    sendJson(response, reply.status, reply.json)
    return
  }
  response.writeHead(reply.status, { 'content-type': 'application/x-ndjson' })
  // A caller that reads slowly misses progress, never the outcome: lines are dropped while the pipe is full.
  await reply.stream((value) => {
    const isProgress = typeof value === 'object' && value !== null && 'progress' in value
    if (!(isProgress && response.writableNeedDrain)) response.write(`${JSON.stringify(value)}\n`)
  })
  response.end()
}

function sendJson(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(json))
}

/** A stream has begun as a success: then the failure is its last line. */
function sendFailure(response: ServerResponse, error: FailureAnswer): void {
  if (response.headersSent) response.end(`${JSON.stringify({ error })}\n`)
  else sendJson(response, 503, { error })
}

/** The body, or why it is none. One that is too long is heard to its end all the same, so that its sender hears the answer. */
async function readJson(request: IncomingMessage): Promise<{ body?: unknown; because?: string }> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of request) {
    sizeBytes += part.length
    if (sizeBytes <= MAX_BODY_BYTES) parts.push(part)
  }
  if (sizeBytes > MAX_BODY_BYTES) return { because: `the body exceeds ${MAX_BODY_BYTES} bytes` }
  if (sizeBytes === 0) return {}
  try {
    return { body: JSON.parse(Buffer.concat(parts).toString('utf8')) }
  } catch {
    return { because: 'the body is not JSON' }
  }
}
