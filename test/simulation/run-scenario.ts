// Answers for one run: builds a world from scenario and seed, lets its time pass tick by tick, and reports what came of it. Not
// for what the report ought to say: that is verdict.ts.
import type { Manifest } from '../../src/manifest/manifest.ts'
import { planLife } from '../../src/media/lifetime.ts'
import { createChance, seedOf } from './chance.ts'
import { type DrainReport, watchDrain } from './drain.ts'
import { createLedger } from './ledger.ts'
import { createModelledBook } from './modelled-book.ts'
import { createModelledFolder } from './modelled-folder.ts'
import {
  createModelledEntry,
  createModelledMirror,
  type ModelledMirror,
} from './modelled-mirror.ts'
import { createModelledService, mediaIdOf, type ServiceCounts } from './modelled-service.ts'
import { createModelledState, fillManifest } from './modelled-state.ts'
import { createOracle, type OracleFindings } from './oracle.ts'
import {
  CORP_QUOTA,
  DAY_MS,
  HOUR_MS,
  type Incident,
  RENEWAL,
  type Scenario,
  TICK_MS,
  UPLOAD_SLOTS,
} from './scenario.ts'
import { createTrace } from './trace.ts'
import { createVirtualClock } from './virtual-clock.ts'

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
}

const START_MS = Date.UTC(2026, 10, 22)
/** The service's clock is not ours: up to a minute ahead or behind, by the seed. */
const MOST_SKEW_MS = 60_000

/** Runs to the end; rejects with what broke, when, and the last events before. */
export async function runScenario(scenario: Scenario, seed: number): Promise<Report> {
  const startedAtMs = performance.now()
  const world = await createWorld(scenario, seed)
  try {
    const endMs = scenario.days * DAY_MS
    for (let atMs = 0; atMs <= endMs; atMs += TICK_MS) await world.tick(atMs)
    return world.report(performance.now() - startedAtMs)
  } catch (error) {
    throw new Error(world.describe(), { cause: error })
  } finally {
    await world.remove()
  }
}

