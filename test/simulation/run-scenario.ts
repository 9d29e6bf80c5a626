// Answers for one run: lets the time of a world pass tick by tick, and reports what came of it. Not for what the report ought
// to say: that is verdict.ts.
import type { DrainReport } from './drain.ts'
import type { ServiceCounts } from './modelled-service.ts'
import type { OracleFindings } from './oracle.ts'
import { DAY_MS, type Scenario, TICK_MS } from './scenario.ts'
import { createWorld } from './world.ts'

export interface Report {
  readonly scenario: Scenario
  readonly seed: number
  readonly digest: string
  readonly counts: ServiceCounts
  readonly renewals: number
  /** Ids that died before they were replaced. */
  readonly deaths: number
  /** Media without a living id at the end. */
  readonly deadAtEnd: number
  /** Media that never got an id. */
  readonly withoutId: number
  readonly oracle: OracleFindings
  readonly drains: readonly DrainReport[]
  readonly wallMs: number
  /** What it took of the processors, whoever else was at work. */
  readonly cpuMs: number
}

/** Runs to the end; rejects with what broke, when, and the last events before. */
export async function runScenario(scenario: Scenario, seed: number): Promise<Report> {
  const startedAtMs = performance.now()
  const usedBefore = process.cpuUsage()
  const world = await createWorld(scenario, seed)
  try {
    const endMs = scenario.days * DAY_MS
    for (let atMs = 0; atMs <= endMs; atMs += TICK_MS) await world.tick(atMs)
    const { user, system } = process.cpuUsage(usedBefore)
    return world.report({
      wallMs: performance.now() - startedAtMs,
      cpuMs: (user + system) / 1000,
    })
  } catch (error) {
    throw new Error(world.describe(), { cause: error })
  } finally {
    await world.remove()
  }
}
