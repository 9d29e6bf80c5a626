import { describe, expect, test } from 'vitest'
import { judgeSettling, type Observation } from '../../src/watch/settle.ts'

const NOW = 1_000_000
const SETTLE = 1_000

interface Look {
  atMs: number
  size?: number
  mtimeMs: number
}

/** What comes of a series of looks at one file; the judgement of the last. */
function watchFile(looks: readonly Look[], settleMs = SETTLE) {
  let previous: Observation | undefined
  let settling = judgeSettling(undefined, { sizeBytes: 0, modifiedAtMs: 0 }, { nowMs: 0, settleMs })
  for (const { atMs, size = 1, mtimeMs } of looks) {
    settling = judgeSettling(
      previous,
      { sizeBytes: size, modifiedAtMs: mtimeMs },
      { nowMs: atMs, settleMs },
    )
    previous = settling.kind === 'unsettled' ? settling.observation : undefined
  }
  return settling
}

describe('settled', () => {
  test.each<[string, Look[]]>([
    ['renamed in with an old mtime', [{ atMs: NOW, mtimeMs: NOW - 5_000 }]],
    ['exactly as old as asked', [{ atMs: NOW, mtimeMs: NOW - SETTLE }]],
    [
      'stood still since its mtime',
      [
        { atMs: NOW, mtimeMs: NOW },
        { atMs: NOW + 1_000, mtimeMs: NOW },
      ],
    ],
    [
      'changed, then stood still',
      [
        { atMs: NOW, mtimeMs: NOW },
        { atMs: NOW + 500, size: 2, mtimeMs: NOW + 500 },
        { atMs: NOW + 1_500, size: 2, mtimeMs: NOW + 500 },
      ],
    ],
    [
      'mtime in the future, still since first seen',
      [
        { atMs: NOW, mtimeMs: NOW + 9e9 },
        { atMs: NOW + 1_000, mtimeMs: NOW + 9e9 },
      ],
    ],
    [
      'the clock fell back an hour, and a settle time passed since',
      [
        { atMs: NOW, mtimeMs: NOW },
        { atMs: NOW - 3.6e6, mtimeMs: NOW },
        { atMs: NOW - 3.6e6 + 1_000, mtimeMs: NOW },
      ],
    ],
  ])('%s', (_, looks) => {
    expect(watchFile(looks)).toEqual({ kind: 'settled' })
  })
})

describe('unsettled', () => {
  test.each<[string, Look[], number]>([
    ['written just now', [{ atMs: NOW, mtimeMs: NOW - 200 }], NOW + 800],
    ['mtime between two milliseconds', [{ atMs: NOW, mtimeMs: NOW - 0.4 }], NOW + 1_000],
    ['mtime in the future', [{ atMs: NOW, mtimeMs: NOW + 9e9 }], NOW + 1_000],
    [
      'grew',
      [
        { atMs: NOW, mtimeMs: NOW },
        { atMs: NOW + 900, size: 2, mtimeMs: NOW },
      ],
      NOW + 1_900,
    ],
    [
      'touched',
      [
        { atMs: NOW, mtimeMs: NOW },
        { atMs: NOW + 900, mtimeMs: NOW + 900 },
      ],
      NOW + 1_900,
    ],
    [
      'changed under our eyes, and given an old mtime',
      [
        { atMs: NOW, mtimeMs: NOW },
        { atMs: NOW + 900, mtimeMs: 5 },
      ],
      NOW + 1_900,
    ],
    [
      'the clock fell back',
      [
        { atMs: NOW, mtimeMs: NOW },
        { atMs: NOW - 3.6e6, mtimeMs: NOW },
      ],
      NOW - 3.6e6 + 1_000,
    ],
  ])('%s', (_, looks, lookAgainAtMs) => {
    expect(watchFile(looks)).toMatchObject({ kind: 'unsettled', lookAgainAtMs, isProblem: false })
  })
})

test('standing still is not asked for when the settle time is nothing', () => {
  expect(watchFile([{ atMs: NOW, mtimeMs: NOW }], 0)).toEqual({ kind: 'settled' })
})

test.each([
  [1_000, 29_999, false],
  [1_000, 30_000, true],
  [10_000, 299_999, false],
  [10_000, 300_000, true],
])(
  'with a settle time of %d ms, writing for %d ms is a problem: %j',
  (settleMs, forMs, isProblem) => {
    const looks = [
      { atMs: NOW, mtimeMs: NOW },
      { atMs: NOW + forMs, size: 2, mtimeMs: NOW + forMs },
    ]
    expect(watchFile(looks, settleMs)).toMatchObject({ kind: 'unsettled', isProblem })
  },
)
