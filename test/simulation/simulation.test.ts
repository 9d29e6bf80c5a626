// The short set: a simulated year and a few bad weeks, in seconds. The long one is `npm run simulate`.
import { expect, it } from 'vitest'
import { runScenario } from './run-scenario.ts'
import { shortScenarios } from './scenarios.ts'
import { judge } from './verdict.ts'

/** Each has a seed of its own, always the same: what fails here fails again, also in `npm run simulate -- --seed N`. */
const stories = shortScenarios().map((scenario, number) => ({ scenario, seed: number + 1 }))

it.each(stories.map((story) => [story.scenario.name, story] as const))(
  'every promise is kept when the story is: %s',
  async (_, { scenario, seed }) => {
    const report = await runScenario(scenario, seed)
    expect(judge(report), `seed ${seed}, trace ${report.digest}`).toEqual([])
  },
  600_000,
)
