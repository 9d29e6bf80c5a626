// Answers for the wire of the local interface: a Unix socket in the state directory, open to whoever may enter that directory.
// What is said over it is routes.ts's.
import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Desk } from './desk.ts'
import { answer, type Reply } from './routes.ts'
import { openSocketPath, type SocketPath } from './socket-path.ts'

/** Requests are a few paths; whoever sends more is mistaken. */
const MAX_BODY_BYTES = 2 ** 20

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
    const url = new URL(request.url ?? '/', 'http://daemon')
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableEnded) gone.abort(new Error('the caller went away'))
    })
    const body = await readJson(request)
    if (body === undefined) {
      sendJson(response, 400, {
        error: { code: 'BAD_REQUEST', message: 'the body is not JSON, or too long' },
      })
      return
    }
    const asked = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body,
      signal: gone.signal,
    }
    try {
      await send(response, await answer(deps.desk, asked))
    } catch (error) {
      if (!gone.signal.aborted) throw error
    }
  }

  return {
    async start() {
      socket = await openSocketPath(deps.stateDirectory)
      // Whoever held it is gone: the lock of the state directory is ours.
      await rm(socket.file, { force: true })
      const { path, file } = socket
      await new Promise<void>((resolve, reject) =>
        server.once('error', reject).listen(path, resolve),
      )
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

/** Null for no body; undefined for one that is no JSON or too long. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of request) {
    sizeBytes += part.length
    if (sizeBytes > MAX_BODY_BYTES) return undefined
    parts.push(part)
  }
  if (sizeBytes === 0) return null
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    return undefined
  }
}
