// A machine with the whole program on it, in process, and a service elsewhere that keeps true time. vitest's fake timers are the
// machine's time, all of it (`Date`, timers, monotonic time), because node-cron reads them: so the wall clock can leap while the rest
// goes on, and the machine can sleep while the service does not.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { type Mirror, openMirror } from '../../src/daemon.ts'
import type { EngineDeps } from '../../src/engine.ts'
import { type Clock, systemClock } from '../../src/support/clock.ts'
import { createEvents, type MirrorEvent } from '../../src/support/events.ts'
import { HOUR_MS } from './builders.ts'
import { aPng } from './samples.ts'
import { createTempFolder } from './temp-folder.ts'
import { age } from './tree.ts'
import { withSimulator } from './with-simulator.ts'

const FILE_COUNT = 4
const LIFETIME_MS = 72 * HOUR_MS
/** The first of January, which no test reaches. */
export const NEVER = '0 0 1 1 *'
/** Real time that a single thing may take on a loaded machine. */
const PATIENCE_NS = 15_000_000_000n
/** So many turns of the event loop without an event, and nothing under way: whatever was asked for has been done. */
const QUIET_TURNS = 30
/** So soon it shows whether a timer has begun anything. */
const FIRST_TURNS = 6

interface Wish {
  /** When the story begins; files have real times, so never before now. */
  readonly startMs?: number
  /** Settings over the ordinary ones. */
  readonly settings?: { readonly folder?: object; readonly [section: string]: unknown }
  readonly clockSkewMs?: number
  readonly measureDisk?: EngineDeps['measureDisk']
  readonly files?: EngineDeps['files']
}

export type Machine = Awaited<ReturnType<typeof startMachine>>

/** The daemon of four files, started and at rest; each is due after exactly 44 of its 72 hours. */
export async function startMachine({
  startMs,
  settings = {},
  clockSkewMs = 0,
  ...deps
}: Wish = {}) {
  const folder = await plantFiles()
  const state = await createTempFolder('state')
  const time = takeOverTime(startMs ?? Date.now() + HOUR_MS)
  const wecom = await withSimulator({ clock: time.service, clockSkewMs })
  const told: MirrorEvent[] = []
  const open = () => openOn({ folder, state, baseUrl: wecom.baseUrl, settings, told, deps })
  let mirror = await open()
  onTestFinished(() => mirror.stop())
  const { rest, hasBegun } = createRest(told, () => mirror)
  const { look, leastLeftMs } = createLook(wecom.controls.media, time.service, () => mirror)
  await mirror.start()
  await rest()

  return {
    wecom,
    folder,
    state,
    told,
    rest,
    look,
    leastLeftMs,
    leap: time.leap,
    suspend: time.suspend,
    ...createTally(told),
    status: () => mirror.desk.status(),
    desk: () => mirror.desk,
    /** Time passes, for everyone: timer after timer, each with all that comes of it, and a look in the middle of that and after it. */
    async advance(byMs: number) {
      let isOver = false
      setTimeout(() => (isOver = true), byMs)
      while (!isOver) {
        const seen = told.length
        await vi.advanceTimersToNextTimerAsync()
        if (!isOver && !(await hasBegun(seen))) continue
        await look()
        await rest()
        await look()
      }
    },
    /** The same until a call has met this trouble; from then on it is under way, and the mirror not at rest. */
    async advanceUntilStruckBy(fault: string) {
      const isStruck = () => wecom.controls.calls().some((call) => call.fault === fault)
      const hasPatience = createPatience()
      for (let turn = 0; !isStruck(); turn++) {
        // Now and then only, so that what needs real time comes to its end before the next timer.
        if (turn % QUIET_TURNS === 0) await vi.advanceTimersToNextTimerAsync()
        await nextTurn()
        if (!hasPatience()) throw new Error(`no ${fault} struck`)
      }
    },
    /** Time passes in one piece, whatever is under way. */
    async elapse(byMs: number) {
      await vi.advanceTimersByTimeAsync(byMs)
      await rest()
      await look()
    },
    async restart(whileOff: () => Promise<void> = async () => {}) {
      await mirror.stop()
      await whileOff()
      mirror = await open()
      await mirror.start()
      await rest()
    },
  }
}

async function plantFiles(): Promise<string> {
  const folder = await createTempFolder('folder')
  for (let number = 0; number < FILE_COUNT; number++) {
    const file = join(folder, `${number}.png`)
    await writeFile(file, aPng(100 + number))
    // Finished long ago, also for a clock that is set back.
    age(file)
  }
  return folder
}

