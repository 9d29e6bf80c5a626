// Answers for the list of scenarios: what is run with every test, and what `npm run simulate` runs. As data.
import {
  HOUR_MS,
  type Incident,
  type Scenario,
  SHORTEST_ANSWER_MS,
  UPLOAD_SLOTS,
} from './scenario.ts'

const OUTAGE_HOURS = [1, 12, 24, 30, 36] as const

const HEALTHY: Scenario = {
  name: '',
  media: 0,
  days: 30,
  grade: 'contents',
  begins: 'leveled',
  share: 0.5,
  faultRate: 0,
  slots: UPLOAD_SLOTS,
  shortestAnswerMs: SHORTEST_ANSWER_MS,
  incidents: [],
  expects: [],
}

type Differences = Partial<Scenario> & Pick<Scenario, 'name'>

const scenario = (media: number, differences: Differences): Scenario => ({
  ...HEALTHY,
  media,
  ...differences,
})

const outage = (atHours: number, hours: number): Incident => ({ kind: 'outage', atHours, hours })
const leap = (atHours: number, byHours: number): Incident => ({ kind: 'leap', atHours, byHours })

/** How long a bulk of so many takes at half of the quota, in hours: the least is the "one hour". */
const bulkHours = (media: number) => Math.max(1, media / 75_000)

const quietMonth = (media: number) =>
  scenario(media, { name: 'nothing happens', expects: ['nothing-dies', 'flat'] })

const faults = (media: number) =>
  scenario(media, { name: '15 % of the calls fail', faultRate: 0.15, expects: ['nothing-dies'] })

const bulk = (media: number) =>
  scenario(media, {
    name: 'everything is uploaded at once',
    begins: 'bulk',
    expects: ['nothing-dies', 'flat'],
  })

const smallQuota = (media: number) =>
  scenario(media, { name: 'a tenth of the quota', share: 0.1, expects: ['nothing-dies'] })

const wholeQuota = (media: number) =>
  scenario(media, {
    name: 'everything at once, all of the quota',
    begins: 'bulk',
    share: 1,
    days: 10,
    expects: ['nothing-dies', 'flat'],
  })

/** All of them and one that just fits into the reserve, far enough apart that nothing is left of the one before. */
const outagesInStride = (media: number) =>
  scenario(media, {
    name: 'outages of 1, 12, 23, 24, 30 and 36 h in its stride',
    incidents: [1, 12, 23, 24, 30, 36].map((hours, number) => outage(48 + number * 112, hours)),
    expects: ['best-drain'],
  })

/** The drain of a long outage takes hours here, so that it matters a lot who goes first. */
const outagesWithLittleQuota = (media: number) => ({
  ...outagesInStride(media),
  name: 'the same outages, with so little quota that a drain takes hours',
  share: Math.min(1, media / 1_000_000),
})

const outagesAmongFaults = (media: number) => ({
  ...outagesInStride(media),
  name: 'the same outages, and 15 % of the calls fail',
  faultRate: 0.15,
})

/** The quota makes the order matter, and a drain of hours meets more of what can fail. */
const outagesAmongFaultsWithLittleQuota = (media: number) => ({
  ...outagesWithLittleQuota(media),
  name: 'the same outages, with little quota, and 15 % of the calls fail',
  faultRate: 0.15,
})

const outagesAfterBulk = (media: number) =>
  OUTAGE_HOURS.map((hours) =>
    scenario(media, {
      name: `${hours} h of outage right after a bulk`,
      begins: 'bulk',
      days: 7,
      incidents: [outage(Math.ceil(bulkHours(media) * 1.1), hours)],
      expects: ['best-drain'],
    }),
  )

/** 44 hours after the bulk its first renewals would be in full course, if nothing had leveled them. */
const outagesInWave = (media: number, lengths: readonly number[] = OUTAGE_HOURS) =>
  lengths.map((hours) =>
    scenario(media, {
      name: `${hours} h of outage during the first wave`,
      begins: 'bulk',
      days: 8,
      incidents: [outage(44, hours)],
      expects: ['best-drain'],
    }),
  )

/**
 * After so long everything is about to die, and what is left of the quota would take hours for it: it cannot save all, so
 * what it saves must be the most.
 */
const brink = (media: number) => {
  const from = Math.ceil(bulkHours(media) * 1.1) + 1
  const share = Math.min(0.1, media / 1_000_000)
  return scenario(media, {
    name: 'an outage until the last moment, then little quota',
    begins: 'bulk',
    days: 14,
    incidents: [
      { kind: 'share', atHours: from, share },
      outage(from + 0.5, 72 + bulkHours(media) / 4 - from - 0.5),
    ],
    expects: ['best-drain'],
  })
}

const leaps = (media: number) =>
  scenario(media, {
    name: 'the clock leaps a day forward, and a day back',
    days: 14,
    incidents: [leap(48, 24), leap(96, -24), leap(144, -24), leap(192, 24)],
    expects: ['nothing-dies'],
  })

