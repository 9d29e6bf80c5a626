// Answers for what a run had to show: every promise that it broke, in words. Pure.
import type { DrainReport } from './drain.ts'
import type { Report } from './run-scenario.ts'
import { RENEWAL } from './scenario.ts'

const HOUR_MS = 3_600_000
/** No hour has more calls than so many mean hours. */
const FLAT_BELOW = 1.5
/** A drain may take so much longer than the shortest; pauses that it had to make give it no more. */
const DRAIN_SLACK = 0.05
/** The circuit asks again within a minute of a failure at the latest, and may fail to get its answer once. */
const NOTICED_WITHIN_MS = 2 * 61_000

/** The promises that this run broke; none when all is well. */
export function judge(report: Report): string[] {
  return [
    ...judgeAlways(report),
    ...report.scenario.expects.flatMap((what) => JUDGES[what](report)),
  ]
}

function judgeAlways({ oracle, counts, withoutId, deadAtEnd }: Report): string[] {
  const broken: string[] = []
  if (oracle.servedDeadCount > 0)
    broken.push(`${oracle.servedDeadCount} dead ids were served: ${oracle.servedDead.join('; ')}`)
  if (counts.peakMinute > 1) broken.push(`a minute held ${percent(counts.peakMinute)} of its share`)
  if (counts.peakHour > 1) broken.push(`an hour held ${percent(counts.peakHour)} of its share`)
  if (withoutId > 0) broken.push(`${withoutId} media never got an id`)
  if (deadAtEnd > 0) broken.push(`${deadAtEnd} media were dead at the end`)
  return broken
}

const JUDGES = {
  'nothing-dies': ({ deaths }: Report) => (deaths === 0 ? [] : [`${deaths} ids died`]),
  flat(report: Report) {
    const { peak, mean } = loadOf(report)
    if (peak <= FLAT_BELOW * mean) return []
    return [`an hour had ${peak} calls, ${(peak / mean).toFixed(2)} times the mean`]
  },
  'best-drain': (report: Report) => report.drains.flatMap(judgeDrain),
  'good-drain': (report: Report) =>
    report.drains
      .filter(({ deaths, fewestWithCare, backlog }) => deaths > fewestWithCare + backlog / 1000)
      .map(({ deaths, fewestWithCare }) => `${deaths} ids died, where ${fewestWithCare} had to`),
} as const

function judgeDrain(drain: DrainReport): string[] {
  const broken: string[] = []
  const after = `after ${drain.outageHours} h of outage`
  const inDrain = drain.deaths - drain.excusedDeaths
  const deaths = drain.deathsMeanwhile + inDrain
  if (drain.isCovered && deaths > 0)
    broken.push(`${after} ${deaths} ids died, though it and its drain fit into the reserve`)
  if (drain.backlog > 0 && (drain.noticedAfterMs ?? Infinity) > NOTICED_WITHIN_MS)
    broken.push(`${after} it took ${seconds(drain.noticedAfterMs)} to notice its end`)
  if (drain.tookMs === undefined) broken.push(`${after} the backlog was never done`)
  else if (drain.tookMs > drain.shortestMs + slackMs(drain))
    broken.push(
      `${after} the drain took ${seconds(drain.tookMs)}, not ${seconds(drain.shortestMs)}`,
    )
  if (inDrain > DEATHS_SLACK * drain.fewestWithCare)
    broken.push(`${after} ${inDrain} ids died, where ${drain.fewestWithCare} had to`)
  return broken
}

const slackMs = ({ shortestMs, pausedMs }: DrainReport) =>
  DRAIN_SLACK * (shortestMs - pausedMs) + ROUND_MS

/** Four transfers at a time end in rounds, and the last round is not full. */
const ROUND_MS = 1_000
/**
 * The bound knows all calls beforehand; the mirror chooses up to four of them a moment before they go, probes with any medium, and
 * looks at what presses every five minutes.
 */
const DEATHS_SLACK = 1.001

/** Calls by the hour, from the second lifetime on to the last whole hour. */
export function loadOf({ counts, scenario }: Report): {
  readonly peak: number
  readonly mean: number
} {
  const hours = counts.callsByHour.slice(RENEWAL.lifetimeMs / HOUR_MS, scenario.days * 24)
  const sum = hours.reduce((total, calls) => total + calls, 0)
  return { peak: hours.reduce((most, calls) => Math.max(most, calls), 0), mean: sum / hours.length }
}

const percent = (part: number) => `${(100 * part).toFixed(1)} %`
const seconds = (ms: number | undefined) =>
  ms === undefined ? 'for ever' : `${(ms / 1000).toFixed(1)} s`
