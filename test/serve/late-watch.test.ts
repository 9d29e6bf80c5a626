// Who is told of an outage, and how often: one warning a day, one line when it is over, and nothing for each attempt.

import { describe, expect, it } from 'vitest'
import { createCircumstances } from '../../src/circumstances.ts'
import { WecomUnreachable } from '../../src/errors.ts'
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import { planLife } from '../../src/media/lifetime.ts'
import type { FileFacts, ManifestEntry, MediaPath } from '../../src/media/media.ts'
import { createPasses } from '../../src/pass.ts'
import type { Step } from '../../src/plan/step.ts'
import { createRenewalRelease } from '../../src/renewal-release.ts'
import { createRetries } from '../../src/retries.ts'
import { findLateRenewals, type LateRenewals } from '../../src/serve/late-renewals.ts'
import { createLateWatch } from '../../src/serve/late-watch.ts'
import { describeEvent } from '../../src/support/event-text.ts'
import { createEvents, type MirrorEvent } from '../../src/support/events.ts'
import { createTransferQueue, type TransferQueue } from '../../src/transfer/transfer-queue.ts'
import { createCircuit } from '../../src/wecom/circuit.ts'
import { aFile, anEntry, HOUR_MS, NOW_MS, THREE_DAYS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { folderOf } from '../helpers/map-folder.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

const QUARTER_MS = HOUR_MS / 4
const { lifetimeMs } = THREE_DAYS
const fail = (bug: unknown) => {
  throw bug
}

describe('the watch', () => {
  const late = (wish: Partial<LateRenewals> = {}): LateRenewals => {
    const prospect = { because: 'no calls', hint: 'Mend it.', expected: '', backAtMs: undefined }
    const named = ['a', 'b', 'c', 'd'].map((path) => ({
      entry: anEntry({ path }),
      sinceMs: 0,
      prospect,
    }))
    return { count: 9, isMore: false, expired: 0, nextDeathAtMs: NOW_MS, named, ...wish }
  }
  const none = late({ count: 0, nextDeathAtMs: undefined, named: [] })

  /** Told in every quarter of an hour what `found` says of that moment. */
  function watch(found: (atMs: number) => LateRenewals) {
    const clock = createFakeClock(NOW_MS)
    const told: string[] = []
    const stop = createLateWatch({
      clock,
      serviceClock: clock,
      emit: (event) => {
        const { level, message } = describeEvent(event, NOW_MS)
        told.push(`${(clock.nowMs() - NOW_MS) / HOUR_MS} h ${level}: ${message}`)
      },
      lifetimeMs,
      late: async () => found(clock.nowMs() - NOW_MS),
      onBug: fail,
    }).start()
    return { clock, told, stop }
  }

  it('tells all in one line, not at once, again when a day has passed, and when it is over', async () => {
    const { clock, told, stop } = watch((atMs) => (atMs < 40 * HOUR_MS ? late() : none))
    await clock.advance(60 * HOUR_MS)
    stop()
    const warning =
      'warn: 9 media could not be renewed, the next dies at 2026-11-22T08:00:00.000Z: a, b, c and 6 more: no calls'
    expect(told).toEqual([
      `0.25 h ${warning}`,
      `24.25 h ${warning}`,
      '40.75 h info: no media are late for renewal any more, after 40 h',
    ])
  })

  it('takes what comes and goes within an hour for one trouble', async () => {
    const { clock, told, stop } = watch((atMs) =>
      atMs < 12 * HOUR_MS && (atMs / QUARTER_MS) % 4 === 1 ? late() : none,
    )
    await clock.advance(20 * HOUR_MS)
    stop()
    expect(told).toHaveLength(2)
  })

  it('says louder that some have died, and when there are more than were counted', async () => {
    const { clock, told, stop } = watch(() =>
      late({ expired: 9, isMore: true, nextDeathAtMs: undefined }),
    )
    await clock.advance(HOUR_MS)
    stop()
    expect(told).toEqual([
      '0.25 h error: at least 9 media could not be renewed, 9 of them have died: a, b, c and 6 more: no calls',
    ])
  })

  it('gives the reason that most have, and not that of the few that are on their way', async () => {
    const [first, ...others] = late().named
    if (!first) throw new Error('nothing is late')
    const onItsWay = { ...first, prospect: { ...first.prospect, because: 'on its way' } }
    const { clock, told, stop } = watch(() => late({ named: [onItsWay, ...others] }))
    await clock.advance(QUARTER_MS)
    stop()
    expect(told[0]).toMatch(/: no calls$/)
  })

  it('says nothing once it is stopped, and leaves no timer behind', async () => {
    const { clock, told, stop } = watch(() => late())
    stop()
    await clock.advance(HOUR_MS)
    expect(told).toEqual([])
    expect(clock.pendingTimers()).toBe(0)
  })
})

/** Passes, queue, circuit and watch as the daemon joins them; a folder that is a map, and a service that is there or not. */
async function aMirrorOf(count: number) {
  const clock = createFakeClock(NOW_MS)
  const events = createEvents()
  const told: MirrorEvent[] = []
  events.subscribe((event) => told.push(event))
  const { emit } = events
  let seed = 1
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const manifest = await openLowdbManifest({
    directory: await createTempFolder('state'),
    corpId: 'ww-test',
    clock,
    emit,
    lock: 'exclusive',
    command: 'test',
  })
  const files = new Map<MediaPath, FileFacts>()
  const entries: ManifestEntry[] = []
  for (let number = 0; number < count; number++) {
    const file = aFile({ path: `${number}.jpg`, sizeBytes: 1000 + number })
    files.set(file.path, file)
    entries.push(anEntry({ of: file, ...planLife(NOW_MS, THREE_DAYS, random()) }))
  }
  await manifest.commit(entries.map((entry) => ({ kind: 'put-entry', entry }) as const))
  let isThere = true
  const circuit = createCircuit({ clock, random, emit })
  const folder = folderOf(files)
  const renewals = createRenewalRelease({
    manifest,
    queue: () => queue,
    rate: () => ({ callsPerHour: 75_000, bytesPerSecond: undefined }),
    policy: THREE_DAYS,
    clock,
  })
  async function perform(step: Step) {
    const tell = circuit.enter()
    const error = new WecomUnreachable('cannot reach WeCom: timed out')
    tell(isThere ? 'well' : error)
    if (!isThere) throw error
    if (step.kind !== 'renew') throw new Error(`no ${step.kind} was expected`)
    const life = planLife(clock.nowMs(), THREE_DAYS, random())
    const entry = { ...step.entry, ...life }
    await manifest.commit([{ kind: 'put-entry', entry }])
    emit({ kind: 'renewed', entry, tookMs: 1 })
  }
  const passes = createPasses({
    folder,
    manifest,
    renewals,
    queue: () => queue,
    perform,
    policy: {
      onDelete: 'restore',
      lifetimeMs: THREE_DAYS.lifetimeMs,
      renewReferences: false,
      isIgnored: () => false,
      host: 'here',
    },
    clock,
    isOutage: () => circuit.state().kind !== 'closed',
    emit,
    onBug: fail,
  })
  const queue: TransferQueue = createTransferQueue({
    async perform(step, signal) {
      await passes.perform(step, signal)
      circuit.release()
    },
    onOverlap: (path) => passes.request({ because: 'overlap', paths: [path] }),
    admits: circuit.admits,
    isProbing: () => circuit.state().kind !== 'closed',
    slots: () => ({ uploads: 4, downloads: 4 }),
    random,
    pressure: () => renewals.outlook().pressure,
    askedAtMs: () => undefined,
    clock,
    after: clock.after,
    waitMs: () => 0,
  })
  circuit.onChange(() => queue.wake())
  createRetries({
    clock,
    random,
    events,
    isWorthwhile: () => circuit.state().kind === 'closed' || queue.load().waiting === 0,
    request: () => passes.request({ because: 'postponed', due: true }),
  }).start()
  const circumstances = createCircumstances({
    folder,
    hasScanned: () => true,
    queue,
    circuit,
    lastError: passes.lastError,
    renewals,
    serviceClock: { skewMs: () => 0 },
  })
  const stop = createLateWatch({
    clock,
    serviceClock: clock,
    emit,
    lifetimeMs,
    late: () => findLateRenewals({ manifest, lifetimeMs, circumstances }, clock.nowMs()),
    onBug: fail,
  }).start()
  passes.request({ because: 'start', all: true, due: true })
  await passes.planned()
  return {
    told,
    async live(hours: number) {
      for (let tick = 0; tick < hours * 12; tick++) {
        passes.request({ because: 'renewal tick', due: true })
        await passes.planned()
        await clock.advance(5 * 60_000)
      }
    },
    begin: () => (isThere = false),
    end: () => (isThere = true),
    idle: queue.idle,
    async close() {
      stop()
      circuit.stop()
      await queue.stop(new Error('over'))
      await manifest.close()
    },
  }
}

it('an outage of 36 hours over 10,000 media is a handful of lines', async () => {
  const site = await aMirrorOf(10_000)
  await site.live(39)
  site.told.length = 0
  site.begin()
  await site.live(36)
  site.end()
  await site.live(1 / 12)
  await site.idle()
  await site.live(2)
  const lines = site.told
    .filter(({ kind }) => kind !== 'renewed')
    .map((event) => describeEvent(event, 0))
    .filter(({ level }) => level !== 'debug')
    .map(({ level, message }) => `${level}: ${message}`)
  expect(site.told.filter(({ kind }) => kind === 'step-postponed').length).toBeGreaterThan(1000)
  expect(lines.filter((line) => line.includes('is tried again later')).length).toBeLessThan(8)
  expect(lines.filter((line) => !line.includes('is tried again later'))).toEqual([
    expect.stringMatching(/^error: no calls to WeCom until .*: cannot reach WeCom: timed out$/),
    expect.stringMatching(
      /^warn: \d+ media could not be renewed, the next dies at .*: \d+\.jpg, \d+\.jpg, \d+\.jpg and \d+ more: no calls to WeCom at present: cannot reach WeCom: timed out$/,
    ),
    expect.stringMatching(/^info: WeCom answers again after 3\d h$/),
    expect.stringMatching(/^info: no media are late for renewal any more, after \d+ h$/),
  ])
  await site.close()
}, 60_000)
