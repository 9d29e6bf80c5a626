// Release, passes and queue together, over days: which renewals are begun when, and whether each of them comes in time.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDangerWatch } from '../src/danger-watch.ts'
import { planLife } from '../src/media/lifetime.ts'
import type { FileFacts, MediaPath } from '../src/media/media.ts'
import { createPasses } from '../src/pass.ts'
import { foresee } from '../src/plan/capacity.ts'
import { createRenewalRelease } from '../src/renewal-release.ts'
import { createEvents } from '../src/support/events.ts'
import { createTransferQueue } from '../src/transfer/transfer-queue.ts'
import { aFile, aMediaId, anEntry, aPath, HOUR_MS, NOW_MS, THREE_DAYS } from './helpers/builders.ts'
import { createFakeClock } from './helpers/fake-clock.ts'
import { folderOf } from './helpers/map-folder.ts'
import { createMemoryManifest } from './helpers/memory-manifest.ts'

const MINUTE_MS = 60_000
const NOTHING = { count: 0, sizeBytes: 0 }
const DAY_MS = 24 * HOUR_MS

/** An engine that makes one call at a time, each as long as the rate allows. */
function anEngine({ callsPerHour = 6 } = {}) {
  const clock = createFakeClock(NOW_MS)
  const events = createEvents()
  const manifest = createMemoryManifest()
  const files = new Map<MediaPath, FileFacts>()
  const renewed: { path: string; atMs: number; aliveForMs: number }[] = []
  const rate = { callsPerHour, bytesPerSecond: undefined }
  const bugs: unknown[] = []
  let uploads = 0
  const renewals = createRenewalRelease({
    manifest,
    queue: () => queue,
    rate: () => rate,
    policy: THREE_DAYS,
    clock,
  })
  const passes = createPasses({
    renewals,
    folder: folderOf(files),
    manifest,
    queue: () => queue,
    async perform(step) {
      if (step.kind !== 'renew' && step.kind !== 'upload') return
      const createdAtMs = clock.nowMs()
      await clock.sleep(HOUR_MS / callsPerHour)
      const atMs = clock.nowMs()
      if (step.kind === 'renew')
        renewed.push({ path: step.path, atMs, aliveForMs: step.entry.expiresAtMs - atMs })
      await put(step.path, planLife(createdAtMs, THREE_DAYS, (uploads % 7) / 7))
    },
    policy: {
      onDelete: 'restore',
      lifetimeMs: THREE_DAYS.lifetimeMs,
      renewReferences: false,
      isIgnored: () => false,
      host: 'here',
    },
    clock,
    isOutage: () => false,
    emit: events.emit,
    onBug: (bug) => void bugs.push(bug),
  })
  const queue = createTransferQueue({
    perform: passes.perform,
    onOverlap: (path) => passes.request({ because: 'overlap', paths: [path] }),
    admits: () => true,
    isProbing: () => false,
    random: () => 0,
    slots: () => ({ uploads: 1, downloads: 1 }),
    pressure: () => renewals.outlook().pressure,
    askedAtMs: () => undefined,
    clock,
    after: clock.after,
    waitMs: () => 0,
  })

  async function put(path: string, life: ReturnType<typeof planLife>) {
    const file = aFile({ path })
    files.set(file.path, file)
    const entry = anEntry({ of: file, ...life, mediaId: aMediaId(`id-${uploads++}`) })
    await manifest.commit([{ kind: 'put-entry', entry }])
  }

  return {
    clock,
    events,
    manifest,
    files,
    passes,
    queue,
    renewals,
    renewed,
    bugs,
    put,
    outlook: async () => foresee(await manifest.workload(), rate, THREE_DAYS, clock.nowMs()),
    async run(forMs: number, everyMs = 5 * MINUTE_MS) {
      for (let ranMs = 0; ranMs < forMs; ranMs += everyMs) {
        passes.request({ because: 'tick', due: true })
        await passes.planned()
        await clock.advance(everyMs)
      }
      expect(bugs).toEqual([])
    },
  }
}

/** As if uploaded so long ago, and drawn to be renewed so late within the spread. */
const uploadedAgo = (hours: number, random = 0) =>
  planLife(NOW_MS - hours * HOUR_MS, THREE_DAYS, random)

