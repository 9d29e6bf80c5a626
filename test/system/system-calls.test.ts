// The program as it stands, killed right before one system call after the other that changes a directory or flushes: what the
// labelled points of test/crash cannot name, such as those of downloads. strace counts the calls, and kills.
import { randomInt } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Death } from '../crash/deaths.ts'
import { crash } from '../crash/rounds.ts'

/** How many of each, by the names that systems have for it. */
const CALLS: Readonly<Record<string, number>> = {
  '?link,linkat': 4,
  '?rename,renameat,renameat2': 4,
  '?unlink,unlinkat': 5,
  fsync: 4,
  fdatasync: 4,
  utimensat: 1,
}

const deaths = Object.entries(CALLS).flatMap(([calls, count]) =>
  Array.from(
    { length: count },
    (_, index): Death => ({
      kind: 'system-call',
      calls,
      nth: index + 1,
    }),
  ),
)

it('keeps every promise when it is killed before any of its first system calls', async () => {
  const seed = randomInt(2 ** 31)
  const { missed, contents, uploads } = await crash(seed, () => deaths)
  expect(missed, `seed ${seed}`).toEqual([])
  expect(uploads / contents, `seed ${seed}`).toBeLessThanOrEqual(1.1)
}, 300_000)
