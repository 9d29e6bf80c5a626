import fc from 'fast-check'
import { expect, test } from 'vitest'
import { detectFormat, HEAD_BYTES } from '../../src/transfer/content.ts'
import { aJpg, anAmr, anMp4, aPdf, aPng } from '../helpers/samples.ts'

test.each([
  ['jpg', aJpg()],
  ['png', aPng()],
  ['mp4', anMp4()],
  ['amr', anAmr()],
  ['pdf', aPdf()],
])('knows a %s by its content', async (format, content) => {
  expect(await detectFormat(content)).toBe(format)
  expect(await detectFormat(content.subarray(0, HEAD_BYTES))).toBe(format)
})

test('knows a large file by its head alone', async () => {
  expect(await detectFormat(aPng(2 ** 20).subarray(0, HEAD_BYTES))).toBe('png')
  expect(await detectFormat(anMp4(2 ** 20).subarray(0, HEAD_BYTES))).toBe('mp4')
})

test('takes SILK for SILK, also with the byte that WeChat puts before it, and never for AMR', async () => {
  expect(await detectFormat(Buffer.from('#!SILK_V3 and so on'))).toBe('silk')
  expect(await detectFormat(Buffer.from('\x02#!SILK_V3 and so on'))).toBe('silk')
})

test('says nothing of text and of nothing', async () => {
  expect(await detectFormat(Buffer.from('price list'))).toBeUndefined()
  expect(await detectFormat(Buffer.alloc(0))).toBeUndefined()
})

test('never fails, whatever the bytes and wherever they are cut off', async () => {
  const starts = [
    aJpg(),
    aPng(),
    anMp4(),
    anAmr(),
    aPdf(),
    Buffer.from('PK\x03\x04'),
    Buffer.from('ID3'),
  ]
  const cutOff = fc
    .tuple(fc.constantFrom(...starts), fc.nat(200), fc.uint8Array({ maxLength: 100 }))
    .map(([start, length, rest]) => Buffer.concat([start.subarray(0, length), rest]))
  await fc.assert(
    fc.asyncProperty(cutOff, async (bytes) => {
      const format = await detectFormat(bytes)
      expect(['string', 'undefined']).toContain(typeof format)
    }),
  )
})
