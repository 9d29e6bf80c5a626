import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMultipartFrame } from '../../src/wecom/multipart.ts'

const frameOf = (wireName: string) =>
  createMultipartFrame({ wireName, sizeBytes: 6, boundary: 'XYZ' })

test('the frame has, byte for byte, the form of the official example', () => {
  const { head, tail, contentType, totalBytes } = frameOf('wework.txt')
  expect(head.toString()).toBe(
    '--XYZ\r\nContent-Disposition: form-data; name="media"; filename="wework.txt"; filelength=6\r\n' +
      'Content-Type: application/octet-stream\r\n\r\n',
  )
  expect(tail.toString()).toBe('\r\n--XYZ--\r\n')
  expect(contentType).toBe('multipart/form-data; boundary=XYZ')
  expect(totalBytes).toBe(head.length + 6 + tail.length)
})

test('a Chinese name travels as raw UTF-8 and never as filename*', () => {
  const { head } = frameOf('春季海报(1).jpg')
  expect(head.includes(Buffer.from('filename="春季海报(1).jpg"', 'utf8'))).toBe(true)
  expect(head.includes('filename*')).toBe(false)
})

test.each([
  ['a"b.txt', 'a_b.txt'],
  ['a\\b.txt', 'a_b.txt'],
  ['a\r\nX-Evil: 1.txt', 'a__X-Evil: 1.txt'],
  ['a\u0000b\u007f\u0085.txt', 'a_b__.txt'],
  ['a\u2028b', 'a_b'],
  ['lone\ud800.txt', 'lone\ufffd.txt'],
  ['', 'media'],
])('the name %j is sent as %j', (wireName, sent) => {
  expect(frameOf(wireName).head.toString()).toContain(`filename="${sent}"; filelength=6\r\n`)
})

test('no name whatever can add a line or end the quotes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (wireName) => {
      const lines = frameOf(wireName)
        .head.toString()
        .split(/[\r\n]+/)
      expect(lines).toHaveLength(4)
      expect(lines[1]?.match(/"/g)).toHaveLength(4)
    }),
  )
})
