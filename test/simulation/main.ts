// Runs the simulation at full size: npm run simulate -- [--media 100000,1000000] [--only TEXT] [--seed N] [--jobs N] [--page]
// Each run has a process of its own, so that none inherits the memory of another. `--page` writes the table into reliability.md.
import { fork } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Report, runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { longRuns, longScenarios } from './scenarios.ts'
import { renderLine, renderTable, replaceBetweenMarkers } from './table.ts'
import { judge } from './verdict.ts'

const PAGE = fileURLToPath(new URL('reliability.md', import.meta.url))
const HERE = fileURLToPath(import.meta.url)

interface Errand {
  readonly scenario: Scenario
  readonly seed: number
}

/** In the child: one run, whose report goes to the parent. */
async function serve(): Promise<void> {
  process.once('message', async ({ scenario, seed }: Errand) => {
    try {
      const report = await runScenario(scenario, seed)
      process.send?.(report, () => process.disconnect())
    } catch (error) {
      console.error(error)
      process.exitCode = 1
      process.disconnect()
    }
  })
}

const runInChild = (errand: Errand): Promise<Report | undefined> =>
  new Promise((resolve) => {
    const child = fork(HERE, ['--child'])
    let report: Report | undefined
    child.once('message', (message) => {
      report = message as Report
    })
    child.once('exit', () => resolve(report))
    child.send(errand)
  })

async function runAll(errands: readonly Errand[], jobs: number): Promise<(Report | undefined)[]> {
  const reports: (Report | undefined)[] = []
  let next = 0
  const work = async () => {
    for (let at = next++; at < errands.length; at = next++) {
      const errand = errands[at]
      if (errand === undefined) return
      const report = await runInChild(errand)
      reports[at] = report
      console.log(report ? renderLine(report) : `FAILED ${errand.scenario.name}: see above`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return reports
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      media: { type: 'string', default: '100000,1000000' },
      only: { type: 'string', default: '' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      page: { type: 'boolean', default: false },
    },
  })
  const bySize = values.media.split(',').flatMap((media) => longScenarios(Number(media)))
  const errands = [...longRuns(), ...bySize]
    .filter(({ name }) => name.includes(values.only))
    .map((scenario) => ({ scenario, seed: Number(values.seed) }))
  const reports = await runAll(errands, Number(values.jobs))
  const done = reports.filter((report) => report !== undefined)
  if (values.page)
    writeFileSync(PAGE, replaceBetweenMarkers(readFileSync(PAGE, 'utf8'), renderTable(done)))
  if (done.length < errands.length || done.some((report) => judge(report).length > 0))
    process.exitCode = 1
}

if (process.argv.includes('--child')) await serve()
else await main()
