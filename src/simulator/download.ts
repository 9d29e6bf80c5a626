// Answers the calls media/get and media/get/jssdk.
import type { Call } from './call.ts'
import { contentTypeOf, renderDisposition } from './disposition.ts'
import type { StoredMedium } from './media-index.ts'
import type { MediaStore } from './media-store.ts'
import type { SimulatorSettings } from './options.ts'
import { parseRange, type Span } from './range.ts'
import type { Reply } from './reply.ts'

const refuse = (errcode: number): Reply => ({ kind: 'refusal', errcode })

/** Finds the medium, decides which of its bytes may go, and opens them. */
export async function answerDownload(
  call: Call,
  speaker: { corpId: string },
  deps: { store: MediaStore; settings: () => SimulatorSettings },
): Promise<Reply> {
  const mediaId = call.query.get('media_id')
  if (!mediaId) return refuse(41006)
  const medium = await deps.store.find(mediaId)
  // Unknown, expired, another corp's, of another id space: the service does not say which.
  const isForeign = medium?.corpId !== undefined && medium.corpId !== speaker.corpId
  if (medium === undefined || isForeign) return refuse(40007)
  const wantsSpeech = call.api === 'get-jssdk'
  if (wantsSpeech && !medium.fromJsSdk) return refuse(40007)

  const range = parseRange(call.request.headers.range, medium.sizeBytes)
  if (range === 'unsatisfiable') {
    return {
      kind: 'bare',
      status: 416,
      headers: { 'Content-Range': `bytes */${medium.sizeBytes}` },
    }
  }
  const span = range ?? { firstByte: 0, lastByte: medium.sizeBytes - 1 }
  const sizeBytes = span.lastByte - span.firstByte + 1
  const settings = deps.settings()
  if (sizeBytes > settings.rangeRequiredAboveBytes) return refuse(830002)

  const headers = {
    'Content-Type': wantsSpeech ? 'voice/speex' : contentTypeOf(medium),
    ...dispositionHeader(medium, settings),
    'Cache-Control': 'no-cache, must-revalidate',
    'Accept-Ranges': 'bytes',
    ...(range ? contentRangeHeader(range, medium) : {}),
  }
  const body = await deps.store.read(medium, span.firstByte, span.lastByte)
  if (body === undefined) return refuse(40007)
  return { kind: 'medium', status: range ? 206 : 200, headers, body, sizeBytes }
}

function dispositionHeader(medium: StoredMedium, settings: SimulatorSettings) {
  const value = renderDisposition(medium, settings.dispositionForm)
  return value === undefined ? {} : { 'Content-disposition': value }
}

const contentRangeHeader = (span: Span, medium: StoredMedium) => ({
  'Content-Range': `bytes ${span.firstByte}-${span.lastByte}/${medium.sizeBytes}`,
})
