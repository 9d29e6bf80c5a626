// A program of somebody else's that hooks post to: a real server on a free port of this machine, which answers as a test says.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What a hook is told; see the README. */
export interface Told {
  readonly id: string
  readonly attempt: number
  readonly hook: string
  readonly event: string
  readonly path: string | null
  readonly media_id: string | null
  readonly old_media_id: string | null
  readonly reference: { readonly media_id: string } | null
  readonly [field: string]: unknown
}

export interface Receiver {
  readonly origin: string
  readonly told: readonly Told[]
  readonly headers: readonly IncomingHttpHeaders[]
  /** From now on it answers with this status; with 0 not at all. */
  answer(status: number): void
  /** Nobody listens any more. */
  stop(): Promise<void>
}

/** `port` is that of one that was stopped before. */
export async function createReceiver(port = 0): Promise<Receiver> {
  const told: Told[] = []
  const headers: IncomingHttpHeaders[] = []
  let status = 200
  const server = createServer(async (request, response) => {
    // Who was killed in mid-sentence has told nothing.
    const heard = await request.toArray().catch(() => undefined)
    if (!heard) return
    told.push(JSON.parse(String(Buffer.concat(heard))))
    headers.push(request.headers)
    if (status !== 0) response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  onTestFinished(stop)
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    told,
    headers,
    answer: (wanted) => void (status = wanted),
    stop,
  }
}
