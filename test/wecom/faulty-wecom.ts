// A gateway in front of the simulator, through which a whole client calls, and which breaks one of the calls in whatever way it is told to.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import http from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import type { MediaId } from '../../src/media/media.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import type { Download, UploadReceipt } from '../../src/wecom/wecom.ts'
import { createWecomStack } from '../../src/wecom-stack.ts'
import { createFakeClock, type FakeClock } from '../helpers/fake-clock.ts'
import { aMedium } from '../helpers/memory-wecom.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { patient } from './client.ts'
import { listen } from './loopback.ts'

/** What a call is for. */
export type Purpose = 'token' | 'upload' | 'download'

interface Struck {
  readonly request: http.IncomingMessage
  readonly response: http.ServerResponse
  readonly socket: Socket
  /** Lets the call through to the service; resolves with the whole answer. */
  perform(): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }>
}

/** What becomes of a call in place of its answer. */
export type Break = (struck: Struck) => void | Promise<void>

const PATHS: Readonly<Record<Purpose, string>> = {
  token: '/cgi-bin/gettoken',
  upload: '/cgi-bin/media/upload',
  download: '/cgi-bin/media/get',
}
const CONTENT = Buffer.from('the bytes of a medium, more than a few of them')
const RANDOM = 0.5

export type FaultyWecom = Awaited<ReturnType<typeof createFaultyWecom>>

/** A service in good health, with a client for it. */
export async function createFaultyWecom() {
  const service = await withSimulator()
  const { clock, controls } = service
  const gate = await createGate(service.baseUrl)
  const lineClock = createFakeClock()
  const folder = await createTempFolder('stack')

  return {
    clock,
    lineClock,
    gate,
    /** A client that has called nobody yet. */
    async createClient() {
      const events: MirrorEvent[] = []
      const closers: (() => Promise<void> | void)[] = []
      const text = JSON.stringify({
        wecom: { corpId: 'ww-test', secret: 'secret', baseUrl: gate.baseUrl },
        folder: { path: join(folder, 'media') },
        state: join(folder, 'state'),
      })
      const { wecom, circuit } = await createWecomStack(
        parseConfig({ text, file: join(folder, 'config.yaml'), shownAs: 'it' }, {}),
        {
          env: {},
          clock,
          lineClock,
          random: () => RANDOM,
          emit: (event) => void events.push(event),
          onBug: (error) => {
            throw error
          },
        },
        closers,
      )
      const mediaId = (await controls.addMedia({
        kind: 'file',
        wireName: 'medium.txt',
        content: CONTENT,
      })) as MediaId
      const acts: Record<Purpose, () => Promise<Buffer | UploadReceipt>> = {
        token: () => wecom.upload(aMedium(), patient),
        upload: () => wecom.upload(aMedium(), patient),
        download: async () => readAll(await wecom.download({ mediaId }, patient)),
      }
      return {
        circuit,
        events,
        act: (purpose: Purpose) => acts[purpose](),
        async close() {
          for (const close of closers.reverse()) await close()
        },
      }
    },
  }
}

const readAll = async ({ body }: Download): Promise<Buffer> => Buffer.concat(await body.toArray())

async function createGate(serviceUrl: string) {
  /** Calls that were struck, and are not over. */
  let struckNow = 0
  let breaking: { purpose: Purpose; how: Break; times: number } | undefined
  const server = http.createServer((request, response) => {
    const purpose = purposeOf(request.url)
    const perform = () => passOn(serviceUrl, request)
    const struck = breaking && breaking.purpose === purpose && breaking.times > 0 ? breaking : null
    if (struck) {
      struck.times--
      struckNow++
      response.once('close', () => struckNow--)
    }
    const { how } = struck ?? { how: passBack }
    Promise.resolve(how({ request, response, socket: request.socket, perform })).catch(() =>
      request.socket.destroy(),
    )
  })
  const port = await listen(server)
  const host = `127.0.0.1:${port}`
  return {
    baseUrl: `http://${host}`,
    calls: countCalls(host),
    /** Breaks so many of these calls from now on. */
    breakCalls: (purpose: Purpose, how: Break, times: number) =>
      void (breaking = { purpose, how, times }),
    isStriking: () => struckNow > 0,
    mend: () => void (breaking = undefined),
    /** Nobody listens any more, until `open`. */
    async shut() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    async open() {
      if (server.listening) return
      await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', () => resolve()))
    },
  }
}

/** Counts what leaves the client, also what reaches nobody. */
function countCalls(host: string): Readonly<Record<Purpose, number>> {
  const calls: Record<Purpose, number> = { token: 0, upload: 0, download: 0 }
  const count = (message: unknown) => {
    const { request } = message as { request: http.ClientRequest }
    const purpose = purposeOf(request.path)
    if (purpose && request.getHeader('host') === host) calls[purpose]++
  }
  subscribe('http.client.request.created', count)
  onTestFinished(() => void unsubscribe('http.client.request.created', count))
  return calls
}

function purposeOf(url: string | undefined): Purpose | undefined {
  const [path] = (url ?? '').split('?')
  return (Object.keys(PATHS) as Purpose[]).find((purpose) => PATHS[purpose] === path)
}

async function passOn(serviceUrl: string, request: http.IncomingMessage) {
  const { method } = request
  const headers = { ...request.headers, host: new URL(serviceUrl).host }
  const passed = http.request(`${serviceUrl}${request.url}`, { method, headers, agent: false })
  request.pipe(passed)
  const head = await new Promise<http.IncomingMessage>((resolve, reject) => {
    passed.once('response', resolve).once('error', reject)
  })
  // The body is whole now, and has a length.
  const { 'transfer-encoding': _, ...kept } = head.headers
  const body = Buffer.concat(await head.toArray())
  return { status: head.statusCode ?? 0, headers: kept, body }
}

const passBack: Break = async ({ response, perform }) => {
  const { status, headers, body } = await perform()
  response.writeHead(status, headers).end(body)
}

/** Lets time pass until it is settled: that of the decisions, and `alsoPass` whatever else. */
export async function settle<Value>(
  promise: Promise<Value>,
  clock: FakeClock,
  alsoPass: () => Promise<void>,
): Promise<{ value: Value } | { error: unknown }> {
  let outcome: { value: Value } | { error: unknown } | undefined
  promise.then(
    (value) => (outcome = { value }),
    (error: unknown) => (outcome = { error }),
  )
  while (outcome === undefined) {
    await clock.advance(STEP_MS)
    await alsoPass()
  }
  return outcome
}

/** Short beside every wait of the client, so that none is taken for another. */
const STEP_MS = 100
