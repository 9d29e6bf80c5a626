// Everything that can happen to a tree, at random, for a minute with each seed: in the end folder and manifest agree.
import { expect, it } from 'vitest'
import { churnSite } from '../helpers/churned-site.ts'

const { CHURN_SEED } = process.env
const SEEDS = CHURN_SEED === undefined ? [1, 2, 3] : [Number(CHURN_SEED)]

it.each(SEEDS)('seed %i', async (seed) => {
  const figures = await churnSite({ seed, standing: 600, forMs: 60_000, isPatient: true })
  console.log(`seed ${seed}:`, figures)
  expect(figures.operations).toBeGreaterThan(1_000)
})
