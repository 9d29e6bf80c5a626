// Rounds of crashes: the program starts, is held to everything that it has ever promised, lives, and is killed, time and again on one
// folder and one state directory, against a service that outlives it all.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { connectDesk } from '../../src/cli/remote-desk.ts'
import { HAPPENINGS } from '../../src/media/delivery.ts'
import { isTempName } from '../../src/media/temp-name.ts'
import type { Desk } from '../../src/serve/desk.ts'
import type { SimulatorControls } from '../../src/simulator/controls.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, type Daemon, type Site } from '../helpers/program.ts'
import { createReceiver } from '../helpers/receiver.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { createChance, seedOf } from '../simulation/chance.ts'
import { type Death, nameOf } from './deaths.ts'
import { createLedger } from './ledger.ts'
import { createLife } from './life.ts'
import { DISK_POINTS, WIRE_POINTS, type WirePointName } from './points.ts'
import { countUploads, findTemporaries, judge } from './verdict.ts'

export const DYING = fileURLToPath(new URL('dying-program.ts', import.meta.url))
/** What has not come by then will not come, however busy the machine is. */
const PATIENCE_MS = 60_000
/** A start is over by then, and so is most of what happens in a round. */
const START_MS = 700
const LIFE_MS = 700
const LONG_LIFE_MS = 3000

export interface CrashFigures {
  readonly deaths: number
  /** Points that did not come in a round that was to end there. */
  readonly missed: readonly string[]
  readonly contents: number
  readonly uploads: number
  readonly references: number
  readonly ids: number
  /** What a hook heard, and how much of that it had heard before. */
  readonly tellings: number
  readonly repeated: number
}

/** Plays a round for each death, and one start more; fails at the first promise that was not kept. */
export async function crash(
  seed: number,
  plan: (chance: () => number) => readonly Death[],
): Promise<CrashFigures> {
  const chanceOf = (part: string) => createChance(seedOf(seed, part))
  const { baseUrl, controls: service } = await withSimulator({ clock: systemClock })
  const receiver = await createReceiver()
  const { origin: post, told } = receiver
  const on = [{ event: [...HAPPENINGS], post }]
  const site = await createSite(baseUrl, { audit: { sample: 0 }, on })
  const ledger = createLedger()
  const life = createLife({ site, service, ledger, chance: chanceOf('life') })
  const { untilItsTime } = createExecutioner({ site, service, chance: chanceOf('moments') })
  const chanceOfDeafness = chanceOf('deafness')
  const missed: string[] = []

  function launch(death: Death): Daemon {
    site.runUnder(...(death.kind === 'system-call' ? tracerOf(death) : []))
    return site.launch(death.kind === 'disk' ? [DYING, death.point] : undefined)
  }

  async function play(death: Death) {
    const daemon = launch(death)
    if (death.kind === 'system-call') return playUnordered(daemon, death)
    if (isAtStart(death)) {
      await untilItsTime(death, daemon)
      return bury(daemon, death)
    }
    const desk = await enter(daemon)
    await requireOrder(daemon, desk)
    const itsTime = untilItsTime(death, daemon)
    // Now and then the hook's receiver hears everything and answers nothing, so that what is owed piles up.
    if (death.kind === 'moment' && chanceOfDeafness() < 0.5) receiver.answer(0)
    const going = life.start(desk)
    await itsTime
    await bury(daemon, death)
    receiver.answer(200)
    going.end()
    await going.over
    service.clearFaults()
  }

  /** It may die at any call, also of its start: it is the next one that is held to everything. */
  async function playUnordered(daemon: Daemon, death: Death) {
    const isReady = await daemon
      .saw('ready', () => true, PATIENCE_MS)
      .then(
        () => true,
        () => false,
      )
    const desk = isReady ? await connectDesk(site.state).catch(() => undefined) : undefined
    const going = desk && life.start(desk)
    const isLate = await Promise.race([daemon.ended().then(() => false), sleep(LONG_LIFE_MS, true)])
    if (isLate) missed.push(nameOf(death))
    await bury(daemon, death)
    going?.end()
    await going?.over
    const survivor = launch({ kind: 'moment' })
    await requireOrder(survivor, await enter(survivor))
    await bury(survivor, { kind: 'moment' })
  }

  async function enter(daemon: Daemon): Promise<Desk> {
    await daemon.saw('ready', () => true, PATIENCE_MS)
    const desk = await connectDesk(site.state)
    if (!desk) throw new Error('nobody listens')
    return desk
  }

  /** However it was to die: it is dead now, by that signal and by nothing else. */
  async function bury(daemon: Daemon, death: Death) {
    daemon.signal('SIGKILL')
    const { code, stderr } = await daemon.ended()
    expect({ code, stderr }).toEqual({ code: null, stderr: '' })
    const last = daemon.lines.at(-1)
    const isAtPoint = last?.event === 'dying'
    ledger.died(isAtPoint ? String(last.flushed) : '')
    if (death.kind === 'disk' && !isAtPoint) missed.push(nameOf(death))
    await life.goOnUnseen()
  }

  /** After a start and a full pass. */
  async function requireOrder(daemon: Daemon, desk: Desk) {
    const { stopped_by } = await desk.mirror(() => {}, new AbortController().signal)
    expect(stopped_by).toBe(null)
    await untilAllIsTold(desk)
    expect(await judge(ledger.accounts, { site, service, told })).toEqual([])
    const recovered = daemon.lines.filter(({ event }) => event === 'state-recovered')
    expect(recovered.filter(({ message }) => !message.includes('were cut short'))).toEqual([])
    await untilNothingUnfinished(site)
    // What somebody wanted to be forgotten when the program died, they say again.
    const again = [...ledger.accounts.released].filter(([, how]) => how === 'asked')
    const paths = again.map(([path]) => path)
    await desk.forget(paths, { deleteFile: true, vanished: false })
    ledger.rest(countUploads(ledger.accounts, service))
  }

  // Who is killed leaves nothing in the compile cache; this one does, and the starts that follow are the quicker.
  expect((await site.run('status')).code).toBe(0)
  await life.plant()
  const deaths = plan(chanceOf('deaths'))
  for (const [round, death] of deaths.entries()) {
    await play(death).catch((error: unknown) => {
      const before = deaths.slice(Math.max(0, round - 3), round).map(nameOf)
      const story = `to die "${nameOf(death)}", after "${before.join('", "')}"`
      throw new Error(`seed ${seed}, round ${round} of ${deaths.length} (${story}): ${error}`, {
        cause: error,
      })
    })
  }
  const survivor = launch({ kind: 'moment' })
  await requireOrder(survivor, await enter(survivor))
  expect((await survivor.stop()).code).toBe(0)
  expect(await findTemporaries(site)).toEqual([])

  const uploads = [...countUploads(ledger.accounts, service).values()]
  return {
    deaths: deaths.length,
    missed,
    contents: uploads.length,
    uploads: uploads.reduce((sum, count) => sum + count, 0),
    tellings: told.length,
    repeated: told.length - new Set(told.map(({ id }) => id)).size,
    ...ledger.counts(),
  }
}

