import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseShare } from '../../src/config/share.ts'
import { parseSize, renderSize } from '../../src/config/size.ts'

const MB = 2 ** 20

describe('parsing a size', () => {
  it.each([
    ['0B', 0],
    ['100B', 100],
    ['512KB', 524_288],
    ['10MB', 10 * MB],
    ['10 MB', 10 * MB],
    ['1.5MB', 1.5 * MB],
    ['1GB', 1024 * MB],
  ])('takes %s', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  it.each([
    '',
    '10',
    'MB',
    '10mb',
    '10Mb',
    '10M',
    '10MiB',
    '10  MB',
    '-1MB',
    '1e3B',
    '.5MB',
    '1,5MB',
    '10MB\n',
    '1TB',
    `${'9'.repeat(400)}GB`,
  ])('refuses %j', (text) => expect(parseSize(text)).toBeUndefined())
})

describe('rendering a size', () => {
  it.each([
    [0, '0 B'],
    [5, '5 B'],
    [1_023, '1023 B'],
    [81_234, '79.33 KB'],
    [12 * MB, '12 MB'],
    [11.72 * MB, '11.72 MB'],
    [1.5 * 1024 * MB, '1.5 GB'],
  ])('writes %d bytes as %s', (bytes, text) => expect(renderSize(Math.round(bytes))).toBe(text))

  it('never lets a size over a limit read like the limit', () => {
    expect(renderSize(10 * MB + 1)).toBe('10485761 B')
    expect(renderSize(10 * MB - 1)).not.toBe(renderSize(10 * MB))
  })

  it('reads back what it wrote, to a hundredth', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), (bytes) => {
        const readBack = parseSize(renderSize(bytes)) ?? Number.NaN
        expect(Math.abs(readBack - bytes)).toBeLessThanOrEqual(bytes / 100)
      }),
    )
  })

  it('reads back exactly what it wrote of a whole number of one unit', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2 ** 10, MB, 2 ** 30), fc.nat(1_023), (unit, amount) => {
        expect(parseSize(renderSize(unit * amount))).toBe(unit * amount)
      }),
    )
  })
})

describe('parsing a share', () => {
  it.each([
    ['50%', 0.5],
    ['100%', 1],
    ['12.5%', 0.125],
    [0.5, 0.5],
    [1, 1],
  ])('takes %j', (value, share) => expect(parseShare(value)).toBe(share))

  it.each(['0%', '101%', '50', '0.5', '', '%', '-5%', '50 %', 0, -0.5, 1.01, 50, Number.NaN])(
    'refuses %j',
    (value) => expect(parseShare(value)).toBeUndefined(),
  )
})
