// How the simulator's own tests speak to it: plain node:http and hand-made bodies, none of our client's code.
import { type IncomingHttpHeaders, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The body as JSON, with the few fields that any answer may have. */
  json(): Reply
}

interface Reply {
  errcode: number
  errmsg: string
  access_token: string
  expires_in: number
  media_id: string
  created_at: unknown
  type: string
}

interface Send {
  method?: string
  headers?: Record<string, string | number>
  body?: Buffer | string
  localAddress?: string
}

/** One request on a connection of its own; rejects when the connection breaks, also in the middle of the answer. */
export function send(url: string, { method = 'GET', headers = {}, body, localAddress }: Send = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const options = { method, headers, agent: false, ...(localAddress ? { localAddress } : {}) }
    const outgoing = request(url, options, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => void chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const whole = Buffer.concat(chunks)
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: whole,
          json: () => JSON.parse(whole.toString('utf8')) as Reply,
        })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export async function fetchToken(baseUrl: string, corpId = 'ww1', secret = 's'): Promise<string> {
  const answer = await send(`${baseUrl}/cgi-bin/gettoken?corpid=${corpId}&corpsecret=${secret}`)
  const { access_token, errmsg } = answer.json()
  if (!access_token) throw new Error(`no token: ${errmsg}`)
  return access_token
}

export const BOUNDARY = 'a-boundary'

/** A body with one part, as the documentation shows it; `disposition` replaces that header whole. */
export function multipart(
  content: Buffer,
  { name = 'media', filename = 'a.bin', fileLength = content.length, disposition = '' } = {},
): Buffer {
  const header =
    disposition || `form-data; name="${name}";filename="${filename}"; filelength=${fileLength}`
  return Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: ${header}\r\n`),
    Buffer.from('Content-Type: application/octet-stream\r\n\r\n'),
    content,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ])
}

export const MULTIPART_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

interface Upload {
  token: string
  type?: string
  content?: Buffer
  filename?: string
  body?: Buffer
  contentType?: string
}

export function upload(baseUrl: string, wish: Upload): Promise<Answer> {
  const { token, type = 'file', content = Buffer.from('some text'), filename = 'a.txt' } = wish
  const { body = multipart(content, { filename }), contentType = MULTIPART_TYPE } = wish
  return send(`${baseUrl}/cgi-bin/media/upload?access_token=${token}&type=${type}`, {
    method: 'POST',
    headers: { 'Content-Type': contentType, 'Content-Length': body.length },
    body,
  })
}

export const download = (
  baseUrl: string,
  { token, mediaId, range }: { token: string; mediaId: string; range?: string },
): Promise<Answer> =>
  send(`${baseUrl}/cgi-bin/media/get?access_token=${token}&media_id=${mediaId}`, {
    headers: range === undefined ? {} : { Range: range },
  })