const leapsInOutage = (media: number) =>
  scenario(media, {
    name: 'the clock leaps while WeCom is out of reach',
    days: 14,
    incidents: [outage(48, 36), leap(80, -24), outage(168, 36), leap(170, 24)],
    expects: ['best-drain'],
  })

const restarts = (media: number, days: number) =>
  scenario(media, {
    name: 'a restart every hour',
    days,
    restartEveryHours: 1,
    faultRate: 0.15,
    expects: ['nothing-dies'],
  })

const restartsInBulk = (media: number, days: number) =>
  scenario(media, {
    name: 'a restart every hour, everything at once',
    days,
    begins: 'bulk',
    restartEveryHours: 1,
    expects: ['nothing-dies'],
  })

/** Worse than any supervisor: each life has used up a quarter of the hour's calls before it ends. */
const crashLoop = (media: number) =>
  scenario(media, {
    name: 'a death every quarter of an hour, everything at once',
    days: 4,
    begins: 'bulk',
    restartEveryHours: 0.25,
    share: Math.min(0.5, media / 200_000),
    expects: ['nothing-dies'],
  })

const dropIn = (media: number, files: number) =>
  scenario(media, {
    name: `${files.toLocaleString('en')} new files during a renewal wave`,
    begins: 'bulk',
    days: 10,
    incidents: [{ kind: 'drop-in', atHours: 44, files }],
    expects: ['nothing-dies'],
  })

/** So slow that one slot keeps so many alive and no more; with half of the quota to spare. */
const slowAnswers = (media: number, begins: Scenario['begins']) =>
  scenario(media, {
    name: `answers so slow that one slot can just keep all${begins === 'bulk' ? ', everything at once' : ''}`,
    begins,
    days: 14,
    slots: 1,
    shortestAnswerMs: Math.floor((LOAD * 44 * HOUR_MS) / media) - SHORTEST_ANSWER_MS,
    expects: ['nothing-dies'],
  })

/** The quota would revive the dead in no time; the slot has no time for them while the living need it. */
const slowAnswersAndOutage = (media: number, load: number) =>
  scenario(media, {
    name: `36 h of outage, and one slot of which answers take ${load * 100} %`,
    days: 8,
    slots: 1,
    shortestAnswerMs: Math.floor((load * 44 * HOUR_MS) / media) - SHORTEST_ANSWER_MS,
    incidents: [outage(40, 36)],
    expects: ['good-drain'],
  })

/** Of what the slot can do; the rest is its reserve. */
const LOAD = 0.97

/** A minute or more each at a million; `npm run simulate -- --page` writes a table of them. */
export const longScenarios = (media: number): readonly Scenario[] => [
  quietMonth(media),
  faults(media),
  bulk(media),
  wholeQuota(media),
  smallQuota(media),
  outagesInStride(media),
  outagesWithLittleQuota(media),
  outagesAmongFaults(media),
  outagesAmongFaultsWithLittleQuota(media),
  ...outagesAfterBulk(media),
  ...outagesInWave(media),
  brink(media),
  leaps(media),
  leapsInOutage(media),
  dropIn(media, 100_000),
  slowAnswers(media, 'leveled'),
  slowAnswers(media, 'bulk'),
  slowAnswersAndOutage(media, 0.9),
  slowAnswersAndOutage(media, 0.7),
  ...(media <= 100_000 ? [restarts(media, 10), restartsInBulk(media, 10), crashLoop(media)] : []),
]

const yearOfFaults = (media: number) => ({
  ...faults(media),
  name: 'a year in which 15 % of the calls fail',
  days: 365,
})

/** Beside the sets by size. */
export const longRuns = (): readonly Scenario[] => [yearOfFaults(10_000)]

const FEW = 2_000
/** The whole store, journal and document, is read anew at each restart. */
const VERY_FEW = 500

/** Seconds in all: run with every test. */
export const shortScenarios = (): readonly Scenario[] => [
  yearOfFaults(1_000),
  { ...bulk(10_000), days: 8 },
  { ...restarts(VERY_FEW, 4), grade: 'journal' },
  { ...restartsInBulk(VERY_FEW, 4), grade: 'journal' },
  crashLoop(FEW),
  outagesInStride(FEW),
  outagesWithLittleQuota(FEW),
  outagesAmongFaults(FEW),
  ...outagesInWave(FEW, [12, 36]),
  brink(FEW),
  leaps(FEW),
  leapsInOutage(FEW),
  dropIn(FEW, 2 * FEW),
  slowAnswers(FEW, 'leveled'),
  slowAnswers(FEW, 'bulk'),
  slowAnswersAndOutage(5 * FEW, 0.9),
  slowAnswersAndOutage(5 * FEW, 0.7),
  outagesAmongFaultsWithLittleQuota(FEW),
]
