// Whole audits with a WeCom and a manifest in memory, on a clock that is told to move.
import { expect, it } from 'vitest'
import { createAudit } from '../src/audit.ts'
import { ManifestUnwritable, WecomRefused, WecomUnreachable } from '../src/errors.ts'
import { openLowdbManifest } from '../src/manifest/lowdb-manifest.ts'
import type { Change } from '../src/manifest/manifest.ts'
import type { ManifestEntry, MediaId, MediaPath } from '../src/media/media.ts'
import type { MirrorEvent } from '../src/support/events.ts'
import { createDeadIds } from '../src/transfer/dead-ids.ts'
import type { DownloadRequest } from '../src/wecom/wecom.ts'
import { aFingerprint, aMediaId, anEntry, aPath, HOUR_MS, NOW_MS } from './helpers/builders.ts'
import { createFakeClock } from './helpers/fake-clock.ts'
import { createMemoryManifest } from './helpers/memory-manifest.ts'
import { createMemoryWecom } from './helpers/memory-wecom.ts'
import { createTempFolder } from './helpers/temp-folder.ts'

const refused = (errcode: number, remedy: WecomRefused['remedy']) =>
  new WecomRefused(`refused with ${errcode}`, { errcode, errmsg: 'no', remedy })

function setUp({ sampleCount = 100 } = {}) {
  const clock = createFakeClock(NOW_MS - 30 * HOUR_MS)
  const wecom = createMemoryWecom({ clock })
  const manifest = createMemoryManifest()
  const events: MirrorEvent[] = []
  const requests: DownloadRequest[] = []
  const renewed: MediaPath[] = []
  let circuit: { kind: 'closed' | 'open'; error?: WecomRefused } = { kind: 'closed' }
  const emit = (event: MirrorEvent) => void events.push(event)
  const stopping = new AbortController()
  const audit = createAudit({
    manifest,
    wecom: {
      async download(request, signal) {
        requests.push(request)
        return wecom.download(request, signal)
      },
    },
    circuit: { state: () => circuit },
    deadIds: createDeadIds({ manifest, clock, emit, onDead: (paths) => renewed.push(...paths) }),
    sampleCount,
    clock,
    sleep: clock.sleep,
    random: Math.random,
    emit,
  })
  return {
    clock,
    wecom,
    manifest,
    events,
    requests,
    renewed,
    audit,
    stopping,
    openCircuit: (error: WecomRefused) => {
      circuit = { kind: 'open', error }
    },
    last: () => audit.state().last,
    /** An entry for a new upload, made now. */
    async know(path: string, with_: Partial<ManifestEntry> = {}) {
      const mediaId = wecom.store({ name: path, bytes: Buffer.from(`content of ${path}`) })
      const ageHours = (NOW_MS - clock.nowMs()) / HOUR_MS
      const entry = anEntry({ path, mediaId, ageHours, ...with_ })
      await manifest.commit([{ kind: 'put-entry', entry }])
      return entry
    },
    find: (path: string) => manifest.findEntry(aPath(path)),
    async run() {
      let isOver = false
      const running = audit.run(stopping.signal).finally(() => (isOver = true))
      running.catch(() => undefined)
      while (!isOver) await clock.advance(100)
      return running
    },
  }
}

/** Uploads of these paths, an hour apart, and then so much time that all may be checked. */
async function knowMany(site: ReturnType<typeof setUp>, count: number) {
  const entries: ManifestEntry[] = []
  for (let number = 0; number < count; number++) {
    entries.push(await site.know(`${String(number).padStart(2, '0')}.jpg`))
    await site.clock.advance(60_000)
  }
  await site.clock.advance(8 * HOUR_MS)
  return entries
}

const idsOf = (entries: readonly { mediaId: MediaId }[]) => entries.map(({ mediaId }) => mediaId)

it('asks for one byte of each id, one after the other with a pause, and records who lives', async () => {
  const site = setUp()
  const entries = await knowMany(site, 3)
  const startedAtMs = site.clock.nowMs()
  await site.run()
  expect(site.requests).toEqual(
    entries.map(({ mediaId }) => ({ mediaId, range: { firstByte: 0, lastByte: 0 } })),
  )
  expect(site.clock.nowMs() - startedAtMs).toBeGreaterThanOrEqual(600)
  expect(await site.find('00.jpg')).toEqual({ ...entries[0], checkedAtMs: startedAtMs })
  expect(await site.find('02.jpg')).toEqual({ ...entries[2], checkedAtMs: startedAtMs + 400 })
  expect(site.last()).toMatchObject({ startedAtMs, checked: 3, alive: 3, dead: 0, unclear: 0 })
  expect(site.events).toMatchObject([{ kind: 'audited', checked: 3, endedBecause: undefined }])
})

