// Everything that can happen to a tree, at random: in the end folder and manifest agree. test/long/churn.test.ts goes on for a minute.
import { expect, it } from 'vitest'
import { churnSite } from '../helpers/churned-site.ts'

const SEED = 20_261_125

it('after four seconds of random operations folder and manifest agree in every file', async () => {
  const { operations, upload } = await churnSite({
    seed: SEED,
    standing: 150,
    forMs: 4_000,
    isPatient: false,
  })
  expect(operations).toBeGreaterThan(100)
  expect(upload).toBeGreaterThan(10)
}, 60_000)
