// Answers for what a message of WeCom's means to us: a medium that somebody sent, or something that is none of our business. Pure.
import { type MediaKind, parseMediaId, type WantedReference } from '../media/media.ts'
import type { MessageFields } from './message-fields.ts'

export type MessageMeaning =
  | { readonly kind: 'medium'; readonly wanted: WantedReference }
  /** Text, location, events and what WeCom may think of yet. */
  | { readonly kind: 'other'; readonly type: string }
  /** It claims to bring a medium, and names none; or it has no type at all. */
  | { readonly kind: 'unreadable' }

/**
 * Messages that bring a medium. A video's preview (`ThumbMediaId`) is not fetched: it is a second, smaller picture of what the video
 * shows, and a file of its own in the folder is what nobody who sent a video meant.
 */
const KIND_OF_TYPE: Readonly<Record<string, MediaKind>> = {
  image: 'image',
  voice: 'voice',
  video: 'video',
  shortvideo: 'video',
  file: 'file',
}

/** What WeCom calls a member has at most 64 bytes; more is cut off, the medium is what matters. */
const MAX_FROM_CHARACTERS = 128
/** 64 bits in decimal digits, with room to spare. */
const MESSAGE_ID = /^[\x21-\x7e]{1,64}$/
/** What is counted by its name; a stranger thing is counted as `unknown`. */
const TYPE = /^[a-z][a-z_]{0,31}$/

/** `nowMs` is on the service's clock: a message from the future was sent now. */
export function readMeaning(fields: MessageFields, nowMs: number): MessageMeaning {
  const type = fields.get('msgtype')?.trim().toLowerCase()
  if (type === undefined || type === '') return { kind: 'unreadable' }
  const kind = Object.hasOwn(KIND_OF_TYPE, type) ? KIND_OF_TYPE[type] : undefined
  if (kind === undefined) return { kind: 'other', type: TYPE.test(type) ? type : 'unknown' }
  const mediaId = parseMediaId(fields.get('mediaid')?.trim() ?? '')
  if (mediaId === undefined) return { kind: 'unreadable' }
  const from = fields.get('fromusername')?.toWellFormed().slice(0, MAX_FROM_CHARACTERS)
  const createdAtMs = readTime(fields.get('createtime'), nowMs)
  return {
    kind: 'medium',
    wanted: {
      mediaId,
      kind,
      messageId: readMessageId(fields),
      ...(from !== undefined && from !== '' && { from: from.toWellFormed() }),
      ...(createdAtMs !== undefined && { createdAtMs }),
    },
  }
}

/** What has none is told apart as WeCom advises for events: by sender and second. */
function readMessageId(fields: MessageFields): string {
  const messageId = fields.get('msgid')?.trim() ?? ''
  if (MESSAGE_ID.test(messageId)) return messageId
  const bySender = `${fields.get('fromusername') ?? ''}+${fields.get('createtime') ?? ''}`
  return bySender.toWellFormed().slice(0, MAX_FROM_CHARACTERS)
}

/** Seconds since 1970. */
function readTime(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined || !/^\d{1,12}$/.test(text.trim())) return undefined
  return Math.min(Number(text) * 1000, nowMs)
}
