// Answers the call media/upload.
import type { IncomingMessage } from 'node:http'
import { MEDIA_KINDS, type MediaKind } from '../media/media.ts'
import { judgeMedium } from './acceptance.ts'
import type { Call } from './call.ts'
import type { Intake, MediaStore } from './media-store.ts'
import { parseBoundary, readMultipart } from './multipart-reader.ts'
import type { SimulatorSettings } from './options.ts'
import { type PartHead, parsePartHead } from './part-head.ts'
import type { Reply } from './reply.ts'

const refuse = (errcode: number): Reply => ({ kind: 'refusal', errcode })

const parseKind = (type: string | null): MediaKind | undefined =>
  MEDIA_KINDS.find((kind) => kind === type)

/** Checks what can be checked unread, receives the medium, and keeps it if it is acceptable. */
export async function answerUpload(
  call: Call,
  speaker: { corpId: string },
  deps: { store: MediaStore; settings: () => SimulatorSettings },
): Promise<Reply> {
  const settings = deps.settings()
  // The method is wrong; "a required parameter is missing" is what the service calls it.
  if (call.request.method !== 'POST') return refuse(40063)
  const kind = parseKind(call.query.get('type'))
  if (kind === undefined) return refuse(40005)
  const boundary = parseBoundary(call.request.headers['content-type'])
  if (boundary === undefined) return refuse(44001)

  const limits = settings.limits[kind]
  const intake = deps.store.receive(limits.maxBytes)
  const head = await receiveMedium(call.request, boundary, intake)
  const content = intake.content()
  const errcode = head ? judgeMedium({ kind, content, fileLength: head.fileLength }, limits) : 44001
  if (errcode !== undefined || head?.filename === undefined) {
    await intake.discard()
    return refuse(errcode ?? 44001)
  }
  const { filename: wireName, fileLength } = head
  const stored = await intake.commit({
    corpId: speaker.corpId,
    kind,
    wireName,
    ...(fileLength === undefined ? {} : { fileLength }),
  })
  const createdAt = Math.floor((stored.createdAtMs + settings.clockSkewMs) / 1000)
  return {
    kind: 'success',
    fields: {
      errmsg: '',
      type: kind,
      media_id: stored.mediaId,
      created_at: String(createdAt),
    },
  }
}

/** Feeds the part `media` to the intake; its head, or undefined when the body has no such part or is broken. */
async function receiveMedium(
  request: IncomingMessage,
  boundary: string,
  intake: Intake,
): Promise<PartHead | undefined> {
  let media: PartHead | undefined
  let isMedia = false
  let isWhole = false
  try {
    for await (const event of readMultipart(request, boundary)) {
      if (event.kind === 'part') {
        const head = parsePartHead(event.head)
        isMedia = media === undefined && head.name === 'media' && head.filename !== undefined
        if (isMedia) media = head
      } else if (event.kind === 'content' && isMedia) await intake.write(event.bytes)
      else if (event.kind === 'end') isWhole = true
    }
  } catch (error) {
    await intake.discard()
    throw error
  }
  return isWhole ? media : undefined
}
