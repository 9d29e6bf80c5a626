// Two hosts over several lifetimes: one upload of each content and lifetime keeps both alive, and when one host is gone the other steps
// in. Then both change what they like while their news come late or not at all; in the end they have the same, and lost nothing; also when they are killed meanwhile.
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { killTwoHosts } from '../crash/two-hosts.ts'
import { carryManifest, contentOf, converge, idsOf } from '../helpers/hosts.ts'
import { createSite, type Site } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const LIFETIME_MS = 90_000
const RENEWAL = { lifetime: '90s', before: '60s', spread: '6s', schedule: '* * * * * *' }
const FILES = 10
const RUN_MS = 150_000
/** DEATHS=500 makes it that many. */
const DEATHS = Number(process.env.DEATHS ?? 60)

async function twoHosts() {
  const wecom = await withSimulator({ clock: systemClock, mediaLifetimeMs: LIFETIME_MS })
  const sites = [await createSite(wecom.baseUrl), await createSite(wecom.baseUrl)] as const
  const [a, b] = sites
  const settings = (other: string) => ({
    renewal: RENEWAL,
    references: { renew: true, files: [other] },
  })
  const [ofA, ofB] = sites.map(({ state }) => join(state, '..', 'other.json')) as [string, string]
  await a.configure(settings(ofA))
  await b.configure(settings(ofB))
  let isApart = false
  const carrier = setInterval(() => {
    if (isApart) return
    carryManifest(b, ofA).catch(() => {})
    carryManifest(a, ofB).catch(() => {})
  }, 300)
  onTestFinished(() => clearInterval(carrier))
  return {
    wecom,
    a,
    b,
    part: (apart: boolean) => {
      isApart = apart
    },
  }
}

const deadIn = async (site: Site) =>
  Object.values((await site.document()).media).filter(
    ({ expires_at }) => Date.parse(String(expires_at)) < Date.now(),
  ).length

it('one upload for each content and lifetime keeps both alive, and each steps in for the other', async () => {
  const { wecom, a, b } = await twoHosts()
  for (let number = 0; number < FILES; number++)
    await (number % 2 ? a : b).write(`${number}.png`, aPng(500 + number))
  const [daemonA, daemonB] = await Promise.all([a.startDaemon(), b.startDaemon()])
  await converge([a, b], (content) => Object.keys(content).length === FILES)
  await sleep(RUN_MS)
  const together = wecom.controls.counts().upload ?? 0
  expect([await deadIn(a), await deadIn(b)]).toEqual([0, 0])
  const [inA, inB] = [await idsOf(a), await idsOf(b)]
  const same = Object.keys(inA).filter((path) => inA[path] === inB[path]).length
  await daemonA.stop()
  await sleep(RUN_MS / 2)
  expect(await deadIn(b)).toBe(0)
  const alone = (wecom.controls.counts().upload ?? 0) - together
  console.log({ files: FILES, seconds: RUN_MS / 1000, together, same, alone })
  // Renewed after 27 s on average: five times, and the first upload. Each for itself they would have made twice as many.
  expect(together).toBeLessThanOrEqual(1.3 * FILES * (1 + RUN_MS / 27_000))
  expect(alone).toBeGreaterThanOrEqual(FILES)
  await daemonB.stop()
})

it('whatever both change while they hear nothing of each other, they come to the same and lose nothing', async () => {
  const { wecom, a, b, part } = await twoHosts()
  const [daemonA, daemonB] = await Promise.all([a.startDaemon(), b.startDaemon()])
  let size = 1000
  let edits = 0
  for (let round = 0; round < 6; round++) {
    part(round % 2 === 0)
    for (const site of [a, b])
      for (let count = 0; count < 4; count++, edits++)
        await site.write(`${Math.floor(Math.random() * 5)}.png`, aPng(size++))
    await sleep(6000)
  }
  part(false)
  // What each has now has an id soon; none of it may be lost.
  await sleep(3000)
  const apart = await Promise.all([a, b].map(contentOf))
  const merged = await converge([a, b], () => true, '', 60_000)
  await sleep(10_000)
  expect(await Promise.all([a, b].map(contentOf))).toEqual([merged, merged])
  const conflicts = Object.keys(merged).filter((path) => path.includes('conflict')).length
  const uploads = wecom.controls.counts().upload ?? 0
  console.log({ edits, files: Object.keys(merged).length, conflicts, uploads, apart: apart.length })
  expect(uploads).toBeLessThanOrEqual(edits * 2)
  await Promise.all([daemonA.stop(), daemonB.stop()])
})

it(`two hosts killed ${DEATHS} times at random come to the same, and lose nothing that anybody wrote`, async () => {
  const seed = randomInt(2 ** 31)
  const figures = await killTwoHosts(seed, DEATHS).catch((error: unknown) => {
    throw new Error(`seed ${seed}: ${error}`, { cause: error })
  })
  console.log({ seed, deaths: DEATHS, ...figures })
  expect(figures.uploads / figures.contents, `seed ${seed}`).toBeLessThanOrEqual(1.2)
})