describe('renewals', () => {
  it('come when they are due while nothing presses', async () => {
    const engine = anEngine({ callsPerHour: 6000 })
    await engine.put('old', uploadedAgo(47))
    await engine.put('young', uploadedAgo(1))
    await engine.run(2 * HOUR_MS)
    expect(engine.renewed.map(({ path }) => path)).toEqual(['old'])
  })

  it('begin early when the coming deaths would not fit into the time before them', async () => {
    // 100 media of one hour, at 6 calls an hour: 17 hours of work, due within the same 8 hours.
    const engine = anEngine()
    for (let n = 0; n < 100; n++) await engine.put(`${n}`, uploadedAgo(30, n / 100))
    await engine.run(43 * HOUR_MS)
    expect(engine.renewed.length).toBeGreaterThanOrEqual(100)
    const worst = Math.min(...engine.renewed.map(({ aliveForMs }) => aliveForMs))
    expect(worst).toBeGreaterThanOrEqual(THREE_DAYS.beforeMs - HOUR_MS)
  })

  it('are spread over the whole time after a bulk, and stay so', async () => {
    const engine = anEngine({ callsPerHour: 60 })
    for (let n = 0; n < 480; n++) await engine.put(`${n}`, uploadedAgo(0, (n % 97) / 97))
    await engine.run(8 * DAY_MS)
    const perHour = new Array<number>(8 * 24).fill(0)
    for (const { atMs } of engine.renewed) {
      const hour = Math.floor((atMs - NOW_MS) / HOUR_MS)
      perHour[hour] = (perHour[hour] ?? 0) + 1
    }
    const later = perHour.slice(72, -1)
    const mean = later.reduce((sum, count) => sum + count, 0) / later.length
    // Ten in an hour are few: chance alone makes 17 of them once in a while.
    expect(Math.max(...later) / mean).toBeLessThanOrEqual(1.8)
    expect(Math.min(...later)).toBeGreaterThan(0)
  })

  it('are not all begun at once because a clock leapt a day ahead, and are made once', async () => {
    const engine = anEngine({ callsPerHour: 60_000 })
    for (let n = 0; n < 40; n++) await engine.put(`${n}`, uploadedAgo(n))
    await engine.run(10 * MINUTE_MS)
    engine.clock.leap(DAY_MS)
    await engine.run(5 * MINUTE_MS)
    engine.clock.leap(-DAY_MS)
    await engine.run(DAY_MS)
    const times = new Map<string, number>()
    for (const { path } of engine.renewed) times.set(path, (times.get(path) ?? 0) + 1)
    expect(Math.max(...times.values())).toBe(1)
  })

  it('come back for what was put into the queue and lost on the way', async () => {
    const engine = anEngine()
    await engine.put('a', uploadedAgo(50))
    engine.files.clear()
    await engine.run(HOUR_MS)
    expect(engine.renewed).toEqual([])
    engine.files.set(aFile({ path: 'a' }).path, aFile({ path: 'a' }))
    await engine.run(HOUR_MS)
    expect(engine.renewed).toHaveLength(1)
  })

  it('are measured together with the new files that wait, which are to be kept alive too', async () => {
    const clock = createFakeClock(NOW_MS)
    const waitingNew = { count: 10_000_000, sizeBytes: 0 }
    const { queue } = anEngine()
    const renewals = createRenewalRelease({
      manifest: createMemoryManifest(),
      queue: () => ({ has: queue.has, load: () => ({ ...queue.load(), waitingNew }) }),
      rate: () => ({ callsPerHour: 75_000, bytesPerSecond: undefined }),
      policy: THREE_DAYS,
      clock,
    })
    expect(await renewals.capacity()).toMatchObject({ media: waitingNew, fits: 'too-much' })
  })

  it('lost among thousands that wait are found in a few rounds, at a few thousand looks each', async () => {
    const manifest = createMemoryManifest()
    const clock = createFakeClock(NOW_MS)
    const entries = Array.from({ length: 9_000 }, (_, number) =>
      anEntry({ path: `${number}`, ageHours: 50 + number / 1_000 }),
    )
    await manifest.commit(entries.map((entry) => ({ kind: 'put-entry', entry })))
    let looks = 0
    const isWaiting = new Set<MediaPath>()
    const queue = {
      has: (path: MediaPath) => ++looks > 0 && isWaiting.has(path),
      load: () => ({
        waiting: 0,
        waitingRenewals: isWaiting.size,
        waitingDead: 0,
        waitingNew: NOTHING,
        inFlight: [],
      }),
    }
    const rate = { callsPerHour: 1_000, bytesPerSecond: undefined }
    const renewals = createRenewalRelease({
      manifest,
      queue: () => queue,
      rate: () => rate,
      policy: THREE_DAYS,
      clock,
    })
    for (const path of (await renewals.take()).due) isWaiting.add(path)
    expect(isWaiting.size).toBe(entries.length)
    isWaiting.delete(aPath('0'))
    isWaiting.delete(aPath('8999'))
    const found: MediaPath[] = []
    for (let round = 0; round < 5; round++) {
      looks = 0
      found.push(...(await renewals.take()).due)
      expect(looks).toBeLessThan(4_000)
      for (const path of found) isWaiting.add(path)
    }
    expect(found.toSorted()).toEqual(['0', '8999'])
  })

  it('of what is in danger do not wait for a schedule that comes once a day', async () => {
    const engine = anEngine()
    const watch = createDangerWatch({
      clock: engine.clock,
      serviceClock: engine.clock,
      events: engine.events,
      nextDangerAtMs: engine.renewals.nextDangerAtMs,
      lifetimeMs: THREE_DAYS.lifetimeMs,
      request: () => engine.passes.request({ because: 'danger', due: true }),
      onBug: (bug) => void engine.bugs.push(bug),
    }).start()
    await engine.put('a', uploadedAgo(47))
    await engine.run(3 * DAY_MS, DAY_MS)
    watch()
    expect(engine.renewed.length).toBeGreaterThan(0)
    expect(Math.min(...engine.renewed.map(({ aliveForMs }) => aliveForMs))).toBeGreaterThan(
      5 * HOUR_MS,
    )
    expect(engine.clock.pendingTimers()).toBe(0)
  })

  it('of any set that fits come before the deaths, whatever else is dropped in meanwhile', async () => {
    const anySet = fc.record({
      ages: fc.array(fc.integer({ min: 30, max: 70 }), {
        minLength: 10,
        maxLength: 60,
        size: 'max',
      }),
      newcomers: fc.array(fc.integer({ min: 0, max: 70 }), { maxLength: 20 }),
    })
    let tight = 0
    await fc.assert(
      fc.asyncProperty(anySet, async ({ ages, newcomers }) => {
        const engine = anEngine({ callsPerHour: 3 })
        for (const [n, age] of ages.entries())
          await engine.put(`${n}`, uploadedAgo(age, (n % 11) / 11))
        // A single slot goes round, so new files may have half of it: such a set fits when it fits into the other half.
        const part = newcomers.length > 0 ? 0.5 : 1
        // A call under way, a tick to wait for.
        const { pressure } = await engine.outlook()
        fc.pre(pressure < part * 0.9)
        if (pressure > part * 0.6) tight++
        for (let hour = 0; hour < 72; hour++) {
          for (const [n] of newcomers.entries())
            if (newcomers[n] === hour) {
              const file = aFile({ path: `new-${n}` })
              engine.files.set(file.path, file)
              engine.passes.request({ because: 'new', paths: [file.path] })
            }
          await engine.run(HOUR_MS, 20 * MINUTE_MS)
        }
        const late = engine.renewed.filter(({ aliveForMs }) => aliveForMs < 0)
        expect(late).toEqual([])
        for await (const entry of engine.manifest.entries())
          expect(entry.expiresAtMs).toBeGreaterThan(engine.clock.nowMs())
        // Nobody waits for ever: every newcomer has its id.
        for (const [n] of newcomers.entries())
          expect(await engine.manifest.findEntry(aFile({ path: `new-${n}` }).path)).toBeDefined()
      }),
      { numRuns: 12 },
    )
    expect(tight).toBeGreaterThan(0)
  })

  it('come in the same order however often the plan is made', async () => {
    const orders = await Promise.all(
      [5, 10, 30].map(async (minutes) => {
        const engine = anEngine({ callsPerHour: 12 })
        for (let n = 0; n < 30; n++) await engine.put(`${n}`, uploadedAgo(50 + ((n * 7) % 20), 0.5))
        engine.passes.request({ because: 'start', all: true, due: true })
        await engine.run(4 * HOUR_MS, minutes * MINUTE_MS)
        return engine.renewed.slice(0, 30).map(({ path }) => path)
      }),
    )
    expect(orders[1]).toEqual(orders[0])
    expect(orders[2]).toEqual(orders[0])
  })
})