it('covers everything within a few audits, the ids without a sign of life for longest first', async () => {
  const site = setUp({ sampleCount: 4 })
  const entries = await knowMany(site, 10)
  for (let run = 0; run < 3; run++) {
    await site.run()
    await site.clock.advance(HOUR_MS)
  }
  expect(idsOf(site.requests)).toEqual(idsOf(entries))
})

it('never asks for an id twice within a twelfth of its life, whatever came of it', async () => {
  const site = setUp()
  await knowMany(site, 2)
  site.wecom.failNext(refused(830002, 'skip'))
  await site.run()
  await site.clock.advance(5 * HOUR_MS)
  await site.run()
  expect(site.requests).toHaveLength(2)
  await site.clock.advance(HOUR_MS)
  await site.run()
  expect(site.requests).toHaveLength(4)
})

it('passes over what is about to be renewed, what has expired and what is new', async () => {
  const site = setUp()
  await site.know('due.jpg', { renewAtMs: site.clock.nowMs() + 8.5 * HOUR_MS })
  await site.know('expired.jpg', { expiresAtMs: site.clock.nowMs() + HOUR_MS })
  const landed = await site.know('landed.jpg', { origin: 'reference', renewAtMs: undefined })
  await site.clock.advance(8 * HOUR_MS)
  await site.know('new.jpg')
  await site.run()
  expect(idsOf(site.requests)).toEqual([landed.mediaId])
})

it('asks once for an id that several paths share, and records it at all of them', async () => {
  const site = setUp()
  const fingerprint = aFingerprint('the same')
  const { mediaId } = await site.know('a.jpg', { fingerprint })
  await site.know('b.jpg', { fingerprint, mediaId })
  const other = await site.know('other-id.jpg', { fingerprint })
  await site.clock.advance(8 * HOUR_MS)
  site.wecom.forget(other.mediaId)
  await site.run()
  expect(site.requests).toHaveLength(2)
  for (const path of ['a.jpg', 'b.jpg'])
    expect(await site.find(path)).toMatchObject({ checkedAtMs: expect.any(Number) })
  expect(await site.find('other-id.jpg')).not.toHaveProperty('checkedAtMs')
})

it('ends the life of a dead id at once, under every path, and has its paths looked at', async () => {
  const site = setUp()
  const { mediaId, expiresAtMs } = await site.know('a.jpg')
  await site.know('b.jpg', { mediaId })
  await site.clock.advance(60_000)
  await knowMany(site, 2)
  site.wecom.forget(mediaId)
  const nowMs = site.clock.nowMs()
  await site.run()
  for (const path of ['a.jpg', 'b.jpg'])
    expect(await site.find(path)).toMatchObject({ expiresAtMs: nowMs, renewAtMs: nowMs })
  expect(site.renewed).toEqual(['a.jpg', 'b.jpg'])
  expect(site.events).toMatchObject([
    { kind: 'id-died', mediaId, path: 'a.jpg', pathCount: 2, expectedUntilMs: expiresAtMs },
    { kind: 'audited', checked: 3, alive: 2, dead: 1, endedBecause: undefined },
  ])
})

it('leaves an entry alone that was renewed while its old id was asked for', async () => {
  const site = setUp()
  const entry = await site.know('a.jpg')
  await site.clock.advance(8 * HOUR_MS)
  site.wecom.forget(entry.mediaId)
  const release = site.wecom.hold()
  const running = site.run()
  while (site.requests.length === 0) await site.clock.advance(1)
  const successor = await site.know('a.jpg')
  release()
  await running
  expect(await site.find('a.jpg')).toEqual(successor)
  expect([site.renewed, site.events]).toMatchObject([[], [{ kind: 'audited', dead: 1 }]])
})

it('asks for nothing that was renewed or forgotten since the sample was taken', async () => {
  const site = setUp()
  await knowMany(site, 3)
  const release = site.wecom.hold()
  const running = site.run()
  while (site.requests.length === 0) await site.clock.advance(1)
  await site.know('01.jpg')
  await site.manifest.commit([{ kind: 'drop-entry', path: aPath('02.jpg') }])
  release()
  await running
  expect(site.requests).toHaveLength(1)
})

