// Answers for one `media/upload` (path/96484): the request's bytes and the receipt. The token is given.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { parseMediaId } from '../media/media.ts'
import { type Call, noteDate, readAnswer, wireNumber } from './answer.ts'
import type { HttpExchange } from './http-exchange.ts'
import { createMultipartFrame } from './multipart.ts'
import { readExactly } from './read-exactly.ts'
import type { ServiceClock } from './service-clock.ts'
import { createForeignAnswerError } from './unreachable.ts'
import type { UploadReceipt, UploadRequest } from './wecom.ts'

const receiptSchema = z.object({
  media_id: z.string(),
  created_at: wireNumber.nullish(),
  /** As one capture has it. */
  create_at: wireNumber.nullish(),
})

/** One attempt to upload; reads the content anew at every call. */
export async function uploadOnce(
  deps: { readonly exchange: HttpExchange; readonly serviceClock: ServiceClock },
  asked: UploadRequest & { readonly token: string },
  signal: AbortSignal,
): Promise<UploadReceipt> {
  const call: Call = {
    what: `upload \`${asked.wireName}\``,
    secrets: [asked.token, ...deps.exchange.secrets],
    sendsFile: true,
  }
  const boundary = `----mirror${randomBytes(18).toString('hex')}`
  const frame = createMultipartFrame({ ...asked, boundary })
  const beganAtMs = deps.serviceClock.nowMs()
  const sawDate = deps.serviceClock.startSample()
  const answer = await deps.exchange.send(
    {
      method: 'POST',
      path: '/cgi-bin/media/upload',
      query: { access_token: asked.token, type: asked.kind },
      headers: { 'Content-Type': frame.contentType },
      body: {
        sizeBytes: frame.totalBytes,
        async *chunks(stop) {
          yield frame.head
          yield* readExactly(asked, stop)
          yield frame.tail
        },
      },
    },
    signal,
  )
  const reply = await noteDate(answer, sawDate, readAnswer(answer, receiptSchema, call))
  const mediaId = parseMediaId(reply.media_id)
  if (mediaId === undefined) {
    const what = 'a media_id that cannot be one'
    throw createForeignAnswerError(answer.target, { status: answer.status, what })
  }
  return { mediaId, createdAtMs: earliest(reply.created_at ?? reply.create_at, beganAtMs) }
}

/**
 * Never later than the moment before the upload began, on the service's clock, so that a life is never overestimated.
 * Without a sensible statement that moment is all there is.
 */
const earliest = (createdAtSeconds: number | null | undefined, beganAtMs: number): number =>
  createdAtSeconds && createdAtSeconds > 0
    ? Math.min(createdAtSeconds * 1000, beganAtMs)
    : beganAtMs
