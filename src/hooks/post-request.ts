// Answers for telling by a POST: the body as JSON, signed or with a token where the configuration says so. It is told when the answer
// is a success. The address may hold a key: of it only scheme, host and port are ever repeated.
import { createHmac } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import type { Tell } from './hook.ts'

/** Read to be polite; of a longer answer the connection is given up. */
const MOST_ANSWER_BYTES = 64 * 1024

export interface PostOptions {
  readonly url: URL
  /** Sent as `Authorization: Bearer …`. */
  readonly token: string | undefined
  /** The body is signed with it. */
  readonly secret: string | undefined
  /** For the usual variables that name proxies; loopback needs none. */
  readonly env: Readonly<Record<string, string | undefined>>
}

export function createPost({ url, token, secret, env }: PostOptions): Tell {
  const isSecure = url.protocol === 'https:'
  const proxied = isLoopback(url.hostname) ? {} : { proxyEnv: env }
  const agent = isSecure ? new https.Agent(proxied) : new http.Agent(proxied)
  const { request } = isSecure ? https : http

  return (body, signal) =>
    new Promise((resolve) => {
      const headers = {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': body.length,
        'User-Agent': 'wecom-media-mirror',
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(secret === undefined ? {} : { 'X-Signature-256': sign(body, secret) }),
      }
      const outgoing = request(url, { method: 'POST', agent, headers, signal })
      outgoing.once('error', (error: NodeJS.ErrnoException) =>
        resolve({ because: `no answer from ${url.origin}: ${error.code ?? 'it is not HTTP'}` }),
      )
      outgoing.once('response', (answer) => {
        const status = answer.statusCode ?? 0
        const isTaken = status >= 200 && status < 300
        let readBytes = 0
        answer.on('data', (bytes: Buffer) => {
          readBytes += bytes.length
          if (readBytes > MOST_ANSWER_BYTES) answer.destroy()
        })
        // Its head is the answer, whatever becomes of the rest.
        answer.on('error', () => {})
        answer.once('close', () =>
          resolve(isTaken ? undefined : { because: `${url.origin} answered ${status}` }),
        )
      })
      outgoing.end(body)
    })
}

/** As receivers of webhooks know it: the HMAC of the bytes of the body, in hex. */
const sign = (body: Buffer, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
