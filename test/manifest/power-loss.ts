// Lives of a manifest on a disk whose power can be cut, and what must hold whenever it is: shared by the short and the long form.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import type { Change, Manifest } from '../../src/manifest/manifest.ts'
import { createEvents } from '../../src/support/events.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createChance } from '../simulation/chance.ts'
import { aFingerprint, all, anEntry, aProblem, CORP_ID } from './rows.ts'
import { createVolatileDisk, type VolatileDisk } from './volatile-disk.ts'

/** What may have survived of what was not flushed: nothing, some, all. */
const SURVIVALS = [0, 0.3, 0.7, 1]
const DOCUMENT = 'manifest.json'
/** Short of those, all may be lost that an order of commits can explain. */
const MAX_UNACKNOWLEDGED = 6

interface Commit {
  readonly changes: readonly Change[]
  state: 'called' | 'acknowledged' | 'rejected'
}

/** The disk as it was found, and what had been promised when the power went. */
interface Cut {
  readonly disk: VolatileDisk
  readonly during: string
  readonly survival: number
  readonly commits: readonly Commit[]
}

export interface LifeWish {
  readonly seed: number
  readonly steps: number
  readonly hasLinks: boolean
  /** Every so many operations the power is cut, in each of the ways. */
  readonly cutEvery: number
}

export interface LifeTally {
  readonly operations: number
  readonly cuts: number
  readonly openings: number
}

