// An hour of the real program, whose media live for twenty seconds: files come and go, the service fails and is away, the configuration is
// read again, references land, audits find what died. What it holds at the end is what it held at the beginning; the slopes are told.
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { connectDesk } from '../../src/cli/remote-desk.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, type Daemon, type Site } from '../helpers/program.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { lookOutside, takeCensus } from '../soak/census.ts'
import { createGoingsOn, plantForGood } from '../soak/goings-on.ts'
import { connectInspector } from '../soak/inspector.ts'
import { growthBeyond, type Moment, renderTrends, trendsOf } from '../soak/trend.ts'

/** SOAK_MINUTES is for trying the test itself. */
const MINUTES = Number(process.env.SOAK_MINUTES ?? 60)
const FILE_COUNT = 100
const LIFETIME_MS = 20_000
const SETTINGS = {
  renewal: { lifetime: '20s', before: '10s', spread: '4s', schedule: '* * * * * *' },
  restore: { schedule: '*/2 * * * * *' },
  audit: { schedule: '*/10 * * * * *', sample: 20 },
  folder: { rescan: '30s' },
  log: { level: 'info' },
}
const TURN_MS = 1000
/** A tenth of the time, in which caches fill and code is compiled. */
const WARM_UP_MS = MINUTES * 6_000
const CENSUS_COUNT = 24

it(`holds after ${MINUTES} minutes of twenty-second lives what it held after the first`, async () => {
  const wecom = await withSimulator({ clock: systemClock, mediaLifetimeMs: LIFETIME_MS })
  const site = await createSite(wecom.baseUrl, SETTINGS)
  await plantForGood({ folder: site.folder, fileCount: FILE_COUNT })
  site.runUnder('env', 'NODE_OPTIONS=--inspect=127.0.0.1:0')
  const daemon = await site.startDaemon()
  const { post, disconnect } = await connectInspector(daemon.pid)
  const goingsOn = createGoingsOn({
    folder: site.folder,
    wecom: wecom.controls,
    fileCount: FILE_COUNT,
    desk: () => deskOf(site),
    reload: createReload(site, daemon),
    see: (promise) => promise,
  })

  const startMs = performance.now()
  const passedMs = () => performance.now() - startMs
  const censusEveryMs = (MINUTES * 60_000 - WARM_UP_MS) / CENSUS_COUNT
  const moments: Moment[] = []
  let mostFiles = 0
  goingsOn.beginTroubles()
  for (let turn = 0; passedMs() < MINUTES * 60_000; turn++) {
    await goingsOn.turn(turn)
    await sleep(TURN_MS)
    mostFiles = Math.max(mostFiles, (await lookOutside(daemon.pid)).files)
    if (passedMs() < WARM_UP_MS + moments.length * censusEveryMs) continue
    goingsOn.endTroubles()
    await rest(site)
    const census = await takeCensus(post, daemon.pid)
    moments.push({ lifetimes: wecom.controls.counts().upload, census })
    goingsOn.beginTroubles()
    tell(`${Math.round(passedMs() / 1000)} s: ${JSON.stringify(moments.at(-1))}`)
  }

  goingsOn.endTroubles()
  await plantForGood({ folder: site.folder, fileCount: FILE_COUNT }, CENSUS_COUNT)
  await sleep(LIFETIME_MS)
  await rest(site)
  const desk = await deskOf(site)
  const steady = await desk.list('steady/**')
  const { references } = await desk.status()
  disconnect()
  const { code, stderr } = await daemon.stop()
  const trends = trendsOf(moments)
  const tally = Object.entries(Object.groupBy(daemon.lines, ({ event }) => event))
    .map(([event, lines]) => `${event} ${lines?.length}`)
    .join(', ')
  tell(`${wecom.controls.counts().upload} lifetimes; at most ${mostFiles} files open; ${tally}`)
  tell(renderTrends(trends))
  tell(`references at the end: ${JSON.stringify(references)}`)
  expect(steady.filter((one) => one.alive)).toHaveLength(FILE_COUNT)
  expect(code).toBe(0)
  // Whatever Node warns of would stand here: a listener too many, a promise that nobody heard.
  expect(stderr.split('\n').filter((line) => !OF_INSPECTOR.test(line))).toEqual([])
  expect(growthBeyond(trends, ALLOWED)).toEqual([])
})

const OF_INSPECTOR = /^(Debugger|For help, see: |$)/

/** By how much a figure may differ at the end: what moves with the moment, and one row for each reference that was ever accepted. */
const ALLOWED = {
  rssMB: 30,
  heapMB: 4,
  files: 3,
  watches: 4,
  timers: 4,
  listeners: 40,
  'abort signals': 10,
  'abort listeners': 10,
  promises: 60,
  'set entries': 100,
  'map entries': 1200,
} as const

async function deskOf({ state }: Site) {
  for (let look = 0; look < 200; look++) {
    const desk = await connectDesk(state)
    if (desk) return desk
    await sleep(50)
  }
  throw new Error('no daemon listens')
}

/** Now a good file, now a bad one, by turns. */
function createReload(site: Site, daemon: Daemon) {
  let reloads = 0
  return async () => {
    const isGood = ++reloads % 3 !== 0
    if (isGood) await site.configure({ ...SETTINGS, transfer: { uploads: 3 + (reloads % 3) } })
    else await writeFile(site.configFile, 'wecom: { corpid: wrong }\n')
    const sinceIso = new Date().toISOString()
    daemon.signal('SIGHUP')
    const isNew = ({ time }: { [fact: string]: unknown }) => String(time) >= sinceIso
    await daemon.saw(isGood ? 'config-reloaded' : 'config-refused', isNew, 60_000)
  }
}

/** Until nothing waits: renewals themselves never end. */
async function rest(site: Site) {
  for (let look = 0; look < 600; look++) {
    const { queue, circuit } = await (await deskOf(site)).status()
    if (circuit.state === 'closed' && queue.waiting + queue.in_flight.length === 0) return
    await sleep(100)
  }
  throw new Error('the mirror does not come to rest')
}

/** While it runs, too: an hour is long. */
const tell = (text: string) => void process.stderr.write(`${text}\n`)
