// What goes on while the program runs and is killed: files come, change, vanish and are renamed, media are referred to, paths are
// forgotten, and somebody asks for ids all the time. What the program answers goes into the ledger.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DaemonSilent } from '../../src/cli/remote-desk.ts'
import type { Desk } from '../../src/serve/desk.ts'
import type { SimulatorControls } from '../../src/simulator/controls.ts'
import type { Site } from '../helpers/program.ts'
import { pullOne } from '../helpers/pulling.ts'
import { aJpg, anMp4, aPdf, aPng } from '../helpers/samples.ts'
import type { Ledger } from './ledger.ts'
import { VANISHING } from './points.ts'

/** More only makes rounds longer. */
const MOST_FILES = 80
const NEWCOMERS = 5
const UNSEEN = 3
/** Of either sort: most of a folder is at rest at any moment, and nothing of it may be uploaded again. */
const PLANTED = 30
/** Things happen within so long of each other. */
const SPREAD_MS = 300
/** Streamed from disk, and too long for one packet. */
const LARGE_BYTES = 1_500_000

export interface Life {
  /** Resolves when all of it has happened, as far as the program lived to see it. */
  readonly over: Promise<void>
  /** Nobody asks for ids any more. */
  end(): void
}

export function createLife(deps: {
  site: Site
  service: SimulatorControls
  ledger: Ledger
  chance: () => number
}) {
  const { site, service, ledger, chance } = deps
  /** Makes every content and every name another one. */
  let serial = 0
  const isPicture = (path: string) => /\.(?:jpg|png)$/.test(path)
  const pick = (from: readonly string[]) => from[Math.floor(chance() * from.length)]
  /** Of what was in order at the start, and is not busy with something else. */
  const takeSettled = (free: string[], is: (path: string) => boolean = () => true) => {
    const path = pick(free.filter(is))
    if (path !== undefined) free.splice(free.indexOf(path), 1)
    return path
  }

  function makeContent(): { content: Buffer; ending: string } {
    const grown = 8 * ++serial
    const kinds = [
      () => ({ content: aJpg(400 + grown), ending: 'jpg' }),
      () => ({ content: aPng(400 + grown), ending: 'png' }),
      () => ({ content: aPdf(800 + grown), ending: 'pdf' }),
      () => ({ content: anMp4(LARGE_BYTES + grown), ending: 'mp4' }),
    ]
    const make = kinds[Math.floor(chance() * kinds.length)] ?? kinds[0]
    return (make as () => { content: Buffer; ending: string })()
  }

  async function write(path: string, content: Buffer) {
    const file = join(site.folder, path)
    await mkdir(dirname(file), { recursive: true })
    // As a careful writer does, so that no half file is ever taken for a whole one.
    await writeFile(`${file}.tmp`, content)
    ledger.wrote(path, content)
    await rename(`${file}.tmp`, file)
  }

  async function come() {
    const { content, ending } = makeContent()
    await write(`${pick(['posters', 'prices/2026'])}/${serial}.${ending}`, content)
  }

  async function change(path: string | undefined) {
    if (path !== undefined) await write(path, aJpg(400 + 8 * ++serial))
  }

  async function vanish(path: string | undefined) {
    if (path !== undefined) await rm(join(site.folder, path))
  }

  async function move(path: string | undefined) {
    if (path === undefined) return
    const to = `renamed/${++serial}-${path.slice(path.lastIndexOf('/') + 1)}`
    await mkdir(join(site.folder, 'renamed'), { recursive: true })
    ledger.renamed(path, to)
    await rename(join(site.folder, path), join(site.folder, to))
  }

  async function refer(desk: Desk, path: string | undefined) {
    const content = aPng(400 + 8 * ++serial)
    const wireName = `picture ${serial}.png`
    const mediaId = await service.addMedia({ kind: 'image', wireName, content })
    ledger.referredTo(mediaId, content)
    const answer = await heard(pullOne(desk, mediaId, path))
    if (answer && answer.kind !== 'refused') ledger.promised(mediaId)
  }

  async function forget(desk: Desk, paths: readonly string[]) {
    for (const path of paths) ledger.released(path, 'asked')
    const answers = await heard(desk.forget(paths, { deleteFile: true, vanished: false }))
    for (const { path, forgotten } of answers ?? []) if (forgotten) ledger.released(path, 'done')
  }

  async function askOn(desk: Desk, isOver: () => boolean) {
    while (!isOver()) {
      const answers = await heard(desk.list())
      if (!answers) return
      ledger.handedOut(answers)
      await sleep(20)
    }
  }

  /** What is there from the first round on, so that all of it can happen in the next. */
  async function plant() {
    for (let number = 0; number < PLANTED; number++) {
      await write(`${VANISHING}${number}.png`, aPng(400 + 8 * ++serial))
      await write(`posters/${number}.jpg`, aJpg(400 + 8 * ++serial))
    }
  }

  /** While nobody looks. */
  async function goOnUnseen() {
    for (let count = 0; count < UNSEEN; count++) await come()
  }

  function start(desk: Desk): Life {
    let isOver = false
    const free = [...ledger.accounts.settled]
    const vanishing = takeSettled(free, (path) => path.startsWith(VANISHING))
    const ordinary = free.filter((path) => !path.startsWith(VANISHING))
    const tooMany = ordinary.splice(0, Math.max(1, ordinary.length - MOST_FILES))
    const changed = takeSettled(ordinary, (path) => path.endsWith('.jpg'))
    const moved = takeSettled(ordinary, isPicture)
    const acts = [
      ...Array.from({ length: NEWCOMERS }, () => come),
      async () => {
        await change(changed)
        // Long enough for the first content to get an id of its own, mostly.
        await sleep(SPREAD_MS * chance())
        await change(changed)
      },
      () => move(moved),
      () => refer(desk, undefined),
      () => refer(desk, `asked for/${serial}.png`),
      () => (tooMany.length > 0 ? forget(desk, tooMany) : Promise.resolve()),
      async () => {
        await vanish(vanishing)
        // At once, instead of at the next tick.
        await heard(desk.mirror(() => {}, new AbortController().signal))
      },
    ]
    const inTime = acts.map(async (act) => {
      await sleep(chance() * SPREAD_MS)
      await act()
    })
    const asking = askOn(desk, () => isOver)
    return {
      over: Promise.all([...inTime, asking]).then(() => undefined),
      end() {
        isOver = true
      },
    }
  }

  return { start, goOnUnseen, plant }
}

/** Undefined when the program died before it had answered. */
async function heard<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof DaemonSilent) return undefined
    throw error
  }
}
