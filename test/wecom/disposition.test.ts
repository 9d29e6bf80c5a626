import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAnnouncedName } from '../../src/wecom/disposition.ts'

/** As Node hands it over: the header's bytes read as Latin-1. */
const onTheWire = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

test.each([
  ['attachment; filename="MEDIA_ID.jpg"', 'MEDIA_ID.jpg'],
  [`attachment; filename*=utf-8''GMS-%E8%81%8A.xlsx; filename="GMS-聊.xlsx"`, 'GMS-聊.xlsx'],
  [`attachment; filename="plain.xlsx"; filename*=UTF-8''%E8%81%8A.xlsx`, '聊.xlsx'],
  ['attachment; filename="聊天.xlsx"', '聊天.xlsx'],
  ['attachment; filename="报价(2)【终】.pdf"', '报价(2)【终】.pdf'],
  ['filename="voice"', 'voice'],
  ['attachment; filename="voice"', 'voice'],
  ['attachment; filename="1603089543.silk"', '1603089543.silk'],
  ['attachment; filename=".amr"', '.amr'],
  ['attachment; filename=bare.jpg', 'bare.jpg'],
  ['attachment;filename=bare.jpg', 'bare.jpg'],
  ['filename=bare.jpg', 'bare.jpg'],
  ['ATTACHMENT; FILENAME="UP.JPG"', 'UP.JPG'],
  ['attachment; filename="a;b.jpg"; size=3', 'a;b.jpg'],
  ['attachment; filename="say \\"hi\\".txt"', 'say "hi".txt'],
  ['attachment; filename="%E8%81%8A.jpg"', '%E8%81%8A.jpg'],
  ['attachment; filename="never closed.jpg', 'never closed.jpg'],
  [`attachment; filename*=utf-8''%ZZ; filename="good.jpg"`, 'good.jpg'],
  [`attachment; filename*=gb2312''%C1%C4; filename="good.jpg"`, 'good.jpg'],
  [`attachment; filename*=utf-8''; filename="good.jpg"`, 'good.jpg'],
  [`attachment; filename*="utf-8''%E8%81%8A.jpg"`, '聊.jpg'],
  ['attachment; filename="../../etc/passwd"', '../../etc/passwd'],
  ['attachment; filename=""', undefined],
  ['attachment', undefined],
  ['inline', undefined],
  ['', undefined],
  [';;;=;"', undefined],
  [undefined, undefined],
])('%j announces %j', (header, name) => {
  const arrived = header === undefined ? undefined : onTheWire(header)
  expect(parseAnnouncedName(arrived)).toBe(name)
})

test('bytes that are not UTF-8 stay as they came', () => {
  const header = Buffer.from([...Buffer.from('attachment; filename="'), 0xc1, 0xc4, 0x22])
  expect(parseAnnouncedName(header.toString('latin1'))).toBe('\u00c1\u00c4')
})

test('an absurdly long header announces nothing', () => {
  expect(parseAnnouncedName(`attachment; filename="${'a'.repeat(10_000)}"`)).toBeUndefined()
})

test('no header makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      parseAnnouncedName(a)
      parseAnnouncedName(`attachment; filename*=${a}; filename="${b}`)
    }),
  )
})
