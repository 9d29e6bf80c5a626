// A small server on loopback that does exactly what a test says, for answers that no well-behaved simulator gives.
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo, Server, Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Received {
  readonly method: string
  readonly url: URL
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

type Reply = (received: Received, response: http.ServerResponse) => void

/** Listens on a free port until the test is over; every connection is cut then. */
export async function listen<S extends Server>(server: S): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

/** A server that reads each request whole and answers as told; `received` collects the requests. */
export async function createLoopback(reply: Reply) {
  const received: Received[] = []
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const url = new URL(request.url ?? '', 'http://loopback')
    const { method = '', headers } = request
    const entry = { method, url, headers, body: Buffer.concat(chunks) }
    received.push(entry)
    reply(entry, response)
  })
  const port = await listen(server)
  return { baseUrl: `http://127.0.0.1:${port}`, received, server }
}

/** Answers as WeCom does: HTTP 200 and JSON. */
export function replyJson(response: http.ServerResponse, json: unknown, headers = {}) {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=UTF-8', ...headers })
  response.end(JSON.stringify(json))
}
