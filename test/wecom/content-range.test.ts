import { expect, test } from 'vitest'
import { isAskedRange, parseContentRange } from '../../src/wecom/content-range.ts'

test.each([
  ['bytes 0-1023/2048', { firstByte: 0, lastByte: 1023, totalBytes: 2048 }],
  ['Bytes 5-5/*', { firstByte: 5, lastByte: 5, totalBytes: undefined }],
  ['bytes 5-4/10', undefined],
  ['bytes 0-10/10', undefined],
  ['bytes */10', undefined],
  ['0-1/2', undefined],
  ['bytes -1-2/3', undefined],
  ['bytes 0-99999999999999999999/2', undefined],
  [undefined, undefined],
])('%j is %j', (header, range) => expect(parseContentRange(header)).toEqual(range))

test.each([
  ['the very range', { firstByte: 0, lastByte: 9, totalBytes: 20 }, true],
  ['a range that the end cut short', { firstByte: 0, lastByte: 7, totalBytes: 8 }, true],
  ['less of an unknown whole', { firstByte: 0, lastByte: 7, totalBytes: undefined }, true],
  ['less than there is', { firstByte: 0, lastByte: 7, totalBytes: 20 }, false],
  ['more than was asked', { firstByte: 0, lastByte: 10, totalBytes: 20 }, false],
  ['another beginning', { firstByte: 1, lastByte: 9, totalBytes: 20 }, false],
])('%s: %j', (_name, got, isAsked) => {
  expect(isAskedRange(got, { firstByte: 0, lastByte: 9 })).toBe(isAsked)
})
