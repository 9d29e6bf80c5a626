// Answers for turning what the service means into what goes over the wire: status, headers, body.
import type { Readable } from 'node:stream'
import { composeErrmsg, errcodeText } from './errcodes.ts'

/** What a call is answered with, before it has a form. */
export type Reply =
  | { readonly kind: 'success'; readonly fields: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'refusal'
      readonly errcode: number
      /** Replaces the live form as a whole. */
      readonly errmsg?: string | undefined
      /** Answered at once, without reading the request's body first. */
      readonly unread?: true
    }
  | MediumReply
  /** Something between us and the service answers in its stead. */
  | { readonly kind: 'gateway-page'; readonly status: number }
  /** A status and nothing else. */
  | { readonly kind: 'bare'; readonly status: number; readonly headers?: Headers }

interface MediumReply {
  readonly kind: 'medium'
  readonly status: 200 | 206
  readonly headers: Headers
  readonly body: Readable
  readonly sizeBytes: number
}

type Headers = Readonly<Record<string, string>>

/** An answer ready to be sent. */
export interface Wire {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer | Readable
  readonly sizeBytes: number
  /** What the log of calls notes; undefined where the answer has none. */
  readonly errcode: number | undefined
}

interface Circumstances {
  readonly nowMs: number
  readonly callerIp: string
  readonly errorHeaders: boolean
}

const JSON_TYPE = 'application/json; charset=UTF-8'

export function renderReply(reply: Reply, circumstances: Circumstances): Wire {
  switch (reply.kind) {
    case 'success':
      return renderJson({ errcode: 0, errmsg: 'ok', ...reply.fields }, 'ok', circumstances)
    case 'refusal': {
      const text = reply.errmsg ?? errcodeText(reply.errcode)
      const refusal = { errcode: reply.errcode, errmsg: text }
      const { nowMs, callerIp } = circumstances
      const errmsg = reply.errmsg ?? composeErrmsg(refusal, nowMs, callerIp)
      return renderJson({ errcode: reply.errcode, errmsg }, text, circumstances)
    }
    case 'medium': {
      const { status, body, sizeBytes } = reply
      const headers = { ...reply.headers, ...errorHeaders(0, 'ok', circumstances) }
      return { status, headers, body, sizeBytes, errcode: 0 }
    }
    case 'gateway-page':
      return renderPage(reply.status)
    case 'bare':
      return {
        status: reply.status,
        headers: reply.headers ?? {},
        body: Buffer.alloc(0),
        sizeBytes: 0,
        errcode: undefined,
      }
  }
}

function renderJson(
  fields: { errcode: number } & Record<string, unknown>,
  headerText: string,
  circumstances: Circumstances,
): Wire {
  const body = Buffer.from(JSON.stringify(fields))
  const headers = {
    'Content-Type': JSON_TYPE,
    ...errorHeaders(fields.errcode, headerText, circumstances),
  }
  return { status: 200, headers, body, sizeBytes: body.length, errcode: fields.errcode }
}

function errorHeaders(errcode: number, text: string, circumstances: Circumstances): Headers {
  if (!circumstances.errorHeaders) return {}
  return { 'Error-Code': String(errcode), 'Error-Msg': text.replace(/[^\x20-\x7e]/g, '?') }
}

function renderPage(status: number): Wire {
  const title = `${status} ${PAGE_TITLES[status] ?? 'Error'}`
  const body = Buffer.from(
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n` +
      '<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
  )
  const headers = { 'Content-Type': 'text/html', Server: 'nginx' }
  return { status, headers, body, sizeBytes: body.length, errcode: undefined }
}

const PAGE_TITLES: Readonly<Record<number, string>> = {
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
}
