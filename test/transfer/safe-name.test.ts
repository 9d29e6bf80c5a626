import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMediaPath } from '../../src/media/media.ts'
import { localName, wireName } from '../../src/transfer/safe-name.ts'
import { aMediaId, aPath } from '../helpers/builders.ts'

const facts = (about: { contentType?: string; format?: string } = {}) => ({
  contentType: about.contentType,
  format: about.format,
  mediaId: aMediaId('3aB-cD_9876543210xyz'),
})
const hostileText = fc.string({ unit: 'binary', maxLength: 400 })
const isWellFormed = (text: string) => text === text.toWellFormed()

test.each([
  ['posters/spring.jpg', 'spring.jpg'],
  ['发票 2026.pdf', '发票 2026.pdf'],
  ['a "b".jpg', "a 'b'.jpg"],
  ['back\\slash.jpg', 'back_slash.jpg'],
  ['line\r\nbreak\x00\x7f\u2028.jpg', 'line__break___.jpg'],
  ['👩‍👩‍👧.png', '👩‍👩‍👧.png'],
])('uploads %j under the name %j', (path, name) => {
  expect(wireName(aPath(path))).toBe(name)
})

test('cuts a long name at 128 bytes, keeps its extension and breaks no character', () => {
  const name = wireName(aPath(`${'报'.repeat(80)}.pdf`))
  expect(name).toBe(`${'报'.repeat(41)}.pdf`)
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(128)
})

test('takes an extension that is no extension for part of the name', () => {
  expect(wireName(aPath(`a.${'b'.repeat(300)}`))).toBe(`a.${'b'.repeat(126)}`)
})

test('no name is unsafe inside quotes, too long or broken on the wire', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const path = parseMediaPath(text)
      fc.pre(path !== undefined)
      const name = wireName(aPath(text))
      expect(name).not.toMatch(/["\\\p{Cc}/]/u)
      expect(name).not.toBe('')
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(128)
      expect(isWellFormed(name)).toBe(true)
      expect(wireName(aPath(name))).toBe(name)
    }),
  )
})

test.each([
  ['spring.jpg', 'spring.jpg'],
  ['../../etc/passwd.jpg', 'passwd.jpg'],
  ['C:\\Windows\\evil.exe', 'evil.exe'],
  ['a/', 'media-3aBcD9876543'],
  ['..', 'media-3aBcD9876543'],
  ['...hidden.jpg', 'hidden.jpg'],
  ['trailing.jpg. . ', 'trailing.jpg'],
  ['CON.jpg', '_CON.jpg'],
  ['com1', '_com1'],
  ['console.jpg', 'console.jpg'],
  ['invoice\u202egpj.exe', 'invoicegpj.exe'],
  ['zero\u200bwidth\ufeff.png', 'zerowidth.png'],
  ['bell\x07\n.jpg', 'bell__.jpg'],
  ['a<b>:"|?*.jpg', 'a_b______.jpg'],
  ['（全角）【括号】.pdf', '（全角）【括号】.pdf'],
  ['.amr', 'media-3aBcD9876543.amr'],
  ['1713345678901.silk', '1713345678901.silk'],
])('keeps a download announced as %j under the name %j', (announced, name) => {
  expect(localName(announced, facts())).toBe(name)
})

test.each([
  ['voice', { contentType: 'audio/amr' }, 'voice.amr'],
  ['voice', { contentType: 'voice/speex; charset=x' }, 'voice.speex'],
  ['voice', { contentType: 'voice/speex; charset=x', format: 'amr' }, 'voice.amr'],
  ['voice', { contentType: 'audio/amr', format: 'silk' }, 'voice.silk'],
  ['voice.amr', { contentType: 'audio/amr', format: 'silk' }, 'voice.silk'],
  ['.amr', { contentType: 'audio/amr', format: 'silk' }, 'media-3aBcD9876543.silk'],
  ['1713345678901.silk', { format: 'amr' }, '1713345678901.amr'],
  ['photo.JPEG', { format: 'jpg' }, 'photo.JPEG'],
  ['photo.jpg', { format: 'png' }, 'photo.png'],
  ['report.docx', { format: 'zip' }, 'report.docx'],
  ['poster.pdf', { format: 'jpg' }, 'poster.pdf'],
  ['voice', { contentType: 'text/plain', format: 'jpg' }, 'voice.jpg'],
  ['voice', { contentType: 'constructor', format: 'jpg' }, 'voice.jpg'],
  ['voice.amr', { contentType: 'image/jpeg', format: 'jpg' }, 'voice.jpg'],
  [undefined, { contentType: 'IMAGE/JPEG' }, 'media-3aBcD9876543.jpg'],
  [undefined, { format: 'mp4' }, 'media-3aBcD9876543.mp4'],
  [undefined, {}, 'media-3aBcD9876543'],
])('finds the extension of %j with %j: %j', (announced, about, name) => {
  expect(localName(announced, facts(about))).toBe(name)
})

test('whatever is announced, the name is one harmless component of a path', () => {
  const announcement = fc.oneof(
    hostileText,
    fc.string({ unit: fc.constantFrom(...'./\\ \u202e\0cOn"😀报') }),
  )
  fc.assert(
    fc.property(
      announcement,
      fc.option(hostileText, { nil: undefined }),
      (announced, contentType) => {
        const name = localName(announced, { ...facts(), contentType })
        expect(parseMediaPath(name)).toBe(name)
        expect(name).not.toMatch(/[/\\<>:"|?*\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
        expect(name).not.toMatch(/^[.\s]|[.\s]$/u)
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i)
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
        expect(isWellFormed(name)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})
