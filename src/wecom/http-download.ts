// Answers for one `media/get` (path/96486) or, for a voice in high definition, `media/get/jssdk` (path/90391): telling a medium from
// an error in disguise, its name and its length. The token is given; nothing is held in memory but what may be an error.
import type { Readable } from 'node:stream'
import {
  type Call,
  createRefusal,
  findRefusal,
  isStatus,
  noteDate,
  parseJson,
  readBounded,
} from './answer.ts'
import { isAskedRange, parseContentRange } from './content-range.ts'
import { parseAnnouncedName } from './disposition.ts'
import type { Answer, HttpExchange } from './http-exchange.ts'
import { ofLength, peek } from './peek.ts'
import type { ServiceClock } from './service-clock.ts'
import { createForeignAnswerError } from './unreachable.ts'
import type { Download, DownloadRequest } from './wecom.ts'

/** Errors are a few hundred bytes long; what is longer than this is a medium. */
const MAX_ERROR_BYTES = 8 * 1024

/** One attempt to download. */
export async function downloadOnce(
  deps: { readonly exchange: HttpExchange; readonly serviceClock: ServiceClock },
  asked: DownloadRequest & { readonly token: string },
  signal: AbortSignal,
): Promise<Download> {
  const what = `download \`${asked.mediaId}\``
  const call: Call = { what, secrets: [asked.token, ...deps.exchange.secrets] }
  const sawDate = deps.serviceClock.startSample()
  const answer = await deps.exchange.send(
    {
      method: 'GET',
      path: asked.isHd ? '/cgi-bin/media/get/jssdk' : '/cgi-bin/media/get',
      query: { access_token: asked.token, media_id: asked.mediaId },
      ...(asked.range && { headers: { Range: renderRange(asked.range) } }),
    },
    signal,
  )
  try {
    const body = await noteDate(answer, sawDate, openMedium(answer, call))
    return describe(answer, body, asked)
  } catch (error) {
    answer.body.destroy()
    throw error
  }
}

const renderRange = (range: { firstByte: number; lastByte: number }) =>
  `bytes=${range.firstByte}-${range.lastByte}`

/**
 * The medium's bytes, or the error that came in their place: with HTTP 200, and as JSON, which a medium may be too. So
 * the order of the tests matters: the service's own header, then a name (errors have none), then a look inside.
 */
async function openMedium(answer: Answer, call: Call): Promise<Readable> {
  const { headers, status } = answer
  const errcode = Number(headers['error-code'] ?? 0)
  if (errcode) throw await readRefusal(answer, errcode, call)
  const isMediumStatus = status === 200 || status === 206
  if (isMediumStatus && headers['content-disposition'] !== undefined) return answer.body

  const looksLikeJson = isType(answer, 'application/json') || !isMediumStatus
  const { bytes, isWhole, body } = await peek(answer.body, looksLikeJson ? MAX_ERROR_BYTES : 0)
  const json = looksLikeJson && isWhole ? parseJson(bytes) : undefined
  const refusal = findRefusal(json, call)
  if (refusal) throw refusal
  if (!isMediumStatus) throw createForeign(answer, 'not a medium')
  if (looksLikeJson && isWhole && beginsAsAnswer(bytes) && !isStatus(json))
    throw createForeign(answer, 'a refusal that makes no sense')
  if (bytes.length === 0) throw createForeign(answer, 'an empty body')
  if (isType(answer, 'text/html')) throw createForeign(answer, 'a page and not a medium')
  return body
}

async function readRefusal(answer: Answer, errcode: number, call: Call) {
  const inBody = findRefusal(parseJson(await readBounded(answer, call)), call)
  return inBody ?? createRefusal(errcode, String(answer.headers['error-msg'] ?? ''), call)
}

/** As nothing but an answer begins. When it is none, it is half of one, or was garbled on the way: no medium in any case. */
const beginsAsAnswer = (bytes: Buffer): boolean =>
  /^\s*\{\s*"errcode"\s*:/.test(bytes.toString('latin1'))

const isType = (answer: Answer, type: string): boolean =>
  (answer.headers['content-type'] ?? '').trimStart().toLowerCase().startsWith(type)

function describe(answer: Answer, body: Readable, asked: DownloadRequest): Download {
  const { headers } = answer
  const announced = headers['content-length']
  const lengthBytes = announced === undefined ? undefined : Number(announced)
  const about = {
    announcedName: parseAnnouncedName(headers['content-disposition']),
    contentType: headers['content-type'],
  }
  if (headers['content-encoding'] && headers['content-encoding'] !== 'identity') {
    throw createForeign(answer, 'compressed on the way')
  }
  if (answer.status !== 206) {
    return { ...about, body, sizeBytes: lengthBytes, totalBytes: lengthBytes }
  }

  const got = parseContentRange(headers['content-range'])
  if (!got || !asked.range || !isAskedRange(got, asked.range)) {
    throw createForeign(answer, 'another range than was asked for')
  }
  const sizeBytes = got.lastByte - got.firstByte + 1
  if (lengthBytes !== undefined && lengthBytes !== sizeBytes) {
    throw createForeign(answer, 'a range of another length than it announces')
  }
  const createError = () => createForeign(answer, 'a range of another length than it announces')
  const checked = lengthBytes === undefined ? ofLength(body, sizeBytes, createError) : body
  return { ...about, body: checked, sizeBytes, totalBytes: got.totalBytes }
}

const createForeign = (answer: Answer, what: string) =>
  createForeignAnswerError(answer.target, { status: answer.status, what })
