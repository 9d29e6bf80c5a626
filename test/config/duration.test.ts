import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration, renderDuration } from '../../src/config/duration.ts'

const DAY_MS = 86_400_000

describe('parsing a duration', () => {
  it.each([
    ['200ms', 200],
    ['0s', 0],
    ['90s', 90_000],
    ['10m', 600_000],
    ['12h', DAY_MS / 2],
    ['3d', 3 * DAY_MS],
    ['1.5h', 5_400_000],
    ['0.25s', 250],
    ['1h30m', 5_400_000],
    ['2h 5m', 7_500_000],
    ['1d 2h 3m 4s 5ms', DAY_MS + 7_384_005],
  ])('takes %s', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each([
    '',
    ' ',
    '5',
    '0',
    's',
    '5 s',
    '5S',
    '5M',
    '-5s',
    '+5s',
    '.5s',
    '5.s',
    '1e3s',
    '1,5h',
    '5s ',
    ' 5s',
    '5s\n',
    '1h  5m',
    '5m 1h',
    '1h 1h',
    '3 days',
    '5min',
    '1w',
    '٣d',
    `${'9'.repeat(400)}d`,
  ])('refuses %j', (text) => expect(parseDuration(text)).toBeUndefined())
})

describe('rendering a duration', () => {
  it.each([
    [0, '0s'],
    [0.4, '0s'],
    [300, '300ms'],
    [1_500, '1s 500ms'],
    [90_000, '1m 30s'],
    [7_500_000, '2h 5m'],
    [3 * DAY_MS, '3d'],
    [3 * DAY_MS - 1, '2d 23h'],
    [3 * DAY_MS + 60_000, '3d'],
    [-7_500_000, '-2h 5m'],
  ])('writes %d ms as %s', (ms, text) => expect(renderDuration(ms)).toBe(text))

  it('reads back what it wrote of a whole number of one unit', () => {
    const unitMs = fc.constantFrom(1, 1_000, 60_000, 3_600_000, DAY_MS)
    fc.assert(
      fc.property(unitMs, fc.nat(20), (unit, amount) => {
        expect(parseDuration(renderDuration(unit * amount))).toBe(unit * amount)
      }),
    )
  })

  it('is never longer than the truth, and short of it by less than a twentieth', () => {
    fc.assert(
      fc.property(fc.nat(3650 * DAY_MS), (ms) => {
        const readBackMs = parseDuration(renderDuration(ms)) ?? Number.NaN
        expect(readBackMs).toBeLessThanOrEqual(ms)
        expect(readBackMs).toBeGreaterThanOrEqual(ms * 0.95)
      }),
    )
  })
})
