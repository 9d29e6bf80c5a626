// Where what nobody named a path for lands: the template filled in, whatever strangers call themselves and their files.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseMediaPath, type Reference } from '../../src/media/media.ts'
import { createInboxPath, type InboxFacts } from '../../src/transfer/inbox-path.ts'
import { aReference } from '../helpers/builders.ts'

/** A moment on this machine's calendar, wherever it stands. */
const SENT_AT_MS = new Date(2026, 10, 22, 9, 5, 7).getTime()

const fill = (
  template: string,
  reference: Partial<Omit<Reference, 'mediaId'>> & { mediaId?: string } = {},
  facts: Partial<InboxFacts> = {},
) =>
  createInboxPath(
    template,
    aReference({ mediaId: '3a-B_9', createdAtMs: SENT_AT_MS, ...reference }),
    {
      announcedName: 'photo.jpg',
      contentType: undefined,
      format: 'jpg',
      kind: 'image',
      ...facts,
    },
  )

it('knows the moment, the sender, the kind, the name and the id', () => {
  const template = 'in/{date}/{time}/{from}/{type}/{id} {name}'
  expect(fill(template, { from: 'zhangsan' })).toBe(
    'in/2026-11-22/090507/zhangsan/image/3a-B_9 photo.jpg',
  )
})

it('takes the moment of its acceptance where nobody knows when it was sent', () => {
  const { createdAtMs: _, ...reference } = aReference({
    acceptedAtMs: new Date(2026, 0, 2, 3, 4, 5).getTime(),
  })
  const facts = {
    announcedName: 'a.jpg',
    contentType: undefined,
    format: 'jpg',
    kind: 'image',
  } as const
  expect(createInboxPath('{date} {time} {name}', reference, facts)).toBe('2026-01-02 030405 a.jpg')
})

it('believes the message as to the kind, and the content where there is no message', () => {
  expect(fill('{type}/{name}', { kind: 'voice' }, { kind: 'file' })).toBe('voice/photo.jpg')
  expect(fill('{type}/{name}', {}, { kind: 'file' })).toBe('file/photo.jpg')
})

it.each([
  [undefined, 'unknown'],
  ['', 'unknown'],
  ['..', 'unknown'],
  ['../../etc', '_.._etc'],
  ['a/b\\c', 'a_b_c'],
  ['.hidden', 'hidden'],
  ['CON', '_CON'],
  ['张三', '张三'],
  ['{name}', '{name}'],
  ['li\u202esi\n', 'lisi_'],
])('puts what %j sent into %j', (from, part) => {
  expect(fill('inbox/{from}/{name}', from === undefined ? {} : { from })).toBe(
    `inbox/${part}/photo.jpg`,
  )
})

it('makes no part longer than a directory entry may be, and keeps the extension', () => {
  const name = 'n'.repeat(200)
  const path = fill(
    '{from}/{from}-{name}',
    { from: '张'.repeat(128) },
    { announcedName: `${name}.jpg` },
  )
  for (const part of path.split('/')) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(247)
  expect(path).toMatch(/\.jpg$/)
})

it('is a path inside the folder that the watcher sees, whoever sends whatever', () => {
  const hostile = fc.string({ unit: 'binary', maxLength: 300 })
  fc.assert(
    fc.property(hostile, hostile, hostile, (from, announcedName, id) => {
      const path = fill(
        'inbox/{date}/{from}/{id}/{type}/{name}',
        { from, mediaId: id },
        { announcedName },
      )
      expect(parseMediaPath(path)).toBe(path)
      const parts = path.split('/')
      expect(parts).toHaveLength(6)
      const isHarmless = (part: string) =>
        !/^\.|[\p{Cc}\\]/u.test(part) && Buffer.byteLength(part) <= 255 && part.isWellFormed()
      expect(parts.filter((part) => !isHarmless(part))).toEqual([])
    }),
    { numRuns: 60 },
  )
})
