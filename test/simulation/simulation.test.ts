// The short set: a simulated year and a few bad weeks, in seconds. The long one is `npm run simulate`.
import { expect, it } from 'vitest'
import { runScenario } from './run-scenario.ts'
import { shortScenarios } from './scenarios.ts'
import { judge } from './verdict.ts'

const SEED = 1

it.each(shortScenarios().map((scenario) => [scenario.name, scenario] as const))(
  'every promise is kept when the story is: %s',
  async (_, scenario) => {
    const report = await runScenario(scenario, SEED)
    expect(judge(report), `seed ${SEED}, trace ${report.digest}`).toEqual([])
  },
  120_000,
)
