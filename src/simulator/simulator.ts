// The built-in WeCom: a server like any other, on a real socket, that behaves as far as the real one's behaviour is known.
// Answers for joining its parts; knows nothing of our own client, so that the two cannot be wrong in the same way.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../support/clock.ts'
import { apiAt, type Call, type CallRow, callerIpOf, createCallLog } from './call.ts'
import { CONTROL_PREFIX, createControlRoutes } from './control-routes.ts'
import { createControls, type SimulatorControls } from './controls.ts'
import { createExchange } from './exchange.ts'
import { createFaultBook } from './faults.ts'
import { createMediaStore } from './media-store.ts'
import { parseSimulatorOptions, type SimulatorOptions } from './options.ts'
import { createPerform } from './perform.ts'
import { createRateGate } from './rate-gate.ts'
import { createTokens } from './tokens.ts'

export interface Simulator {
  /** Listens; on a free port of the loopback interface unless told otherwise. */
  start(where?: { port?: number; host?: string }): Promise<{ readonly baseUrl: string }>
  /** Ends every connection and waits for what was under way. May be started again: media are kept, tokens as well. */
  stop(): Promise<void>
  readonly controls: SimulatorControls
}

export interface SimulatorDeps extends SimulatorOptions {
  readonly clock: Clock
  /** Where media are kept; a simulator started on the same directory still knows their ids. */
  readonly directory: string
  /** Told of what broke in the simulator itself; without it, such an error ends the program. */
  readonly report?: (error: unknown) => void
}

const crash = (error: unknown) =>
  queueMicrotask(() => {
    throw error
  })

export function createSimulator({
  clock,
  directory,
  report = crash,
  ...options
}: SimulatorDeps): Simulator {
  let given: SimulatorOptions = options
  let current = parseSimulatorOptions(given)
  const settings = () => current

  const faults = createFaultBook()
  const log = createCallLog()
  const tokens = createTokens({ settings, clock })
  const store = createMediaStore({ directory, clock, lifetimeMs: () => current.mediaLifetimeMs })
  const controls = createControls({
    faults,
    tokens,
    store,
    log,
    clock,
    change(some) {
      const next = { ...given, ...some }
      current = parseSimulatorOptions(next)
      given = next
    },
  })
  const serveControl = createControlRoutes({ controls, faults })
  const { perform, corpOf } = createPerform({ clock, settings, tokens, store })
  const gate = createRateGate({ clock, limits: () => current.rate })
  const exchange = createExchange({ clock, settings, faults, gate, corpOf, perform })

  let server: Server | undefined
  let stopping = new AbortController()
  const underWay = new Set<Promise<void>>()

  /** Logs a call and sees it through; its row stays without an end if the caller hung up. */
  async function take(request: IncomingMessage, response: ServerResponse, url: URL) {
    const api = apiAt(url.pathname)
    const row: CallRow = log.add({
      api: api ?? 'unknown',
      method: request.method ?? '',
      atMs: clock.nowMs(),
      callerIp: callerIpOf(request),
      headers: request.headers,
      type: url.searchParams.get('type') ?? undefined,
      mediaId: url.searchParams.get('media_id') ?? undefined,
    })
    if (api === undefined) {
      row.status = 404
      response.writeHead(404, { 'Content-Length': 0 }).end()
      return
    }
    const hangUp = new AbortController()
    response.once('close', () => hangUp.abort())
    const signal = AbortSignal.any([hangUp.signal, stopping.signal])
    const { callerIp } = row
    const { socket } = request
    const call: Call = { api, request, socket, query: url.searchParams, callerIp, signal }
    await exchange(call, response, row)
    row.endedAtMs = clock.nowMs()
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    // Taken at once: a request that is destroyed half-read lets go of its socket.
    const { socket } = request
    try {
      const url = new URL(request.url ?? '/', 'http://simulator')
      const isControl = current.controls && url.pathname.startsWith(CONTROL_PREFIX)
      if (isControl) await serveControl(request, response, url.pathname)
      else await take(request, response, url)
    } catch (error) {
      if (isHangUp(error)) return
      socket.destroy()
      report(error)
    }
  }

  return {
    async start({ port = 0, host = '127.0.0.1' } = {}) {
      if (server) throw new Error('cannot start the simulator: it is running')
      await store.open()
      stopping = new AbortController()
      const starting = createServer((request, response) => {
        const serving = serve(request, response).finally(() => underWay.delete(serving))
        underWay.add(serving)
      })
      await new Promise<void>((resolve, reject) => {
        starting.once('error', reject).listen(port, host, resolve)
      })
      server = starting
      return { baseUrl: baseUrlOf(starting.address() as AddressInfo) }
    },
    async stop() {
      const closing = server
      if (!closing) return
      server = undefined
      stopping.abort()
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()))
      closing.closeAllConnections()
      await Promise.all([closed, ...underWay])
    },
    controls,
  }
}

const baseUrlOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`

/** The other end is gone, or we are stopping: nobody is left to answer. */
function isHangUp(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (error instanceof DOMException && error.name === 'AbortError') return true
  return ['ABORT_ERR', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(`${code}`)
}
