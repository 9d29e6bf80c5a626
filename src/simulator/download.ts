// Answers the calls media/get and media/get/jssdk.
import { Readable } from 'node:stream'
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
  const settings = deps.settings()
  const form =
    call.api === 'get-jssdk'
      ? await findSpeech(medium, deps.store)
      : ordinaryForm(medium, deps.store, settings)
  if (form === undefined) return refuse(40007)

  const range = parseRange(call.request.headers.range, form.sizeBytes)
  if (range === 'unsatisfiable') {
    return {
      kind: 'bare',
      status: 416,
      headers: { 'Content-Range': `bytes */${form.sizeBytes}` },
    }
  }
  const span = range ?? { firstByte: 0, lastByte: form.sizeBytes - 1 }
  const sizeBytes = span.lastByte - span.firstByte + 1
  if (sizeBytes > settings.rangeRequiredAboveBytes) return refuse(830002)

  const headers = {
    ...form.headers,
    'Cache-Control': 'no-cache, must-revalidate',
    'Accept-Ranges': 'bytes',
    ...(range ? contentRangeHeader(range, form) : {}),
  }
  const body = await form.open(span)
  if (body === undefined) return refuse(40007)
  return { kind: 'medium', status: range ? 206 : 200, headers, body, sizeBytes }
}

/** What one call gives of a medium. */
interface Form {
  readonly sizeBytes: number
  readonly headers: Readonly<Record<string, string>>
  /** Undefined if the medium died since it was found. */
  open(span: Span): Promise<Readable | undefined>
}

const ordinaryForm = (
  medium: StoredMedium,
  store: MediaStore,
  settings: SimulatorSettings,
): Form => ({
  sizeBytes: medium.sizeBytes,
  headers: { 'Content-Type': contentTypeOf(medium), ...dispositionHeader(medium, settings) },
  open: ({ firstByte, lastByte }) => store.read(medium, firstByte, lastByte),
})

/** The high definition of a voice that a web page recorded; of everything else there is none. */
async function findSpeech(medium: StoredMedium, store: MediaStore): Promise<Form | undefined> {
  const recorded = medium.fromJsSdk ? await store.read(medium, 0, medium.sizeBytes - 1) : undefined
  if (recorded === undefined) return undefined
  const speech = speechOf(Buffer.concat(await recorded.toArray()))
  return {
    sizeBytes: speech.length,
    // The page shows a name without an extension.
    headers: {
      'Content-Type': 'voice/speex',
      'Content-disposition': `attachment; filename="${medium.mediaId}"`,
    },
    open: async ({ firstByte, lastByte }) =>
      Readable.from([speech.subarray(firstByte, lastByte + 1)], { objectMode: false }),
  }
}

/** No speex, but like it: other bytes than the AMR, the same each time, twice as many, and without any mark of what they are. */
const speechOf = (recorded: Buffer): Buffer =>
  Buffer.from(Buffer.concat([recorded, recorded]).map((byte) => byte ^ 0xa5))

function dispositionHeader(medium: StoredMedium, settings: SimulatorSettings) {
  const value = renderDisposition(medium, settings.dispositionForm)
  return value === undefined ? {} : { 'Content-disposition': value }
}

const contentRangeHeader = (span: Span, { sizeBytes }: Form) => ({
  'Content-Range': `bytes ${span.firstByte}-${span.lastByte}/${sizeBytes}`,
})
