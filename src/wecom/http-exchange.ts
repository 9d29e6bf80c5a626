// Answers for one HTTP request and the head of its answer: connection, proxy, time limits, the length of the body. Knows
// nothing of errcodes or media. Whatever goes wrong here is `WecomUnreachable`, unless it is our own file.
import http from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import type { Clock } from '../support/clock.ts'
import { chooseProxy, type Environment } from '../support/proxy.ts'
import { receiveBody } from './http-receive.ts'
import { type RequestBody, sendBody } from './http-send.ts'
import { createGivenUpError, createNetworkError, type Target } from './unreachable.ts'
import { createWatchdog, DEFAULT_EXCHANGE_LIMITS, type ExchangeLimits } from './watchdog.ts'

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST'
  /** Below the base URL, with a slash in front. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Fails with `WecomUnreachable` when it ends before its announced length. Read it to its end or destroy it. */
  readonly body: Readable
  readonly target: Target
}

export interface HttpExchange {
  readonly target: Target
  /** What goes along with every request and must never be repeated: the proxy's password, as it stands and as it travels. */
  readonly secrets: readonly string[]
  /** Resolves with the head of the answer, whatever its status; redirects are answers like any other. */
  send(request: ExchangeRequest, signal: AbortSignal): Promise<Answer>
  /** Ends what is under way and gives the connections back. */
  close(): void
}

/** Why a body is not sent on. */
const ANSWERED = new Error('the answer has come')

/** Granted to an answer that does not say how long it is; the service sends at most this much at once. */
const UNANNOUNCED_BYTES = 20 * 2 ** 20

/** Connections to one base URL. Their number is bounded by the number of transfers, so the agent sets no limit of its own. */
export function createHttpExchange(deps: {
  readonly baseUrl: string
  readonly clock: Pick<Clock, 'after'>
  readonly proxy?: string | undefined
  readonly environment: Environment
  readonly limits?: ExchangeLimits
  /** Authorities to trust in place of the usual ones. */
  readonly ca?: string | undefined
}): HttpExchange {
  const base = new URL(deps.baseUrl)
  const proxyEnv = chooseProxy({
    configured: deps.proxy,
    environment: deps.environment,
    baseUrl: deps.baseUrl,
  })
  const isSecure = base.protocol === 'https:'
  const options = { keepAlive: true, ...(proxyEnv && { proxyEnv: { ...proxyEnv } }) }
  const agent = isSecure
    ? new https.Agent({ ...options, ...(deps.ca && { ca: deps.ca }) })
    : new http.Agent(options)
  const { request } = isSecure ? https : http
  const proxy = proxyEnv?.HTTPS_PROXY ?? proxyEnv?.HTTP_PROXY
  const target: Target = {
    host: base.host,
    proxyHost: proxy === undefined ? undefined : new URL(proxy).host,
  }
  const underWay = new Set<(error: Error) => void>()
  let isClosed = false

  const open = (asked: ExchangeRequest) =>
    request(buildUrl(base, asked), {
      method: asked.method,
      agent,
      headers: {
        'Accept-Encoding': 'identity',
        ...asked.headers,
        ...(asked.body && { 'Content-Length': asked.body.sizeBytes }),
      },
    })

  return Object.freeze({
    target,
    secrets: proxy === undefined ? [] : proxySecrets(new URL(proxy)),
    async send(asked: ExchangeRequest, signal: AbortSignal) {
      signal.throwIfAborted()
      if (isClosed) throw createGivenUpError(target, 'the program is stopping')
      const limits = deps.limits ?? DEFAULT_EXCHANGE_LIMITS
      return await exchange({ open, target, underWay, clock: deps.clock, limits }, asked, signal)
    },
    close() {
      isClosed = true
      for (const giveUp of underWay) giveUp(createGivenUpError(target, 'the program is stopping'))
      agent.destroy()
    },
  } satisfies HttpExchange)
}

function proxySecrets({ username, password }: URL): string[] {
  if (password === '') return []
  const [name, word] = [decoded(username), decoded(password)]
  return [Buffer.from(`${name}:${word}`).toString('base64'), password, word]
}

/** What is not percent-encoded as it should be stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function buildUrl(base: URL, { path, query }: ExchangeRequest): URL {
  const url = new URL(base)
  url.pathname = url.pathname.replace(/\/$/, '') + path
  url.search = new URLSearchParams(query).toString()
  return url
}

interface Wiring {
  readonly open: (asked: ExchangeRequest) => http.ClientRequest
  readonly target: Target
  readonly underWay: Set<(error: Error) => void>
  readonly clock: Pick<Clock, 'after'>
  readonly limits: ExchangeLimits
}

function exchange(wiring: Wiring, asked: ExchangeRequest, signal: AbortSignal): Promise<Answer> {
  const { target } = wiring
  return new Promise((resolve, reject) => {
    const outgoing = wiring.open(asked)
    let body: Readable | undefined
    let isContentAwaited = false
    const giveUp = (error: Error) => {
      body?.destroy(error)
      outgoing.destroy()
      reject(error)
    }
    const onAbort = () => giveUp(signal.reason)
    const watchdog = createWatchdog({
      clock: wiring.clock,
      limits: wiring.limits,
      // Bytes that came and were not taken, or all sent and no more at hand: a slow disk or reader, a limit on the bandwidth.
      isWaitingForUs: () =>
        body ? body.readableLength > 0 : isContentAwaited && outgoing.writableLength === 0,
      onStall: (what) => giveUp(createGivenUpError(target, what)),
    })

    // Answered before all was sent (a 413, say): what is left of the body is not sent, and the answer counts.
    const answered = new AbortController()
    // One reason for all: left to itself, each abort would record a stack.
    signal.addEventListener('abort', onAbort, { once: true })
    wiring.underWay.add(giveUp)
    watchdog.expect(asked.body?.sizeBytes ?? 0)

    outgoing.on('close', () => {
      answered.abort(ANSWERED)
      watchdog.stop()
      signal.removeEventListener('abort', onAbort)
      wiring.underWay.delete(giveUp)
    })
    // After the answer's head this only says that the rest of our body was not wanted, or what the answer's body says too.
    outgoing.on('error', (error) => reject(createNetworkError(target, error)))
    outgoing.on('response', (incoming) => {
      watchdog.moved()
      watchdog.expect(Number(incoming.headers['content-length'] ?? UNANNOUNCED_BYTES))
      body = receiveBody(incoming, {
        onMoved: watchdog.moved,
        toError: (error) => createNetworkError(target, error),
      })
      answered.abort(ANSWERED)
      // Half a request lies on that connection; nobody would ever give it back.
      incoming.on('end', () => void (outgoing.writableEnded || outgoing.destroy()))
      const status = incoming.statusCode ?? 0
      resolve({ status, headers: incoming.headers, body, target })
    })

    sendBody(outgoing, asked.body, {
      stop: answered.signal,
      onMoved: watchdog.moved,
      onContent: (isAwaited) => void (isContentAwaited = isAwaited),
    }).catch(giveUp)
  })
}
