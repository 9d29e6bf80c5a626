// The whole program in process, on one virtual clock with the service: weeks pass in seconds.
import { rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { parseConfig } from '../src/config/load.ts'
import { openMirror } from '../src/daemon.ts'
import { readKnownTime } from '../src/known-time.ts'
import { createEvents, type MirrorEvent } from '../src/support/events.ts'
import { HOUR_MS } from './helpers/builders.ts'
import { createFakeClock } from './helpers/fake-clock.ts'
import { aPng } from './helpers/samples.ts'
import { createTempFolder } from './helpers/temp-folder.ts'
import { until } from './helpers/until.ts'
import { withSimulator } from './helpers/with-simulator.ts'

const never = new AbortController().signal

async function setUp(fileCount: number) {
  // Files have real times, so virtual time begins a little after them.
  const clock = createFakeClock(Date.now() + HOUR_MS)
  const wecom = await withSimulator({ clock })
  const [folder, state] = [await createTempFolder('folder'), await createTempFolder('state')]
  for (let number = 0; number < fileCount; number++)
    await writeFile(join(folder, `${number}.png`), aPng(100 + number))
  const text = JSON.stringify({
    wecom: { corpId: 'ww-test', secret: 'secret', baseUrl: wecom.baseUrl },
    folder: { path: folder },
    state,
  })
  const config = parseConfig({ text, file: join(state, '../config.yaml'), shownAs: 'test' }, {})
  const events = createEvents()
  const told: MirrorEvent[] = []
  events.subscribe((event) => told.push(event))
  const bugs: unknown[] = []
  const open = () =>
    openMirror(config, {
      env: {},
      pid: process.pid,
      command: 'test',
      clock,
      random: Math.random,
      events,
      isWatched: false,
      onBug: (error) => bugs.push(error),
    })
  let mirror = await open()
  onTestFinished(async () => {
    await mirror.stop()
    expect(bugs).toEqual([])
  })
  return {
    clock,
    wecom,
    folder,
    told,
    pass: () => mirror.desk.mirror(() => {}, never),
    /** For passes in trouble: the waits within a step are on the virtual clock too. */
    async passWhileTimeGoesOn() {
      const passing = mirror.desk.mirror(() => {}, never)
      let isOver = false
      passing.finally(() => (isOver = true))
      await until(() => isOver, { what: 'the pass', meanwhile: () => clock.advance(1000) })
      return passing
    },
    list: () => mirror.desk.list(),
    lookUp: (path: string) => mirror.desk.lookUp(path),
    status: () => mirror.desk.status(),
    state,
    plan: () => mirror.desk.plan(),
    async restart() {
      await mirror.stop()
      mirror = await open()
    },
    /** Every id that would be handed out now is one that the service knows now. */
    async expectNoDeadId() {
      const known = new Set(wecom.controls.media().map((medium) => medium.mediaId as string))
      const media = await mirror.desk.list()
      const live = media.filter((one) => one.alive)
      expect(live.filter(({ media_id }) => !known.has(media_id))).toEqual([])
      return live.length
    },
  }
}

it('keeps 30 media alive for two weeks, each renewed in its own time and no more often than needed', async () => {
  const site = await setUp(30)
  await site.pass()
  for (let hour = 0; hour < 14 * 24; hour += 4) {
    await site.clock.advance(4 * HOUR_MS)
    await site.pass()
    expect(await site.expectNoDeadId()).toBe(30)
  }
  // Renewed after 40 to 48 hours (seen every 4): 7 or 8 times in 336 hours.
  const { upload = 0 } = site.wecom.controls.counts()
  expect(upload).toBeGreaterThanOrEqual(30 * (1 + 6))
  expect(upload).toBeLessThanOrEqual(30 * (1 + 9))
}, 60_000)

it('planning again after a finished pass yields no steps', async () => {
  const site = await setUp(5)
  await site.pass()
  expect(await site.plan()).toEqual([])
})

it('after a week off, what is dead is not handed out, and one pass makes it good', async () => {
  const site = await setUp(5)
  await site.pass()
  await site.clock.advance(7 * 24 * HOUR_MS)
  await site.restart()
  expect(await site.expectNoDeadId()).toBe(0)
  expect((await site.pass()).renewed).toBe(5)
  expect(await site.expectNoDeadId()).toBe(5)
})

it('a look-up in vain says why, and has the path looked at again', async () => {
  const site = await setUp(1)
  await site.pass()
  await site.clock.advance(7 * 24 * HOUR_MS)
  await site.restart()
  expect(await site.lookUp('0.png')).toMatchObject({
    kind: 'not-live',
    because: expect.stringMatching(/expired at .*: the folder is looked at for the first time/),
    expected_back: 'within about 60 s',
  })
  const isHeard = () =>
    site.told.some(
      (event) => event.kind === 'pass-planned' && event.because === 'asked for in vain',
    )
  await until(isHeard, { what: 'the pass' })
  await site.pass()
  expect(await site.lookUp('0.png')).toMatchObject({ kind: 'live' })
})

it('the status tells the load of renewals and what keeping everything alive takes', async () => {
  const site = await setUp(5)
  await site.pass()
  expect(await site.status()).toMatchObject({
    renewals: { waiting: 0, pace: expect.any(Number), pressure: expect.any(Number) },
    capacity: { media: { count: 5 }, fits: 'yes' },
    late: { count: 0 },
  })
})

it('a clock that leaps a day ahead, and one that falls back an hour, cost a pass and no dead id', async () => {
  const site = await setUp(5)
  await site.pass()
  site.clock.leap(25 * HOUR_MS)
  await site.pass()
  expect(await site.expectNoDeadId()).toBe(5)
  site.clock.leap(-HOUR_MS)
  expect((await site.pass()).failed).toEqual([])
  expect(await site.expectNoDeadId()).toBe(5)
})

it("a machine whose clock is a day off goes by the service's clock", async () => {
  const site = await setUp(3)
  site.wecom.controls.change({ clockSkewMs: -24 * HOUR_MS })
  await site.pass()
  expect(site.told).toContainEqual(expect.objectContaining({ kind: 'clock-skew' }))
  await site.clock.advance(30 * HOUR_MS)
  await site.pass()
  expect(await site.expectNoDeadId()).toBe(3)
  expect(site.wecom.controls.counts()).toMatchObject({ upload: 3 })
  await site.restart()
  const known = await readKnownTime(site.state)
  expect(Math.abs((known?.skewMs ?? 0) + 24 * HOUR_MS)).toBeLessThan(5000)
})

it('an outage within the margin expires nothing', async () => {
  const site = await setUp(10)
  await site.pass()
  await site.clock.advance(39 * HOUR_MS)
  const over = site.wecom.controls.addFault({ fault: { kind: 'gateway-page', status: 503 } })
  for (let hour = 0; hour < 20; hour += 4) {
    await site.passWhileTimeGoesOn()
    expect(await site.expectNoDeadId()).toBe(10)
    await site.clock.advance(4 * HOUR_MS)
  }
  over()
  await site.clock.advance(10 * 60_000)
  await site.passWhileTimeGoesOn()
  await site.passWhileTimeGoesOn()
  expect(await site.expectNoDeadId()).toBe(10)
  expect(
    (await site.list()).every(({ renew_at }) => Date.parse(renew_at ?? '') > site.clock.nowMs()),
  ).toBe(true)
})

it('a file that was changed in its content and not in its size and age is seen by its ctime', async () => {
  const site = await setUp(1)
  await site.pass()
  const file = join(site.folder, '0.png')
  const [other] = [aPng(100)]
  other[80] = (other[80] ?? 0) ^ 1
  await writeFile(file, other)
  await utimes(file, 1_700_000_000, 1_700_000_000)
  expect((await site.pass()).uploaded).toBe(1)
  await rm(file)
  expect((await site.pass()).restored).toBe(1)
})
