// Answers for the table of the reliability page: one row per scenario and size, and their places between the markers of the page.
import type { DrainReport } from './drain.ts'
import type { Report } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { judge, loadOf } from './verdict.ts'

const BEGIN = '<!-- simulation: begin -->'
const END = '<!-- simulation: end -->'

const HEAD = [
  'scenario',
  'media',
  'days',
  'calls',
  'calls/h: mean, peak',
  'fullest minute, hour',
  'ids that died',
  'looks, dead served',
  'outage: died meanwhile; drain took (best), died in it (best with its caution, without)',
  'seed, trace',
  'verdict',
]

/** The rows of a table of another run, and of this one: a scenario at a size has one row, the latest, in the place given. */
export function renderPage(
  page: string,
  reports: readonly Report[],
  scenarios: (media: number) => readonly Scenario[],
): string {
  const { before, rows, after } = cut(page)
  for (const report of reports) {
    const row = renderRow(report)
    rows.set(keyOf(row), row)
  }
  const sizes = [...new Set([...rows.values()].map(([, media = '']) => numberOf(media)))]
  const order = sizes
    .sort((a, b) => a - b)
    .flatMap((media) => scenarios(media).map(({ name }) => keyOf([name, number(media)])))
  const kept = order.map((key) => rows.get(key)).filter((row) => row !== undefined)
  const table: Row[] = [HEAD, HEAD.map(() => '---'), ...kept]
  return `${before}${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n${after}`
}

type Row = readonly string[]

/** What a row is the row of. */
const keyOf = ([name, media]: Row) => `${name}, ${media}`

/** The page around its table, and the rows of that. */
function cut(page: string): { before: string; rows: Map<string, Row>; after: string } {
  const from = page.indexOf(BEGIN) + BEGIN.length + 1
  const to = page.indexOf(END)
  if (from <= BEGIN.length || to < from) throw new Error(`the page has no ${BEGIN} … ${END}`)
  const lines = page.slice(from, to).trimEnd().split('\n').slice(2)
  const rows = lines.map((line) => line.slice(2, -2).split(' | '))
  return {
    before: page.slice(0, from),
    rows: new Map(rows.map((row) => [keyOf(row), row])),
    after: page.slice(to),
  }
}

/** One line for the terminal, as runs come to their end. */
export function renderLine(report: Report): string {
  const broken = judge(report)
  const { scenario, renewals, wallMs, cpuMs } = report
  const speed = `${(wallMs / 1000).toFixed(1)} s, ${(cpuMs / 1000).toFixed(1)} s of CPU, ${((1000 * cpuMs) / renewals).toFixed(1)} µs a renewal`
  const head = `${scenario.media.toLocaleString('en')} media, ${scenario.days} days: ${scenario.name}`
  return `${broken.length === 0 ? 'kept  ' : 'BROKEN'} ${head} (${speed}; seed ${report.seed}, trace ${report.digest})${broken.map((what) => `\n         ${what}`).join('')}`
}

function renderRow(report: Report): string[] {
  const { scenario, counts, deaths, oracle, drains } = report
  const { mean, peak } = loadOf(report)
  const broken = judge(report)
  return [
    scenario.name,
    number(scenario.media),
    number(scenario.days),
    number(counts.calls),
    `${number(mean)}, ${number(peak)}`,
    `${percent(counts.peakMinute)}, ${percent(counts.peakHour)}`,
    number(deaths),
    `${number(oracle.looks)}, ${oracle.servedDeadCount}`,
    drains.map(renderDrain).join('<br>'),
    `${report.seed}, ${report.digest}`,
    broken.length === 0 ? 'kept' : `**broken**: ${broken.join('; ')}`,
  ]
}

const number = (value: number) => Math.round(value).toLocaleString('en')
function renderDrain(drain: DrainReport): string {
  const died = `${number(drain.deaths)}${drain.excusedDeaths > 0 ? ` less ${number(drain.excusedDeaths)}` : ''}`
  return `${hours(drain.outageHours)}: ${number(drain.deathsMeanwhile)}; ${minutes(drain.tookMs)} (${minutes(drain.shortestMs)}), ${died} (${number(drain.fewestWithCare)}, ${number(drain.fewestDeaths)})`
}

const hours = (value: number) => `${Math.round(100 * value) / 100} h`
const numberOf = (text: string) => Number(text.replaceAll(',', ''))
const percent = (part: number) => `${(100 * part).toFixed(0)} %`
const minutes = (ms: number | undefined) =>
  ms === undefined ? 'never' : `${(ms / 60_000).toFixed(1)} min`
