// What a message means: a medium to be fetched, or nothing to us.
import { expect, it } from 'vitest'
import { readMeaning } from '../../src/references/callback-message.ts'
import { readMessageFields } from '../../src/references/message-fields.ts'
import { NOW_MS } from '../helpers/builders.ts'
import { aMessage } from './sealed.ts'

const meaningOf = (fields: Readonly<Record<string, string | number>>) =>
  readMeaning(readMessageFields(aMessage(fields)) ?? new Map(), NOW_MS)

it.each([
  ['image', 'image'],
  ['voice', 'voice'],
  ['video', 'video'],
  ['shortvideo', 'video'],
  ['file', 'file'],
])('%s brings a medium', (MsgType, kind) => {
  expect(meaningOf({ MsgType, ThumbMediaId: 'thumb-1' })).toEqual({
    kind: 'medium',
    wanted: {
      mediaId: 'media-1',
      kind,
      from: 'zhangsan',
      createdAtMs: NOW_MS - 2000,
      messageId: '9223372036854775807',
    },
  })
})

it.each([
  ['text', 'text'],
  ['location', 'location'],
  ['link', 'link'],
  ['event', 'event'],
  ['Event', 'event'],
  ['template_card_event', 'template_card_event'],
  ['constructor', 'constructor'],
  ['\u202e<b>', 'unknown'],
  ['x'.repeat(100), 'unknown'],
])('%s is counted as %s and brings nothing', (MsgType, type) => {
  expect(meaningOf({ MsgType })).toEqual({ kind: 'other', type })
})

it.each([{ MediaId: '' }, { MediaId: 'a b' }, { MediaId: 'x'.repeat(513) }, { MsgType: '' }])(
  'what cannot be is told apart from what is none of our business: %o',
  (fields) => {
    expect(meaningOf(fields)).toEqual({ kind: 'unreadable' })
  },
)

it('does not believe a message from the future, nor a time that is none', () => {
  const createdAtMs = (CreateTime: string | number) => {
    const meaning = meaningOf({ CreateTime })
    return meaning.kind === 'medium' ? meaning.wanted.createdAtMs : 'no medium'
  }
  expect(createdAtMs(Math.floor(NOW_MS / 1000) + 3600)).toBe(NOW_MS)
  expect(createdAtMs('soon')).toBeUndefined()
  expect(createdAtMs('-5')).toBeUndefined()
  expect(createdAtMs('9'.repeat(40))).toBeUndefined()
})

it('lets neither a name that is too long nor an id that is none lose the medium', () => {
  expect(meaningOf({ FromUserName: 'x'.repeat(5000), MsgId: 'not an id' })).toMatchObject({
    kind: 'medium',
    wanted: { from: 'x'.repeat(128), messageId: expect.stringMatching(/^x{128}$/) },
  })
  expect(meaningOf({ FromUserName: '', MsgId: '' })).toMatchObject({
    kind: 'medium',
    wanted: { messageId: `+${NOW_MS / 1000 - 2}` },
  })
})
