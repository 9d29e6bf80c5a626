// What stands between the program and WeCom and likes to repeat what it was sent: addresses with the secret and the token in them, and the
// proxy's password. Passes calls on, or meets each with the next of the troubles that are left for its kind.
import http from 'node:http'
import { listen, replyJson } from '../wecom/loopback.ts'

interface Call {
  /** The whole address, and what is in it, in every form. */
  readonly echo: string
  readonly href: string
  readonly token: string | undefined
}

type Trouble = (call: Call, response: http.ServerResponse) => void

const inHeader = (text: string) => text.replace(/[^ -~]/g, '')

const TROUBLES: Readonly<Record<string, Trouble>> = {
  page: ({ echo }, response) => response.writeHead(502, inHeader(echo)).end(echo),
  'page with 200': ({ echo }, response) =>
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<html>${echo}</html>`),
  redirect: ({ href }, response) => response.writeHead(302, { Location: href }).end(),
  'password wanted': ({ echo }, response) =>
    response.writeHead(407, { 'Proxy-Authenticate': `Basic realm="${inHeader(echo)}"` }).end(echo),
  'half JSON': ({ echo }, response) => response.end(`{"errmsg":"${echo}`),
  gibberish: ({ href }, response) => response.socket?.end(`${href} what?\r\n\r\n`),
  'bad header': ({ href }, response) =>
    response.socket?.end(`HTTP/1.1 200 OK\r\n${href}\0: 1\r\n\r\n`),
  reset: (_, response) => response.socket?.resetAndDestroy(),
  'half a body': ({ echo }, response) => {
    response.writeHead(200, { 'Content-Length': 1e6 })
    response.write(echo, () => response.socket?.end())
  },
  'service busy': ({ echo }, response) => replyJson(response, { errcode: -1, errmsg: echo }),
  'unknown refusal': ({ echo }, response) => replyJson(response, { errcode: 99, errmsg: echo }),
  'error header': ({ echo }, response) =>
    response.writeHead(200, { 'Error-Code': 40035, 'Error-Msg': encodeURI(echo) }).end(),
  'dead token': ({ echo }, response) => replyJson(response, { errcode: 42001, errmsg: echo }),
  'wrong secret': ({ echo }, response) => replyJson(response, { errcode: 40001, errmsg: echo }),
}

export const TROUBLE_NAMES = Object.keys(TROUBLES)

/** A gateway to the service at `baseUrl`, reached as such or as an HTTP proxy. */
export async function createEchoingGateway(baseUrl: string) {
  const seen = { tokens: new Set<string>(), authorizations: new Set<string>() }
  const left = new Map<string, string[]>()
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', baseUrl)
    const authorization = request.headers['proxy-authorization']
    const token = url.searchParams.get('access_token') ?? undefined
    if (token) seen.tokens.add(token)
    if (authorization) seen.authorizations.add(authorization.replace('Basic ', ''))
    const api = url.pathname.split('/').at(-1) ?? ''
    const trouble = TROUBLES[left.get(api)?.shift() ?? '']
    response.on('error', () => {})
    if (!trouble) return void passOn(baseUrl, request, response)
    const values = [...url.searchParams.values(), authorization].join(' ')
    const call = {
      href: url.href,
      token,
      echo: `${url.href} ${decodeURIComponent(url.href)} ${values}`,
    }
    request.resume().on('end', () => trouble(call, response))
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    /** The next calls of this kind (`gettoken`, `upload`, `get`) meet these, one each. */
    befall: (api: string, troubles: readonly string[]) => void left.set(api, [...troubles]),
    leftFor: (api: string) => left.get(api)?.length ?? 0,
  }
}

function passOn(baseUrl: string, request: http.IncomingMessage, response: http.ServerResponse) {
  const { pathname, search } = new URL(request.url ?? '/', baseUrl)
  const { method, headers } = request
  const onward = http.request(`${baseUrl}${pathname}${search}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  request.pipe(onward)
}
