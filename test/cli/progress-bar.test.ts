import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createProgressBar, renderProgress } from '../../src/cli/progress-bar.ts'
import { renderTable, widthOf } from '../../src/cli/table.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

const half = { done: 5, total: 10, failed: 0, doneBytes: 3 * 2 ** 20, current: ['a.jpg'] }
const one = { ...half, done: 0, total: 1, current: ['id-1'] }
const BAR = '████████████────────────'

describe('the line of progress', () => {
  it.each([
    ['half way', half, `${BAR}  5/10  3 MB  a.jpg`],
    ['with failures', { ...half, failed: 2 }, `${BAR}  5/10  3 MB  2 failed  a.jpg`],
    ['with nothing to do', { ...half, done: 0, total: 0 }, `${'─'.repeat(24)}  0/0  3 MB  a.jpg`],
    ['with nothing in flight', { ...half, current: [] }, `${BAR}  5/10  3 MB  `],
    [
      'of one whose size is known',
      { ...one, underWay: { parts: 0.5, totalBytes: 6 * 2 ** 20 } },
      `${BAR}  50%  3 MB of 6 MB  id-1`,
    ],
    [
      'of one whose size is not known',
      { ...one, underWay: { parts: 0, totalBytes: null } },
      `${'─'.repeat(24)}  0/1  3 MB  id-1`,
    ],
    [
      'of one that is done',
      { ...one, done: 1, current: [], underWay: { parts: 0, totalBytes: 0 } },
      `${'█'.repeat(24)}  1/1  3 MB  `,
    ],
    [
      'of several, by what is done and what is coming',
      { ...half, done: 3, underWay: { parts: 2, totalBytes: 9 } },
      `${BAR}  3/10  3 MB  a.jpg`,
    ],
    ['with a hostile name', { ...half, current: ['\x1b[2J'] }, `${BAR}  5/10  3 MB  \\u{1b}[2J`],
  ])('%s', (_, progress, line) => {
    expect(renderProgress(progress, 80)).toBe(line)
  })

  it.each([[1], [10], [30], [41], [42], [43], [60]])('never fills %i columns', (columns) => {
    const wide = { ...half, current: ['海报/春节快乐🎉🎉.jpg'.repeat(5)] }
    const line = renderProgress(wide, columns)
    expect(widthOf(line)).toBeLessThan(Math.max(columns, 1))
    expect(widthOf(line)).toBeGreaterThanOrEqual(Math.min(columns - 2, 40))
  })
})

/** All of it: from Node 26 on a read gives one piece at a time. */
function written(stream: PassThrough): string {
  let text = ''
  for (let piece = stream.read(); piece !== null; piece = stream.read()) text += String(piece)
  return text
}

it('is drawn at most so often, and wiped at the end', async () => {
  const clock = createFakeClock()
  const stream = Object.assign(new PassThrough(), { columns: 80 })
  const bar = createProgressBar({ stream, clock })
  for (let turn = 0; turn < 20; turn++) {
    bar.show(half)
    await clock.advance(10)
  }
  bar.end()
  const drawn = written(stream).split('\r\x1b[2K')
  expect(drawn).toHaveLength(5)
  expect(drawn.at(-1)).toBe('')
})

it('a table aligns names of wide characters by the cells they take', () => {
  const rows = [
    ['价目表.csv', 'file', 'x'],
    ['a.jpg', 'image', 'longer'],
  ]
  expect(renderTable(rows)).toBe('价目表.csv  file   x\na.jpg       image  longer')
  expect(renderTable([])).toBe('')
})
