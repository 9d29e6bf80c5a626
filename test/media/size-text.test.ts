import { expect, test } from 'vitest'
import { renderExcess, renderSize } from '../../src/media/size-text.ts'

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [1023, '1023 bytes'],
  [1024, '1 KB'],
  [1536, '1.5 KB'],
  [2 ** 20 - 1, '1023.9 KB'],
  [10 * 2 ** 20, '10 MB'],
  [3 * 2 ** 30, '3 GB'],
  [5000 * 2 ** 40, '5000 TB'],
])('writes %d as %s', (bytes, text) => {
  expect(renderSize(bytes)).toBe(text)
})

test('tells an excess in bytes where both sides would read alike', () => {
  expect(renderExcess(12 * 2 ** 20, 10 * 2 ** 20)).toBe('12 MB exceeds 10 MB')
  expect(renderExcess(2049, 2048)).toBe('2049 bytes exceeds 2 KB (2048 bytes)')
})
