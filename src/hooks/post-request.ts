// Answers for telling by a POST: the body as JSON, signed or with a token where the configuration says so. It is told when the answer
// is a success. The address may hold a key: of it only scheme, host and port are ever repeated.
import { createHmac } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { chooseProxy, type ProxySettings } from '../support/proxy.ts'
import type { Refusal, Tell } from './hook.ts'

/** Read to be polite; of a longer answer the connection is given up. */
const MOST_ANSWER_BYTES = 64 * 1024

export interface PostOptions {
  readonly url: URL
  /** Sent as `Authorization: Bearer …`. */
  readonly token: string | undefined
  /** The body is signed with it. */
  readonly secret: string | undefined
  /** For the usual variables that name proxies; the one of `wecom.proxy` is WeCom's alone. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Throws a `ConfigError` when the proxy that the environment names cannot be used. */
export function createPost({ url, token, secret, env }: PostOptions): Tell {
  const isSecure = url.protocol === 'https:'
  const proxyEnv = chooseProxy({ configured: undefined, environment: env, baseUrl: url.href })
  const proxied = proxyEnv ? { proxyEnv: { ...proxyEnv } } : {}
  const place = describePlace(url, proxyEnv)
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
      outgoing.once('error', (error: NodeJS.ErrnoException) => resolve(noAnswer(place, error)))
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
        answer.once('close', () => resolve(isTaken ? undefined : noSuccess(place, status)))
      })
      outgoing.end(body)
    })
}

/** As receivers of webhooks know it: the HMAC of the bytes of the body, in hex. */
const sign = (body: Buffer, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

/** With the proxy in between, unless `NO_PROXY` may have said that there is none. */
function describePlace({ origin }: URL, proxy: ProxySettings | undefined): string {
  const address = proxy?.NO_PROXY === undefined && (proxy?.HTTPS_PROXY ?? proxy?.HTTP_PROXY)
  return address ? `${origin} (through the proxy ${new URL(address).host})` : origin
}

function noAnswer(place: string, { code = 'it is not HTTP' }: NodeJS.ErrnoException): Refusal {
  const hint = hintForCode(code)
  return { because: `no answer from ${place}: ${code}`, ...(hint && { hint }) }
}

function hintForCode(code: string): string | undefined {
  if (code.startsWith('ERR_PROXY')) return PROXY_HINT
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'Check the host of `post`, and DNS; or name a proxy in HTTPS_PROXY.'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return "Check this host's clock, and the certificate of the receiver."
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'Its certificate is for another name: write that one into `post`.'
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return AUTHORITY_HINT
  if (/EPROTO|ERR_SSL/.test(code))
    return 'Perhaps it speaks plain http: see what `post` should say.'
  return undefined
}

function noSuccess(place: string, status: number): Refusal {
  const hint = hintForStatus(status)
  return { because: `${place} answered ${status}`, ...(hint && { hint }) }
}

function hintForStatus(status: number): string | undefined {
  if (status >= 300 && status < 400)
    return 'Redirects are not followed: write the address into `post` that it leads to.'
  return status === 407 ? PROXY_HINT : undefined
}

const PROXY_HINT =
  'Check the proxy, and the password in it, that HTTPS_PROXY or its relatives name where the daemon is started.'
const AUTHORITY_HINT =
  'Name the file of the authority that signed its certificate in NODE_EXTRA_CA_CERTS where the daemon is started (under systemd: `Environment=NODE_EXTRA_CA_CERTS=/etc/…/ca.pem` in a drop-in), and restart it.'