/** One life, cut at its operations; from each cut a second one, cut again. Throws with the seed where a promise is broken. */
export async function liveWithPowerCuts(wish: LifeWish): Promise<LifeTally> {
  const root = await mkdtemp(join(tmpdir(), 'power-loss-'))
  const chance = createChance(wish.seed)
  let openings = 0
  const open = async (disk: VolatileDisk) => {
    const clock = createFakeClock()
    const events = createEvents()
    // Of the disk that is modelled, the lock is no part: it lies in a real directory, one for each life.
    const manifest = await openLowdbManifest({
      directory: await mkdtemp(join(root, 'life-')),
      corpId: CORP_ID,
      clock,
      emit: events.emit,
      lock: 'exclusive',
      command: 'test',
      files: disk.files,
    })
    openings++
    const writeDocument = async () => {
      let isWritten = false
      const stop = events.subscribe((event) => {
        isWritten ||= event.kind === 'document-written'
      })
      for (let wait = 0; !isWritten && wait < 100; wait++) await clock.advance(250)
      stop()
    }
    return { manifest, writeDocument }
  }

  /** Everything promised is there, now and then with the newest document damaged as well; then life goes on. */
  const check = async (cut: Cut) => {
    const { disk } = cut
    if (chance() < 0.5 && disk.names().includes(DOCUMENT)) disk.damage(DOCUMENT)
    const { manifest } = await open(disk)
    requireExplained(await pictureOf(manifest), cut)
    const again: Commit = { changes: [drawPut(chance, 'again')], state: 'acknowledged' }
    await manifest.commit(again.changes)
    // Nothing that was not flushed survives this time.
    const last = await open(disk.afterPowerLoss(chance, 0))
    requireExplained(await pictureOf(last.manifest), { ...cut, commits: [...cut.commits, again] })
    await manifest.close()
    await last.manifest.close()
  }

  try {
    const disk = createVolatileDisk()
    if (!wish.hasLinks) disk.forbidLinks()
    const commits: Commit[] = []
    const cuts: Cut[] = []
    let operations = 0
    disk.beforeEach((during) => {
      if (operations++ % wish.cutEvery !== 0) return
      const unacknowledged = commits.filter(({ state }) => state !== 'acknowledged').length
      if (unacknowledged > MAX_UNACKNOWLEDGED) return
      const survival = SURVIVALS[Math.floor(chance() * SURVIVALS.length)] ?? 0
      const promised = commits.map((commit) => ({ ...commit }))
      cuts.push({
        disk: disk.afterPowerLoss(chance, survival),
        during,
        survival,
        commits: promised,
      })
    })
    const life = await open(disk)
    for (let step = 0; step < wish.steps; step++) await takeStep(life, commits, chance)
    await life.manifest.close()
    for (const cut of cuts) await check(cut).catch((error) => failAt(wish, cut, error))
    return { operations, cuts: cuts.length, openings }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

async function takeStep(
  life: { manifest: Manifest; writeDocument: () => Promise<void> },
  commits: Commit[],
  chance: () => number,
): Promise<void> {
  const makeCommit = async () => {
    const changes = Array.from({ length: 1 + Math.floor(chance() * 3) }, () => drawChange(chance))
    const commit: Commit = { changes, state: 'called' }
    commits.push(commit)
    await life.manifest.commit(changes)
    commit.state = 'acknowledged'
  }
  const together = Array.from({ length: 1 + Math.floor(chance() * 4) }, makeCommit)
  // A document now and then, and commits while it is written.
  if (chance() < 0.5) await life.writeDocument()
  await Promise.all(together)
}

const PATHS = ['a', 'b', 'c/d', 'c/e']
const draw = <T>(chance: () => number, from: readonly T[]): T =>
  from[Math.floor(chance() * from.length)] as T

const drawPut = (chance: () => number, path = draw(chance, PATHS)): Change => ({
  kind: 'put-entry',
  entry: anEntry(path, {
    sizeBytes: Math.floor(chance() * 1e9),
    fingerprint: aFingerprint(Math.floor(chance() * 1e9)),
  }),
})

function drawChange(chance: () => number): Change {
  const kind = chance()
  const path = draw(chance, PATHS)
  if (kind < 0.6) return drawPut(chance, path)
  if (kind < 0.7) return { kind: 'drop-entry', path: anEntry(path).path }
  // Long enough to reach over several sectors.
  const message = `${chance()} `.repeat(10 + Math.floor(chance() * 60))
  if (kind < 0.9) return { kind: 'put-problem', problem: aProblem(path, { message }) }
  return { kind: 'mark-folder', folder: `/srv/${chance()}` }
}

type Picture = ReadonlyMap<string, string>

async function pictureOf(manifest: Manifest): Promise<Picture> {
  const picture = new Map<string, string>()
  for (const entry of await all(manifest.entries()))
    picture.set(`entry ${entry.path}`, `${entry.sizeBytes} ${entry.fingerprint}`)
  for (const problem of await all(manifest.problems()))
    picture.set(`problem ${problem.path}`, problem.message)
  const folder = await manifest.markedFolder()
  return folder === undefined ? picture : picture.set('folder', folder)
}

function applyTo(picture: Map<string, string>, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === 'put-entry')
      picture.set(
        `entry ${change.entry.path}`,
        `${change.entry.sizeBytes} ${change.entry.fingerprint}`,
      )
    else if (change.kind === 'drop-entry') picture.delete(`entry ${change.path}`)
    else if (change.kind === 'put-problem')
      picture.set(`problem ${change.problem.path}`, change.problem.message)
    else if (change.kind === 'mark-folder') picture.set('folder', change.folder)
  }
}

/** Every acknowledged commit counts, each of the others whole or not at all, in their order; and nothing else. */
function requireExplained(found: Picture, { commits }: Pick<Cut, 'commits'>): void {
  const open = commits.filter(({ state }) => state !== 'acknowledged')
  const wanted = digest(found)
  for (let chosen = 0; chosen < 2 ** open.length; chosen++) {
    const picture = new Map<string, string>()
    for (const commit of commits) {
      const at = open.indexOf(commit)
      if (at === -1 || (chosen >> at) & 1) applyTo(picture, commit.changes)
    }
    if (digest(picture) === wanted) return
  }
  throw new Error(
    `${found.size} rows that no choice among ${open.length} open of ${commits.length} commits explains`,
  )
}

const digest = (picture: Picture): string =>
  createHash('sha1')
    .update(JSON.stringify([...picture].sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')

function failAt(wish: LifeWish, { during, survival, commits }: Cut, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error)
  throw new Error(
    `seed ${wish.seed}, power cut before \`${during}\` with ${survival} of the unflushed left, after ${commits.length} commits: ${reason}`,
    { cause: error },
  )
}
