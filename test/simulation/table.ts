// Answers for the table of the reliability page: one row per run, and its place between the markers of the page.
import type { Report } from './run-scenario.ts'
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

/** The whole table, in Markdown. */
export function renderTable(reports: readonly Report[]): string {
  const rows = [HEAD, HEAD.map(() => '---'), ...reports.map(renderRow)]
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The page with this text between its markers. */
export function replaceBetweenMarkers(page: string, text: string): string {
  const from = page.indexOf(BEGIN)
  const to = page.indexOf(END)
  if (from === -1 || to < from) throw new Error(`the page has no ${BEGIN} … ${END}`)
  return `${page.slice(0, from + BEGIN.length)}\n${text}\n${page.slice(to)}`
}

/** One line for the terminal, as runs come to their end. */
export function renderLine(report: Report): string {
  const broken = judge(report)
  const { scenario, renewals, wallMs } = report
  const speed = `${(wallMs / 1000).toFixed(1)} s, ${((1000 * wallMs) / renewals).toFixed(1)} µs a renewal`
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
    drains
      .map(
        (drain) =>
          `${drain.outageHours} h: ${number(drain.deathsMeanwhile)}; ${minutes(drain.tookMs)} (${minutes(drain.shortestMs)}), ${number(drain.deaths)} (${number(drain.fewestWithCare)}, ${number(drain.fewestDeaths)})`,
      )
      .join('<br>'),
    `${report.seed}, ${report.digest}`,
    broken.length === 0 ? 'kept' : `**broken**: ${broken.join('; ')}`,
  ]
}

const number = (value: number) => Math.round(value).toLocaleString('en')
const percent = (part: number) => `${(100 * part).toFixed(0)} %`
const minutes = (ms: number | undefined) =>
  ms === undefined ? 'never' : `${(ms / 60_000).toFixed(1)} min`
