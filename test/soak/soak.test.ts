// A long life in short: the whole program in this process, on a clock that runs as fast as the work allows, over the real service
// and a real disk. What it holds after thousands of lifetimes is what it held after the first ones. The hour of the real program is test/long/soak.test.ts.
import { Session } from 'node:inspector/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { type Mirror, openMirror } from '../../src/daemon.ts'
import { createEvents } from '../../src/support/events.ts'
import { HOUR_MS } from '../helpers/builders.ts'
import { createFakeClock, type FakeClock } from '../helpers/fake-clock.ts'
import { NEVER } from '../helpers/machine.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { type Post, takeCensus } from './census.ts'
import { createGoingsOn, plantForGood } from './goings-on.ts'
import { growthBeyond, type Moment, renderTrends, trendsOf } from './trend.ts'

const FILE_COUNT = 100
const TURNS = 31
/** So that nearly all are due at each, and none is dead. */
const TURN_MS = 45 * HOUR_MS
/** At first the code itself is still being warmed, and what is remembered up to a limit is not full. */
const WARM_UP_TURNS = 10
/** A census takes seconds, since all that vitest holds is counted as well. */
const CENSUS_TURNS = 10

/** What differs from moment to moment; a leak of one thing in a hundred lifetimes shows. */
const ALLOWED = {
  timers: 6,
  // Sockets that are just open or closed have a dozen each.
  listeners: 60,
  'abort signals': 12,
  'abort listeners': 6,
  promises: 40,
  // The service remembers tokens and media, and every reference is kept.
  'map entries': 250,
  'set entries': 60,
  files: 6,
  watches: 2,
  heapMB: 3,
} as const

it('holds after thousands of lifetimes what it held after the first', async () => {
  const warnings: unknown[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const post = openInspector()
  const life = await startLife()

  const moments: Moment[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    await life.turn(turn)
    if (turn < WARM_UP_TURNS || (turn - WARM_UP_TURNS) % CENSUS_TURNS > 0) continue
    const census = await life.atRest(() => takeCensus(post, process.pid))
    // Of the sockets' clock, and of the one that everything else goes by.
    const timers = census.timers + life.pendingTimers()
    moments.push({ lifetimes: life.lifetimes(), census: { ...census, timers } })
  }

  const trends = trendsOf(moments)
  console.log(`${life.lifetimes()} lifetimes:\n${renderTrends(trends)}`)
  expect(life.lifetimes()).toBeGreaterThan(2000)
  expect(warnings).toEqual([])
  expect(growthBeyond(trends, ALLOWED)).toEqual([])
}, 240_000)

function openInspector(): Post {
  const session = new Session()
  session.connect()
  onTestFinished(() => session.disconnect())
  return async (method, params) => (await session.post(method, params)) as never
}

async function startLife() {
  const clock = createFakeClock(Date.now())
  const wecom = await withSimulator({ clock })
  const [folder, state] = [await createTempFolder('folder'), await createTempFolder('state')]
  await plantForGood({ folder, fileCount: FILE_COUNT })
  const open = () => openOn(clock, { folder, state, baseUrl: wecom.baseUrl })
  let mirror = await open()
  onTestFinished(() => mirror.stop())
  const see = <Value>(promise: Promise<Value>) => passUntil(clock, promise)
  const { controls } = wecom
  const goingsOn = createGoingsOn({
    folder,
    wecom: controls,
    fileCount: FILE_COUNT,
    desk: async () => mirror.desk,
    // As `run` does at SIGHUP.
    async reload() {
      await see(mirror.stop())
      mirror = await see(open())
    },
    see,
  })
  goingsOn.beginTroubles()
  const mirrorAll = () => see(mirror.desk.mirror(() => {}, new AbortController().signal))

  let livesBefore = 0
  const lifetimes = () => livesBefore + controls.counts().upload

  return {
    lifetimes,
    pendingTimers: clock.pendingTimers,
    async turn(turn: number) {
      await goingsOn.turn(turn)
      await mirrorAll()
      // Asleep, like a machine that is shut: only what is due when it wakes counts.
      clock.leap(TURN_MS)
      await clock.advance(WAKE_MS)
    },
    /** With nothing under way, and no trouble. */
    async atRest<Value>(look: () => Promise<Value>): Promise<Value> {
      goingsOn.endTroubles()
      livesBefore = lifetimes()
      controls.clearCalls()
      while ((await mirror.desk.status()).circuit.state !== 'closed') await clock.advance(60_000)
      await mirrorAll()
      const seen = await look()
      goingsOn.beginTroubles()
      return seen
    },
  }
}

/** Long enough for what retries in seconds. */
const WAKE_MS = 60_000

/** Lets time pass until it is settled. */
async function passUntil<Value>(clock: FakeClock, promise: Promise<Value>): Promise<Value> {
  let isSettled = false
  const settle = () => void (isSettled = true)
  promise.then(settle, settle)
  while (!isSettled) {
    await clock.advance(200)
    // Sockets and disks take real time, which is not to be spent waiting busily.
    await sleep(1)
  }
  return promise
}

async function openOn(
  clock: FakeClock,
  { folder, state, baseUrl }: { folder: string; state: string; baseUrl: string },
): Promise<Mirror> {
  const text = JSON.stringify({
    wecom: { corpId: 'ww-test', secret: 'secret', baseUrl },
    folder: { path: folder, rescan: '3d' },
    state,
    // The clock of node-cron is the wall's; the turns themselves ask for passes.
    renewal: { schedule: NEVER },
    restore: { schedule: NEVER },
    audit: { schedule: '* * * * * *' },
  })
  const config = parseConfig({ text, file: join(state, '../config.yaml'), shownAs: 'it' }, {})
  const bugs: unknown[] = []
  onTestFinished(() => expect(bugs).toEqual([]))
  const mirror = await openMirror(config, {
    env: {},
    pid: process.pid,
    command: 'test',
    clock,
    random: Math.random,
    events: createEvents(),
    isWatched: true,
    onBug: (error) => bugs.push(error),
  })
  await passUntil(clock, mirror.start())
  return mirror
}