/** One thread makes all calls for files, so that they are counted together; the tracer steps aside, so that signals reach the program. */
const tracerOf = ({ calls, nth }: Extract<Death, { kind: 'system-call' }>): string[] => [
  'env',
  'UV_THREADPOOL_SIZE=1',
  ...['strace', '-D', '-f', '-qqq', '-o', '/dev/null', '-e', `trace=${calls}`],
  ...['-e', `inject=${calls}:signal=SIGKILL:when=${nth}`],
]

const isAtStart = (death: Death): boolean =>
  death.kind === 'start' || (death.kind === 'disk' && 'atStart' in DISK_POINTS[death.point])

/** Sees to it that each death comes when it should, or that its time is known. */
function createExecutioner(deps: { site: Site; service: SimulatorControls; chance: () => number }) {
  const { site, service, chance } = deps

  /** Asked before anything begins; resolves when the program is to be killed, or has been. */
  async function untilItsTime(death: Death, daemon: Daemon): Promise<void> {
    switch (death.kind) {
      case 'start':
        return sleep(chance() * START_MS)
      case 'moment':
        return sleep(chance() * LIFE_MS)
      case 'system-call':
        return
      case 'disk': {
        const dying = [daemon.saw('dying', () => true, PATIENCE_MS)]
        if (isAtStart(death)) dying.push(daemon.saw('ready', () => true, PATIENCE_MS))
        else daemon.signal('SIGUSR2')
        // What becomes of it is seen at the burial.
        await Promise.race(dying).catch(() => {})
        return
      }
      case 'wire':
        service.clearCalls()
        service.addFault(WIRE_POINTS[death.point])
        return untilHeld(death.point)
    }
  }

  /** The fault holds the call where it is: until its answer begins, or in the middle of it. */
  async function untilHeld(point: WirePointName) {
    const isHeld = () =>
      service
        .calls()
        .some(
          ({ fault, status }) =>
            fault === 'stall' && (point === 'in mid-upload' || status !== undefined),
        )
    let hasBytes = point !== 'in mid-download'
    await until(() => isHeld() && hasBytes, {
      what: point,
      withinMs: PATIENCE_MS,
      meanwhile: async () => {
        hasBytes ||= await hasUnfinished(site.folder)
      },
    })
  }

  return { untilItsTime }
}

/** What was left over is gone; what is there at one look and not at another belongs to the living. */
async function untilNothingUnfinished(site: Site) {
  let found = await findTemporaries(site)
  await until(() => found.length === 0, {
    what: `the end of ${found.join(', ')}`,
    withinMs: PATIENCE_MS,
    meanwhile: async () => {
      found = await findTemporaries(site)
    },
  })
}

/** What is owed was told, also what the lives before have left. */
async function untilAllIsTold(desk: Desk) {
  let waiting = await countWaiting(desk)
  await until(() => waiting === 0, {
    what: `${waiting} tellings to the hook`,
    withinMs: PATIENCE_MS,
    meanwhile: async () => {
      waiting = await countWaiting(desk)
    },
  })
}

const countWaiting = async (desk: Desk): Promise<number> =>
  (await desk.status()).hooks.reduce((sum, { waiting }) => sum + waiting, 0)

async function hasUnfinished(folder: string): Promise<boolean> {
  for (const name of await readdir(folder))
    if (isTempName(name) && (await stat(join(folder, name))).size > 0) return true
  return false
}
