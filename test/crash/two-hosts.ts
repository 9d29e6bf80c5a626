// Two hosts that keep one folder, killed at random while people on both do what they like: when both are left alone again they must
// have the same, by the rules of config/manual.md, and nothing of what anybody wrote may be lost.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { SimulatorControls } from '../../src/simulator/controls.ts'
import { systemClock } from '../../src/support/clock.ts'
import { contentOf } from '../helpers/hosts.ts'
import { createSite, type Daemon, type Site } from '../helpers/program.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { createChance, seedOf } from '../simulation/chance.ts'
import { sha256 } from './ledger.ts'
import { createUser, type User, type Writings } from './two-users.ts'
import { findTemporaries } from './verdict.ts'

/** At most, each: between two acts of one person, between two deaths, and while a host is away. */
const ACT_MS = 300
const LIFE_MS = 1500
const AWAY_MS = 600
const BOTH_DIE = 0.2
const PATIENCE_MS = 90_000
/** Long enough for a tick, a look at the other's manifest and a document: whoever plays ping-pong is seen. */
const CALM_MS = 2500

interface Host {
  readonly name: string
  readonly site: Site
  readonly user: User
  daemon: Daemon
}

export interface TwoHostsFigures {
  readonly written: number
  readonly files: number
  readonly conflicts: number
  readonly contents: number
  readonly uploads: number
}

/** Resolves when all is well after so many deaths; fails with what is not as it must be. */
export async function killTwoHosts(seed: number, deaths: number): Promise<TwoHostsFigures> {
  const chanceOf = (part: string) => createChance(seedOf(seed, part))
  const { baseUrl, controls: service } = await withSimulator({ clock: systemClock })
  const writings: Writings = { written: new Map(), released: new Set() }
  const sites = [await createSite(baseUrl), await createSite(baseUrl)] as const
  const hosts = await Promise.all(
    sites.map(async (site, index): Promise<Host> => {
      const other = sites[1 - index] as Site
      await site.configure({
        folder: { onDelete: index === 0 ? 'restore' : 'forget' },
        references: { files: [join(other.state, 'manifest.json')] },
      })
      const name = 'ab'[index] ?? ''
      const user = createUser({ name, site, writings, chance: chanceOf(`user ${name}`) })
      return { name, site, user, daemon: await site.startDaemon() }
    }),
  )

  let isOver = false
  const acting = hosts.map(async ({ name, user }) => {
    const chance = chanceOf(`moments of ${name}`)
    for (; !isOver; await sleep(chance() * ACT_MS)) user.act()
  })
  await killTime(hosts, deaths, chanceOf('deaths'))
  isOver = true
  await Promise.all(acting)

  await untilAllIsWell(hosts, writings, service)
  for (const { daemon } of hosts) expect((await daemon.stop()).code).toBe(0)
  const files = Object.keys(await contentOf(sites[0]))
  const uploaded = service.media().map(({ sha256: sha }) => sha)
  return {
    written: writings.written.size,
    files: files.length,
    conflicts: files.filter((path) => path.includes('(conflict ')).length,
    contents: new Set(uploaded).size,
    uploads: uploaded.length,
  }
}

/** Also while it starts, and now and then both at once. */
async function killTime(hosts: readonly Host[], deaths: number, chance: () => number) {
  for (let left = deaths; left > 0; ) {
    await sleep(chance() * LIFE_MS)
    const one = hosts[Math.floor(chance() * hosts.length)]
    const dying = chance() < BOTH_DIE ? hosts : hosts.filter((host) => host === one)
    left -= dying.length
    await Promise.all(dying.map(killOnce))
    await sleep(chance() * AWAY_MS)
    for (const host of dying) host.daemon = host.site.launch()
  }
}

/** By that signal, and not by anything else before. */
async function killOnce({ daemon }: Host) {
  daemon.signal('SIGKILL')
  const { code, stderr } = await daemon.ended()
  expect({ code, stderr }).toEqual({ code: null, stderr: '' })
}

async function untilAllIsWell(
  hosts: readonly Host[],
  writings: Writings,
  service: SimulatorControls,
) {
  for (const { daemon } of hosts) await daemon.saw('ready', () => true, PATIENCE_MS)
  const look = () => findWrongs(hosts, writings, service)
  const startedAt = performance.now()
  let wrongs = await look()
  while (wrongs.length > 0 && performance.now() - startedAt < PATIENCE_MS) {
    await sleep(100)
    wrongs = await look()
  }
  expect(wrongs).toEqual([])
  const before = service.media().length
  await sleep(CALM_MS)
  expect(await look()).toEqual([])
  expect(service.media().length, 'uploads in the calm').toBe(before)
}

/** In words, what is not yet or never will be as it must. */
async function findWrongs(
  hosts: readonly Host[],
  { written, released }: Writings,
  service: SimulatorControls,
): Promise<string[]> {
  const living = new Map(service.media().map(({ mediaId, sha256: sha }) => [mediaId, sha]))
  const looks = await Promise.all(hosts.map(lookAt))
  const wrongs = looks.flatMap(({ host, files, entries, temporaries }) => [
    ...temporaries.map((path) => `${path} is left on ${host.name}`),
    ...[...files]
      .filter(([path, sha]) => entries.get(path)?.sha !== sha)
      .map(([path]) => `${path} on ${host.name} has no entry of its bytes`),
    ...[...entries]
      .filter(([path, { sha, mediaId }]) => files.get(path) !== sha || living.get(mediaId) !== sha)
      .map(([path]) => `${path} has an entry on ${host.name} without a file, or a dead id`),
  ])
  for (const [one, other] of [looks, looks.toReversed()])
    if (one && other) wrongs.push(...findDifferences(one, other))
  const there = new Set(looks.flatMap(({ files }) => [...files.values()]))
  for (const [sha, where] of written)
    if (!there.has(sha) && !released.has(sha)) wrongs.push(`what was written to ${where} is lost`)
  return wrongs
}

type Look = Awaited<ReturnType<typeof lookAt>>

async function lookAt(host: Host) {
  const content = await contentOf(host.site)
  const { media } = await host.site.document()
  return {
    host,
    files: new Map(
      Object.entries(content).map(([path, bytes]) => [path, sha256(Buffer.from(bytes, 'base64'))]),
    ),
    entries: new Map(
      Object.entries(media).map(([path, { media_id, sha256: sha }]) => [
        path,
        { mediaId: String(media_id), sha: String(sha) },
      ]),
    ),
    temporaries: await findTemporaries(host.site),
  }
}

/** What `one` has and `other` has not, or not so. */
function findDifferences(one: Look, other: Look): string[] {
  return [...one.files].flatMap(([path, sha]) => {
    const there = other.files.get(path)
    if (there === undefined)
      return other.host.user.hasGivenUp(path, sha)
        ? []
        : [`${path} is on ${one.host.name} alone, and nobody removed that`]
    if (there !== sha) return [`${path} is another one on ${other.host.name}`]
    if (one.entries.get(path)?.mediaId !== other.entries.get(path)?.mediaId)
      return [`${path} has another id on ${other.host.name}`]
    return []
  })
}
