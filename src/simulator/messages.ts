// Answers for what people send to the app: their medium is stored, and the receiver is called as WeCom calls it, with five seconds to
// answer and three attempts in all.
import { z } from 'zod'
import { MEDIA_KINDS } from '../media/media.ts'
import type { Clock } from '../support/clock.ts'
import { type CallbackSecrets, encryptMessage, signMessage } from './callback-seal.ts'

const MAX_ATTEMPTS = 3
const ANSWER_WITHIN_MS = 5_000

/** What is sent when nobody says what, and its name: a pixel, a frame of silence, a film of nothing, a word. */
const SAMPLES = {
  image: [
    'photo.png',
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  ],
  voice: ['voice.amr', 'IyFBTVIKPAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
  video: ['video.mp4', 'AAAAGGZ0eXBtcDQyAAAAAG1wNDJpc29t'],
  file: ['file.txt', 'aGVsbG8sIGhlbGxv'],
} as const

/** What somebody sends, in plain values. */
export const messageSchema = z.strictObject({
  /** The URL, Token and EncodingAESKey that the app's settings have. */
  url: z.url({ protocol: /^https?$/ }),
  token: z.string(),
  encodingAesKey: z.string().regex(/^[A-Za-z0-9]{43}$/),
  corpId: z.string(),
  from: z.string().default('zhangsan'),
  /** A medium, or a message of any other type without one. */
  type: z
    .enum([...MEDIA_KINDS, 'shortvideo', 'text', 'location', 'link', 'event'])
    .default('image'),
  /** Of a medium: its bytes in base64, and what its sender called it. */
  content: z.base64().optional(),
  name: z.string().optional(),
  /** What is said in a text; of an event, which. */
  text: z.string().default('hello'),
  form: z.enum(['xml', 'json']).default('xml'),
  /** Between an attempt and the next. */
  pauseMs: z.int().min(0).default(1_000),
})

/** What somebody sends; everything but the receiver has a default. */
export type MessageOptions = z.input<typeof messageSchema>

export interface SentMessage {
  readonly messageId: string
  /** Of a message with a medium. */
  readonly mediaId: string | undefined
  /** What each attempt was answered with: a status, or nothing in time. */
  readonly attempts: readonly (number | 'no answer')[]
  readonly isDelivered: boolean
}

export function createMessages(deps: {
  clock: Clock
  /** Stores the medium and answers with its id. */
  addMedia(medium: {
    kind: (typeof MEDIA_KINDS)[number]
    wireName: string
    content: Buffer
    corpId: string
  }): Promise<string>
}) {
  const { clock } = deps
  // Beyond 2^53, as the real ones are: who makes a number of it finds two messages with one id.
  let lastMessageId = 2n ** 62n + BigInt(clock.nowMs()) * 1000n

  async function deliver(url: string, secrets: CallbackSecrets & Addressed, message: string) {
    const encrypted = encryptMessage(secrets.encodingAesKey, message, secrets.corpId)
    const target = new URL(url)
    for (const [name, value] of signMessage(secrets.token, encrypted, clock.nowMs()))
      target.searchParams.set(name, value)
    try {
      const answer = await fetch(target, {
        method: 'POST',
        body: renderEnvelope(secrets, encrypted),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      // Refused, cut off or too slow: to WeCom it is all the same.
      return 'no answer' as const
    }
  }

  return async function send(options: MessageOptions): Promise<SentMessage> {
    const { type, corpId, url, ...rest } = messageSchema.parse(options)
    const kind = type === 'shortvideo' ? 'video' : MEDIA_KINDS.find((one) => one === type)
    const [sampleName, sample] = SAMPLES[kind ?? 'image']
    const wireName = rest.name ?? sampleName
    const content = Buffer.from(rest.content ?? sample, 'base64')
    const mediaId = kind && (await deps.addMedia({ kind, wireName, content, corpId }))
    const messageId = String(++lastMessageId)
    const message = renderMessage(rest.form, {
      ToUserName: corpId,
      FromUserName: rest.from,
      CreateTime: Math.floor(clock.nowMs() / 1000),
      MsgType: type,
      ...(mediaId === undefined
        ? { [type === 'event' ? 'Event' : 'Content']: rest.text }
        : { MediaId: mediaId }),
      ...(kind === 'video' && { ThumbMediaId: `${mediaId}-thumb` }),
      ...(type === 'file' && { FileName: wireName }),
      ...(type !== 'event' && { MsgId: BigInt(messageId) }),
      AgentID: 1,
    })
    const attempts: (number | 'no answer')[] = []
    while (attempts.length < MAX_ATTEMPTS && attempts.at(-1) !== 200) {
      if (attempts.length > 0) await clock.sleep(rest.pauseMs)
      attempts.push(await deliver(url, { ...rest, corpId }, message))
    }
    return { messageId, mediaId, attempts, isDelivered: attempts.at(-1) === 200 }
  }
}

interface Addressed {
  readonly corpId: string
  readonly form: 'xml' | 'json'
}

const renderEnvelope = ({ corpId, form }: Addressed, encrypted: string): string =>
  form === 'json'
    ? JSON.stringify({ tousername: corpId, encrypt: encrypted, agentid: '1' })
    : renderXml({ ToUserName: corpId, Encrypt: encrypted, AgentID: '1' })

type Fields = Readonly<Record<string, string | number | bigint>>

const renderMessage = (form: 'xml' | 'json', fields: Fields): string =>
  form === 'xml' ? renderXml(fields) : renderJson(fields)

/** Text in CDATA and numbers plain, as WeCom writes them. */
const renderXml = (fields: Fields): string =>
  `<xml>${Object.entries(fields)
    .map(([name, value]) => {
      const text =
        typeof value === 'string'
          ? `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
          : value
      return `<${name}>${text}</${name}>`
    })
    .join('\n')}</xml>`

/** By hand, for numbers of 64 bits. */
const renderJson = (fields: Fields): string =>
  `{${Object.entries(fields)
    .map(
      ([name, value]) => `"${name}":${typeof value === 'string' ? JSON.stringify(value) : value}`,
    )
    .join(',')}}`