it.each([
  ['the network', new WecomUnreachable('no answer from the service')],
  ['the rate', refused(45009, 'slow-down')],
  ['the credentials', refused(40001, 'stop')],
])('stops at the first sign that it is %s that is ill, and says so', async (_, error) => {
  const site = setUp()
  await knowMany(site, 5)
  site.wecom.failNext(error)
  await site.run()
  expect(site.requests).toHaveLength(1)
  expect(site.last()).toMatchObject({ checked: 0, endedBecause: error.message })
  expect((await site.find('00.jpg'))?.checkedAtMs).toBeUndefined()
})

it('goes on with the next ids after a day on which WeCom was ill', async () => {
  const site = setUp()
  const entries = await knowMany(site, 3)
  site.wecom.failNext(refused(45033, 'slow-down'))
  await site.run()
  await site.run()
  expect(idsOf(site.requests)).toEqual(idsOf(entries))
})

it('records what it found before it had to stop', async () => {
  const site = setUp()
  await knowMany(site, 3)
  const { download } = site.wecom
  site.wecom.download = (request, signal) => {
    if (site.requests.length === 3) throw new WecomUnreachable('the line is cut')
    return download(request, signal)
  }
  await site.run()
  expect(site.last()).toMatchObject({ checked: 2, alive: 2, endedBecause: 'the line is cut' })
  expect(await site.find('01.jpg')).toHaveProperty('checkedAtMs')
})

it('asks for nothing while the circuit is open', async () => {
  const site = setUp()
  await knowMany(site, 2)
  site.openCircuit(refused(60020, 'stop'))
  await site.run()
  expect(site.requests).toEqual([])
  expect(site.last()?.endedBecause).toBe('no calls to WeCom at the moment: refused with 60020')
})

it('counts as unclear what is refused for another reason than death', async () => {
  const site = setUp()
  const [entry] = await knowMany(site, 2)
  site.wecom.failNext(refused(830002, 'skip'))
  await site.run()
  expect(site.last()).toMatchObject({ checked: 2, alive: 1, dead: 0, unclear: 1 })
  expect(await site.find('00.jpg')).toEqual(entry)
})

it('goes through its sample when most ids are dead and the newest upload lives', async () => {
  const site = setUp()
  const entries = await knowMany(site, 20)
  for (const { mediaId } of entries.slice(0, 19)) site.wecom.forget(mediaId)
  await site.run()
  expect(site.last()).toMatchObject({ checked: 20, alive: 1, dead: 19, endedBecause: undefined })
  expect(new Set(idsOf(site.requests)).size).toBe(20)
  expect(site.renewed).toHaveLength(19)
})

it('stops when most ids are dead and the newest upload too, and still renews those it found', async () => {
  const site = setUp()
  const entries = await knowMany(site, 20)
  for (const { mediaId } of entries) site.wecom.forget(mediaId)
  await site.run()
  expect(site.last()).toMatchObject({ checked: 11, alive: 0, dead: 11 })
  expect(site.last()?.endedBecause).toMatch(/11 of 11 ids are dead/)
  expect(site.last()?.hint).toMatch(/move its state directory away/)
  expect(site.renewed).toHaveLength(11)
  expect(site.renewed.at(-1)).toBe('19.jpg')
})

it('takes for a control the newest upload that it may ask for', async () => {
  const site = setUp()
  const dead = await knowMany(site, 12)
  for (const { mediaId } of dead) site.wecom.forget(mediaId)
  const control = await site.know('control.jpg')
  await site.clock.advance(60_000)
  await site.know('asked-lately.jpg', { checkedAtMs: site.clock.nowMs() + 8 * HOUR_MS })
  await site.clock.advance(9 * HOUR_MS)
  await site.run()
  expect(site.requests[10]?.mediaId).toBe(control.mediaId)
  expect(site.last()).toMatchObject({ checked: 13, alive: 1, dead: 12, endedBecause: undefined })
})

it('records what it found now and then, so that a crash forgets little', async () => {
  const site = setUp()
  await knowMany(site, 55)
  const running = site.run()
  while (site.requests.length < 52) await site.clock.advance(100)
  expect(await site.find('49.jpg')).toHaveProperty('checkedAtMs')
  expect(await site.find('50.jpg')).not.toHaveProperty('checkedAtMs')
  await running
  expect(await site.find('54.jpg')).toHaveProperty('checkedAtMs')
})