/** From now on this process lives in fake time; the service's is the true one. */
function takeOverTime(startMs: number) {
  vi.useFakeTimers({ now: startMs, toFake: ['Date', 'setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const bootedAtMs = performance.now()
  let sleptMs = 0
  const service: Clock = {
    ...systemClock,
    nowMs: () => startMs + Math.floor(performance.now() - bootedAtMs) + sleptMs,
  }
  return {
    service,
    /** The wall clock is set; nobody else's time changes. */
    leap: (byMs: number) => void vi.setSystemTime(Date.now() + byMs),
    /** The machine stands still while time passes everywhere else; its wall clock is right when it wakes. */
    suspend(forMs: number) {
      sleptMs += forMs
      vi.setSystemTime(Date.now() + forMs)
    },
  }
}

async function openOn(site: {
  folder: string
  state: string
  baseUrl: string
  settings: NonNullable<Wish['settings']>
  told: MirrorEvent[]
  deps: Pick<Wish, 'measureDisk' | 'files'>
}): Promise<Mirror> {
  const text = JSON.stringify({
    wecom: { corpId: 'ww-test', secret: 'secret', baseUrl: site.baseUrl },
    state: site.state,
    audit: { schedule: NEVER },
    ...site.settings,
    folder: { path: site.folder, ...site.settings.folder },
  })
  const config = parseConfig({ text, file: join(site.state, '../config.yaml'), shownAs: 'it' }, {})
  const events = createEvents()
  events.subscribe((event) => site.told.push(event))
  const { measureDisk, files } = site.deps
  const bugs: unknown[] = []
  onTestFinished(() => expect(bugs).toEqual([]))
  return openMirror(config, {
    env: {},
    pid: process.pid,
    command: 'test',
    clock: systemClock,
    // In the middle of the spread, so that all are due together and a pass can be told from another.
    random: () => 0.5,
    events,
    isWatched: false,
    onBug: (error) => bugs.push(error),
    ...(measureDisk && { measureDisk }),
    ...(files && { files }),
  })
}

function createRest(told: readonly MirrorEvent[], mirror: () => Mirror) {
  async function isBusy() {
    const { queue } = await mirror().desk.status()
    return queue.waiting + queue.in_flight.length > 0
  }

  return {
    /** Waits in real time, while that of the machine stands still, until nothing moves any more. */
    async rest() {
      const hasPatience = createPatience()
      for (let quiet = 0, seen = told.length; quiet < QUIET_TURNS; quiet++) {
        await nextTurn()
        if (told.length !== seen || (await isBusy())) quiet = 0
        seen = told.length
        if (!hasPatience()) throw new Error('the mirror does not come to rest')
      }
    },
    /** Whether the timer that has just fired began anything; most only look at a clock. */
    async hasBegun(seen: number) {
      for (let turn = 0; turn < FIRST_TURNS; turn++) await nextTurn()
      return told.length !== seen || (await isBusy())
    },
  }
}

/** The looks at what is answered, each against what the service knows at that moment. */
function createLook(
  media: () => readonly { readonly mediaId: string; readonly createdAtMs: number }[],
  service: Clock,
  mirror: () => Mirror,
) {
  let leastMs = Number.POSITIVE_INFINITY
  return {
    /** The least life that a live id had left, at every look so far. */
    leastLeftMs: () => leastMs,
    /** Asks for everything in both ways, and demands that what is answered as live is so. Answers how many paths have a live id. */
    async look(): Promise<number> {
      const { desk } = mirror()
      const answers = (await desk.list()).filter((one) => one.alive)
      const pathCount = answers.length
      for (let number = 0; number < FILE_COUNT; number++) {
        const answer = await desk.lookUp(`${number}.png`)
        if (answer.kind === 'live') answers.push(answer.media)
      }
      const known = new Map(media().map(({ mediaId, createdAtMs }) => [mediaId, createdAtMs]))
      const dead = answers.filter(({ media_id }) => !known.has(media_id))
      expect(dead.map(({ path, safe_until }) => `${path} until ${safe_until}`)).toEqual([])
      for (const { media_id } of answers)
        leastMs = Math.min(leastMs, (known.get(media_id) ?? 0) + LIFETIME_MS - service.nowMs())
      return pathCount
    },
  }
}

/** What it cost, from what was told. */
const createTally = (told: readonly MirrorEvent[]) => ({
  /** How often each path was given a new id, in the order of the paths. */
  renewals: () =>
    Array.from({ length: FILE_COUNT }, (_, number) =>
      told.filter((event) => event.kind === 'renewed' && event.entry.path === `${number}.png`),
    ).map(({ length }) => length),
  /** Without those that our own questions for dead ids asked for. */
  passesWithSteps: () =>
    told.filter(
      (event) =>
        event.kind === 'pass-planned' && event.steps > 0 && event.because !== 'asked for in vain',
    ).length,
  skews: () => told.flatMap((event) => (event.kind === 'clock-skew' ? [event.skewMs] : [])),
})

function createPatience(): () => boolean {
  const giveUpAt = process.hrtime.bigint() + PATIENCE_NS
  return () => process.hrtime.bigint() < giveUpAt
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))
