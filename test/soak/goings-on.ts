// What befalls a mirror in a long life, turn after turn: files come, change and go, with directories of their own; media are pulled,
// asked for, killed; tokens are revoked, the service fails and is away; the configuration is read again. Each turn leaves behind
// no more than the one before, so that whatever grows is the mirror's.

import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Desk } from '../../src/serve/desk.ts'
import type { SimulatorControls } from '../../src/simulator/controls.ts'
import type { FaultRule } from '../../src/simulator/faults.ts'
import { pullOne } from '../helpers/pulling.ts'
import { aJpg, aPdf, aPng } from '../helpers/samples.ts'

export interface Stage {
  readonly folder: string
  readonly wecom: SimulatorControls
  /** How many files there are for good. */
  readonly fileCount: number
  /** As a command finds the mirror: anew each time. */
  desk(): Promise<Desk>
  reload(): Promise<void>
  /** Sees that what needs the mirror's time comes to its end. */
  see<Value>(promise: Promise<Value>): Promise<Value>
}

/** Of all calls, for each of these. */
const TROUBLE_RATE = 0.01
const TROUBLES: readonly FaultRule['fault'][] = [
  { kind: 'errcode', errcode: -1 },
  { kind: 'gateway-page', status: 502 },
  { kind: 'half-json' },
  { kind: 'empty' },
  { kind: 'reset', at: 'before-store' },
  { kind: 'reset', at: 'mid-body' },
  { kind: 'reset', at: 'after-store' },
  { kind: 'stall', forMs: 300, at: 'mid-body' },
  { kind: 'wrong-length', byBytes: 10 },
]
/** What comes goes so many turns later. */
const STAY_TURNS = 10
const OUTAGE_TURNS = 2
/** Of names that are asked for in vain, and media that are pulled: more would be remembered, up to a limit, and look like a leak. */
const FEW = 20

const NEVER = new AbortController().signal

/** Writes those of the files that are not there: at first all of them, later what was deleted while its medium had died. */
export async function plantForGood(
  { folder, fileCount }: Pick<Stage, 'folder' | 'fileCount'>,
  turn = 0,
): Promise<void> {
  for (let number = 0; number < fileCount; number++) {
    const isThere = await access(join(folder, steady(number))).then(
      () => true,
      () => false,
    )
    if (!isThere) await put(folder, steady(number), turn)
  }
}

const steady = (number: number): string =>
  `steady/${number % 7}/${number}.${number % 2 ? 'png' : 'jpg'}`

async function put(folder: string, path: string, turn: number) {
  const sizeBytes = 2000 + (turn % 500)
  const content = path.endsWith('pdf') ? aPdf : path.endsWith('png') ? aPng : aJpg
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), unlike(content(sizeBytes), path + turn))
}

/** Content of its own, or the mirror would share one upload among many. */
const unlike = (content: Buffer, mark: string): Buffer =>
  Buffer.concat([content, Buffer.from(mark)])

/** Performs one turn after the other. */
export function createGoingsOn(stage: Stage) {
  const { folder, wecom, fileCount, see } = stage
  let endOutage: (() => void) | undefined

  /** Every call fails a little, each kind of trouble in its own order. */
  function beginTroubles() {
    TROUBLES.forEach((fault, number) => {
      wecom.addFault({ when: { rate: TROUBLE_RATE, seed: number + 1 }, fault })
    })
  }

  async function comeAndGo(turn: number, desk: Desk) {
    const dayOf = (number: number) => `days/${number}/${number}.pdf`
    await put(folder, dayOf(turn), turn)
    const gone = turn - STAY_TURNS
    if (gone < 0) return
    await see(desk.forget([dayOf(gone)], { deleteFile: true, vanished: false }))
    await rm(join(folder, dirname(dayOf(gone))), { recursive: true, force: true })
  }

  async function refer(turn: number, desk: Desk) {
    const content = unlike(aPng(3000), `pulled ${turn % FEW}`)
    const mediaId = await wecom.addMedia({ kind: 'image', wireName: 'picture.png', content })
    const path = `pulled/${turn % FEW}.png`
    // The service may be away, or fail: then it is accepted and lands later, or is lost. Whoever gives up early is heard too.
    const patience = turn % 3 === 0 ? AbortSignal.timeout(1) : NEVER
    await see(pullOne(desk, mediaId, path, patience)).catch((error: unknown) => {
      if (!patience.aborted) throw error
    })
    // Also what was accepted in an outage and has landed since, perhaps beside another of its name.
    const landed = (await see(desk.list('pulled/**'))).map((one) => one.path)
    await see(desk.forget(landed, { deleteFile: true, vanished: false }))
  }

  async function ask(turn: number, desk: Desk) {
    await see(desk.status())
    await see(desk.list())
    await see(desk.lookUp(steady(turn % fileCount)))
    await see(desk.lookUp(`nowhere/${turn % FEW}.jpg`))
  }

  const every = (turns: number, turn: number) => turn % turns === turns - 1

  return {
    beginTroubles,
    endTroubles: () => wecom.clearFaults(),
    async turn(turn: number) {
      const desk = await stage.desk()
      await comeAndGo(turn, desk)
      await rm(join(folder, steady((3 * turn) % fileCount)), { force: true })
      if (every(3, turn)) await put(folder, steady((7 * turn) % fileCount), turn)
      if (every(10, turn)) await plantForGood(stage, turn)
      if (every(4, turn)) await refer(turn, desk)
      await ask(turn, desk)
      const [oldest] = wecom.media()
      if (every(5, turn) && oldest) await wecom.killMedia(oldest.mediaId)
      if (every(7, turn)) wecom.revokeTokens()
      if (every(11, turn))
        endOutage = wecom.addFault({ when: {}, fault: { kind: 'gateway-page', status: 503 } })
      if (every(11, turn - OUTAGE_TURNS)) endOutage?.()
      if (every(13, turn)) await stage.reload()
    },
  }
}
