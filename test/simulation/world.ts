// Answers for what a run is made of, from scenario and seed: folder, service, manifest, mirror and who watches them, and what may
// befall them. Not for the time that passes in it (run-scenario.ts).
import type { Manifest } from '../../src/manifest/manifest.ts'
import { planLife } from '../../src/media/lifetime.ts'
import { createAgenda } from './agenda.ts'
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
import { createModelledService, olderMediaId } from './modelled-service.ts'
import { createModelledState, fillManifest } from './modelled-state.ts'
import { createOracle } from './oracle.ts'
import type { Report } from './run-scenario.ts'
import {
  CORP_QUOTA,
  DAY_MS,
  HOUR_MS,
  type Incident,
  RENEWAL,
  type Scenario,
  TICK_MS,
} from './scenario.ts'
import { createTrace } from './trace.ts'
import { createVirtualClock } from './virtual-clock.ts'

const START_MS = Date.UTC(2026, 10, 22)
/** The service's clock is not ours: up to a minute ahead or behind, by the seed. */
const MOST_SKEW_MS = 60_000

/** A world as it is before its first tick. */
export async function createWorld(scenario: Scenario, seed: number) {
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
    shortestAnswerMs: scenario.shortestAnswerMs,
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
      settings: { renewal: RENEWAL, quota: { ...CORP_QUOTA, share }, uploads: scenario.slots },
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
      const entry = createModelledEntry(folder.file(index), olderMediaId(index, createdAtMs), life)
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
        slots: scenario.slots,
        shortestAnswerMs: scenario.shortestAnswerMs,
        aheadMs: mirror.serviceNowMs() - service.nowMs(),
        slotsLeft: scenario.faultRate > 0 ? () => mirror.slots() : undefined,
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
    report(took: Pick<Report, 'wallMs' | 'cpuMs'>): Report {
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
        ...took,
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
