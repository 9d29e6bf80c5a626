// The long form of test/manifest/power-loss.test.ts: longer lives, and many of them. LIVES=1000 makes it that many.
import { expect, test } from 'vitest'
import { liveWithPowerCuts } from '../manifest/power-loss.ts'

const LIVES = Number(process.env.LIVES ?? 120)

test('whenever the power fails, what was acknowledged is there and nothing else is', async () => {
  const total = { operations: 0, cuts: 0, openings: 0 }
  for (let seed = 1000; seed < 1000 + LIVES; seed++) {
    const tally = await liveWithPowerCuts({ seed, steps: 15, hasLinks: seed % 3 > 0, cutEvery: 2 })
    total.operations += tally.operations
    total.cuts += tally.cuts
    total.openings += tally.openings
  }
  console.log(
    `${LIVES} lives, ${total.operations} operations, power cut ${total.cuts} times, ${total.openings} openings`,
  )
  expect(total.openings).toBe(2 * total.cuts + LIVES)
})