it('takes no control from a few dead ids, nor from half of many', async () => {
  const few = setUp()
  for (const { mediaId } of await knowMany(few, 9)) few.wecom.forget(mediaId)
  await few.run()
  expect(few.last()).toMatchObject({ checked: 9, dead: 9, endedBecause: undefined })
  const half = setUp({ sampleCount: 12 })
  const entries = await knowMany(half, 13)
  for (const { mediaId } of entries.filter((_, n) => n % 2 === 1)) half.wecom.forget(mediaId)
  await half.run()
  expect(half.last()).toMatchObject({ checked: 12, alive: 6, dead: 6, endedBecause: undefined })
})

it('ends early when the disk takes nothing, and says so', async () => {
  const site = setUp()
  await knowMany(site, 2)
  site.manifest.commit = async () => {
    throw new ManifestUnwritable('cannot record: the disk is full', { hint: 'make room' })
  }
  await site.run()
  expect(site.last()).toMatchObject({
    alive: 2,
    endedBecause: 'cannot record: the disk is full',
    hint: 'make room',
  })
})

it('a stop abandons the call under way, records what was found, and tells of no outcome', async () => {
  const site = setUp()
  await knowMany(site, 3)
  const running = site.audit.run(site.stopping.signal)
  while (site.requests.length < 2) await site.clock.advance(100)
  site.stopping.abort(new Error('the mirror is stopping'))
  await site.audit.settled()
  await running
  expect(site.clock.pendingTimers()).toBe(0)
  expect(await site.find('00.jpg')).toHaveProperty('checkedAtMs')
  expect([site.events, site.audit.state()]).toEqual([[], { isRunning: false, last: undefined }])
})

it('a second run joins the one under way', async () => {
  const site = setUp()
  await knowMany(site, 3)
  const first = site.run()
  expect(site.audit.state().isRunning).toBe(true)
  await Promise.all([first, site.audit.run(site.stopping.signal)])
  expect(site.requests).toHaveLength(3)
  expect(site.events).toHaveLength(1)
})

it('a bug is no ending: it reaches whoever ran the audit', async () => {
  const site = setUp()
  await knowMany(site, 1)
  site.wecom.failNext(new TypeError('x is not a function'))
  await expect(site.run()).rejects.toThrow('x is not a function')
  expect(site.audit.state().isRunning).toBe(false)
})

it('a sample of nothing asks for nothing and says nothing', async () => {
  const site = setUp({ sampleCount: 0 })
  await knowMany(site, 1)
  await site.run()
  expect([site.requests, site.events]).toEqual([[], []])
})

it('a clock that leaps a day ahead and back costs no second check', async () => {
  const site = setUp()
  await knowMany(site, 2)
  site.clock.leap(24 * HOUR_MS)
  await site.run()
  site.clock.leap(-24 * HOUR_MS)
  await site.run()
  expect(site.requests).toHaveLength(2)
})

it.each<[string, (entry: ManifestEntry) => Change]>([
  ['renews', (entry) => ({ kind: 'put-entry', entry: { ...entry, mediaId: aMediaId('new') } })],
  ['forgets', ({ path }) => ({ kind: 'drop-entry', path })],
])('undoes nothing that is not flushed yet when another %s what was checked', async (_, change) => {
  const clock = createFakeClock(NOW_MS)
  const manifest = await openLowdbManifest({
    directory: await createTempFolder('state'),
    corpId: 'ww0123456789abcdef',
    clock,
    emit: () => {},
    lock: 'exclusive',
    command: 'test',
  })
  const wecom = createMemoryWecom({ clock })
  const mediaId = wecom.store({ name: 'a.jpg', bytes: Buffer.from('content') })
  const entry = anEntry({ path: 'a.jpg', mediaId, ageHours: 30 })
  await manifest.commit([{ kind: 'put-entry', entry }])
  let other: Promise<void> | undefined
  const audit = createAudit({
    manifest: {
      ...manifest,
      findByFingerprint(fingerprint) {
        other ??= manifest.commit([change(entry)])
        return manifest.findByFingerprint(fingerprint)
      },
    },
    wecom,
    circuit: { state: () => ({ kind: 'closed' }) },
    deadIds: { end: async () => {} },
    sampleCount: 10,
    clock,
    sleep: async () => {},
    random: Math.random,
    emit: () => {},
  })
  await audit.run(new AbortController().signal)
  await other
  const put = change(entry)
  expect(audit.state().last).toMatchObject({ checked: 1, alive: 1 })
  expect(await manifest.findEntry(entry.path)).toEqual('entry' in put ? put.entry : undefined)
  await manifest.close()
})
