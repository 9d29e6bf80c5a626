// Runs the simulation at full size: npm run simulate -- [--media 10000,100000,1000000] [--only TEXT] [--seed N] [--jobs N] [--page]
// Each run has a process of its own, so that none inherits the memory of another. `--page` writes its row into reliability.md as
// soon as it is over, and leaves the rows of what was not run.
import { fork } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Report, runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { longRuns, longScenarios } from './scenarios.ts'
import { renderLine, renderPage } from './table.ts'
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

async function runAll(
  errands: readonly Errand[],
  jobs: number,
  onReport: (report: Report) => void,
): Promise<void> {
  let next = 0
  const work = async () => {
    for (let at = next++; at < errands.length; at = next++) {
      const errand = errands[at]
      if (errand === undefined) return
      const report = await runInChild(errand)
      console.log(report ? renderLine(report) : `FAILED ${errand.scenario.name}: see above`)
      if (report) onReport(report)
      if (report === undefined || judge(report).length > 0) process.exitCode = 1
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
}

/** All of one size. */
const scenariosOf = (media: number): readonly Scenario[] => [
  ...longRuns().filter((scenario) => scenario.media === media),
  ...longScenarios(media),
]

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      media: { type: 'string', default: '10000,100000,1000000' },
      only: { type: 'string', default: '' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      page: { type: 'boolean', default: false },
    },
  })
  const errands = values.media
    .split(',')
    .flatMap((media) => scenariosOf(Number(media)))
    .filter(({ name }) => name.includes(values.only))
    .map((scenario) => ({ scenario, seed: Number(values.seed) }))
  await runAll(errands, Number(values.jobs), (report) => {
    if (values.page)
      writeFileSync(PAGE, renderPage(readFileSync(PAGE, 'utf8'), [report], scenariosOf))
  })
}

if (process.argv.includes('--child')) await serve()
else await main()