async function createWorld(scenario: Scenario, seed: number) {
  const chance = (part: string) => createChance(seedOf(seed, part))
  const dropped = scenario.incidents.reduce(
    (sum, incident) => sum + (incident.kind === 'drop-in' ? incident.files : 0),
    0,
  )
  const clock = createVirtualClock(START_MS)
  const skewMs = Math.round((2 * chance('skew')() - 1) * MOST_SKEW_MS)
  const trace = createTrace(clock)
  const folder = createModelledFolder()
  const service = createModelledService({
    clock,
    trace,
    random: chance('service'),
    startMs: START_MS + skewMs,
    lifetimeMs: RENEWAL.lifetimeMs,
    faultRate: scenario.faultRate,
  })
  const ledger = createLedger({
    capacity: scenario.media + dropped,
    startMs: service.nowMs(),
    endMs: service.nowMs() + scenario.days * DAY_MS + 2 * RENEWAL.lifetimeMs,
    nowMs: service.nowMs,
  })
  const book = createModelledBook(clock)
  const state = createModelledState(scenario.grade, { clock, emit: () => {} })
  const bugs: unknown[] = []
  const onBug = (error: unknown) => void bugs.push(error)
  const mirrorChance = chance('mirror')
  const drains: (() => DrainReport)[] = []
  const started = performance.now()
  let share = scenario.share
  let deathsBefore = 0
  service.allow(limitsOf(share))
  let manifest = await state.open()
  let mirror = createMirror(manifest)
  const oracle = createOracle({
    clock,
    folder,
    ledger,
    service,
    random: chance('oracle'),
    manifest: () => manifest,
    believedNowMs: () => mirror.serviceNowMs(),
    onBug,
  })

  function createMirror(on: Manifest): ModelledMirror {
    return createModelledMirror({
      clock,
      folder,
      service,
      ledger,
      trace,
      onBug,
      manifest: on,
      book: book.open(),
      random: mirrorChance,
      settings: { renewal: RENEWAL, quota: { ...CORP_QUOTA, share }, uploads: UPLOAD_SLOTS },
    })
  }

  /** The mirror dies with all that is in flight, and another one begins where its manifest ends. */
  async function restart() {
    trace.note('restart', -1)
    clock.forgetTimers()
    manifest = await state.open()
    mirror = createMirror(manifest)
    mirror.start()
  }

  async function begin() {
    folder.dropIn(scenario.media, START_MS - DAY_MS)
    if (scenario.begins === 'leveled') await fill()
    mirror.start()
  }

  async function fill() {
    const random = chance('beginning')
    const roundMs = RENEWAL.lifetimeMs - RENEWAL.beforeMs - RENEWAL.spreadMs / 2
    await fillManifest(manifest, scenario.media, (index) => {
      const ageMs = random() * roundMs
      const createdAtMs = Math.floor((service.nowMs() - ageMs) / 1000) * 1000
      const life = planLife(createdAtMs, RENEWAL, random())
      const entry = createModelledEntry(
        folder.file(index),
        mediaIdOf(-1 - index, createdAtMs),
        life,
      )
      ledger.renewed(index, entry)
      return entry
    })
  }

  async function befall(incident: Incident) {
    trace.note(incident.kind, -1)
    if (incident.kind === 'outage') {
      ledger.settle(service.nowMs())
      deathsBefore = ledger.deaths()
      service.setReachable(false)
    } else if (incident.kind === 'leap') clock.leap(incident.byHours * HOUR_MS)
    else if (incident.kind === 'drop-in')
      mirror.noticed(folder.dropIn(incident.files, clock.nowMs()))
    else {
      share = incident.share
      service.allow(limitsOf(share))
      await restart()
    }
  }

  function endOutage(outageHours: number) {
    service.setReachable(true)
    ledger.settle(service.nowMs())
    drains.push(
      watchDrain({
        clock,
        ledger,
        service,
        outageHours,
        deathsBefore,
        limits: limitsOf(share),
        slots: UPLOAD_SLOTS,
      }),
    )
  }

  const due = createAgenda(scenario, { begin, restart, befall, endOutage })

  return {
    async tick(atMs: number) {
      await clock.runUntil(atMs, () => mirror.isPlanning())
      for (const act of due(atMs)) await act()
      if (bugs.length > 0) throw bugs[0]
      ledger.settle(service.nowMs())
      mirror.tick()
      await oracle.sample()
      oracle.watchDeaths(TICK_MS)
    },
    report(wallMs: number): Report {
      const counts = service.counts()
      const without = folder.count() - ledger.everAlive()
      return {
        scenario,
        seed,
        digest: trace.digest(),
        counts,
        renewals: ledger.renewals(),
        deaths: ledger.deaths(),
        deadAtEnd: ledger.dead(),
        withoutId: without,
        oracle: oracle.found(),
        drains: drains.map((drain) => drain()),
        wallMs,
      }
    },
    describe: () =>
      [
        `scenario "${scenario.name}" with ${scenario.media} media and seed ${seed} broke`,
        `after ${(clock.monotonicMs() / HOUR_MS).toFixed(4)} simulated hours (${Math.round(performance.now() - started)} ms)`,
        `the last events:\n  ${trace.tail().join('\n  ')}`,
      ].join('; '),
    remove: () => state.remove(),
  }
}

/** The windows of a share, as the service counts them. */
const limitsOf = (share: number) => ({
  perMinute: Math.floor(CORP_QUOTA.perMinute * share),
  perHour: Math.floor(CORP_QUOTA.perHour * share),
})

/** What is to be done at which tick. */
function createAgenda(
  scenario: Scenario,
  acts: {
    begin: () => Promise<void>
    restart: () => Promise<void>
    befall: (incident: Incident) => Promise<void>
    endOutage: (hours: number) => void
  },
): (atMs: number) => (() => Promise<void> | void)[] {
  const agenda = new Map<number, (() => Promise<void> | void)[]>()
  const put = (atHours: number, act: () => Promise<void> | void) => {
    const atMs = Math.round((atHours * HOUR_MS) / TICK_MS) * TICK_MS
    agenda.set(atMs, [...(agenda.get(atMs) ?? []), act])
  }
  put(0, acts.begin)
  for (const incident of scenario.incidents) {
    put(incident.atHours, () => acts.befall(incident))
    if (incident.kind === 'outage')
      put(incident.atHours + incident.hours, () => acts.endOutage(incident.hours))
  }
  const { restartEveryHours } = scenario
  if (restartEveryHours !== undefined) {
    for (let hours = restartEveryHours; hours < scenario.days * 24; hours += restartEveryHours)
      put(hours, acts.restart)
  }
  return (atMs) => agenda.get(atMs) ?? []
}
