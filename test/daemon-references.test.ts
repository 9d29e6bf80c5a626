// The whole program, in process: how long references are remembered, over restarts and weeks, and what becomes of those that get in each
// other's way. No tick comes to anybody's help but where time passes.
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { isTempName } from '../src/media/temp-name.ts'
import { fingerprintBuffer } from '../src/transfer/fingerprint.ts'
import { partName } from '../src/transfer/part-file.ts'
import { aMediaId, anEntry, HOUR_MS } from './helpers/builders.ts'
import { type Machine, startMachine } from './helpers/machine.ts'
import { pullAll, pullOne } from './helpers/pulling.ts'
import { anAmr } from './helpers/samples.ts'
import { createTempFolder } from './helpers/temp-folder.ts'
import { createBreakableFiles } from './manifest/breakable-files.ts'
import { openState } from './references/peer-state.ts'

const DAY_MS = 24 * HOUR_MS

/** A list that the machine reads, and what is done with it. */
async function aList() {
  const file = join(await createTempFolder('lists'), 'list.json')
  const write = async (...rows: object[]) => {
    await writeFile(`${file}.new`, JSON.stringify(rows))
    await rename(`${file}.new`, file)
  }
  await write()
  return { file, write, settings: { references: { files: [file] } } }
}

const add = (machine: Machine, wireName: string) =>
  machine.wecom.controls.addMedia({ kind: 'file', wireName, content: Buffer.from(wireName) })

const statesOf = async (machine: Machine) =>
  Object.fromEntries(
    (await machine.desk().references()).map(({ media_id, state }) => [media_id, state]),
  )

/** Time passes until it is so: the looks at files need real time besides. */
const comesTo = async (machine: Machine, states: Record<string, string>) => {
  for (let round = 0; round < 200; round++) {
    await machine.advance(3000)
    if (isDeepStrictEqual(await statesOf(machine), states)) return
  }
  expect(await statesOf(machine)).toEqual(states)
}

/** Nobody is awake for so long; after that the ticks come. */
async function sleep(machine: Machine, days: number) {
  machine.suspend(days * DAY_MS)
  await machine.advance(11 * 60_000)
}

const downloads = ({ wecom }: Machine) => wecom.controls.counts().get ?? 0

const forget = async (machine: Machine, mediaId: string) =>
  (await machine.desk().forget([mediaId], { deleteFile: false, vanished: false }))[0]?.forgotten

test('what a person dismissed stays so as long as a list names it for the same place, over restarts and weeks', async () => {
  const list = await aList()
  const machine = await startMachine(list)
  await list.write({ media_id: 'dead-1' }, { media_id: 'dead-2', path: 'a.jpg' })
  await comesTo(machine, { 'dead-1': 'lost', 'dead-2': 'lost' })
  expect([await forget(machine, 'dead-1'), await forget(machine, 'dead-2')]).toEqual([true, true])
  expect([await statesOf(machine), (await machine.status()).references.lost]).toEqual([{}, 0])
  expect(await forget(machine, 'dead-1')).toBe(false)

  const asked = downloads(machine)
  await machine.restart()
  await sleep(machine, 40)
  await machine.restart()
  expect([await statesOf(machine), downloads(machine)]).toEqual([{}, asked])

  await list.write({ media_id: 'dead-1' }, { media_id: 'dead-2', path: 'b.jpg' })
  await comesTo(machine, { 'dead-2': 'lost' })
})

test('what landed is forgotten a day after the life of its id, what was lost after thirty, and neither while a list names it', async () => {
  const list = await aList()
  const machine = await startMachine(list)
  const [listed, pulled] = [await add(machine, 'listed'), await add(machine, 'pulled')]
  await list.write({ media_id: listed }, { media_id: 'dead-listed' })
  await comesTo(machine, { [listed]: 'landed', 'dead-listed': 'lost' })
  expect(await pullOne(machine.desk(), pulled)).toMatchObject({ kind: 'landed' })
  expect(await pullOne(machine.desk(), 'dead-pulled')).toMatchObject({ kind: 'lost' })
  const asked = downloads(machine)

  await sleep(machine, 3)
  expect(await statesOf(machine)).toMatchObject({ [pulled]: 'landed' })
  await sleep(machine, 1)
  await comesTo(machine, { [listed]: 'landed', 'dead-listed': 'lost', 'dead-pulled': 'lost' })
  await sleep(machine, 30)
  await comesTo(machine, { [listed]: 'landed', 'dead-listed': 'lost' })
  await machine.restart()
  expect(await statesOf(machine)).toEqual({ [listed]: 'landed', 'dead-listed': 'lost' })
  expect(downloads(machine)).toBe(asked)
  expect(await readFile(join(machine.folder, 'inbox', dayOf(machine), 'pulled'), 'utf8')).toBe(
    'pulled',
  )

  await list.write()
  await comesTo(machine, {})
})

const dayOf = ({ told }: Machine): string => {
  const landed = told.find((event) => event.kind === 'landed')
  return landed?.entry.path.split('/')[1] ?? 'nowhere'
}

test('a row that could not be taken in while the disk was full is taken in when there is room', async () => {
  const list = await aList()
  const disk = createBreakableFiles()
  const machine = await startMachine({ ...list, files: disk.files })
  disk.breakWhen(({ operation, name }) =>
    operation === 'write' && name.startsWith('manifest') ? 'ENOSPC' : undefined,
  )
  const mediaId = await add(machine, 'late')
  await list.write({ media_id: mediaId })
  const refused = () => machine.told.filter(({ kind }) => kind === 'disk-failed').length
  for (let round = 0; refused() === 0 && round < 200; round++) await machine.advance(3000)
  expect([refused(), await statesOf(machine)]).toEqual([1, {}])
  disk.repair()
  await comesTo(machine, { [mediaId]: 'landed' })
})

test('of two media that are pulled to one path at once both land at once, the second under a number', async () => {
  const machine = await startMachine()
  const ids = [await add(machine, 'one'), await add(machine, 'two'), await add(machine, 'three')]
  const answers = await Promise.all(ids.map((id) => pullOne(machine.desk(), id, 'x/same.pdf')))
  const landedPaths = answers.map((answer) =>
    answer.kind === 'landed' ? answer.reference.landed_path : answer.kind,
  )
  expect(landedPaths.sort()).toEqual(['x/same (2).pdf', 'x/same (3).pdf', 'x/same.pdf'])
  expect((await machine.status()).problems.map(({ code }) => code)).toEqual([
    'PATH_CONFLICT',
    'PATH_CONFLICT',
  ])
})

test('what is wished of an id while that lands is had as well: another place, or the high definition', async () => {
  const machine = await startMachine()
  const voice = { kind: 'voice', wireName: 'a.amr', content: anAmr(), fromJsSdk: true } as const
  const mediaId = await machine.wecom.controls.addMedia(voice)
  const desk = machine.desk()
  const isLanding = async () => (await desk.status()).queue.in_flight.length > 0
  const first = pullOne(desk, mediaId, 'd/')
  while (!(await isLanding())) await new Promise((resolve) => setImmediate(resolve))
  const [speech] = await pullAll(desk, { mediaIds: [mediaId], to: 'd/', isHd: true })
  expect(speech).toMatchObject({ kind: 'landed', reference: { hd: true } })
  expect(await first).toMatchObject({ kind: 'landed' })
  expect((await readdir(join(machine.folder, 'd'))).sort()).toEqual([`${mediaId}.speex`, 'a.amr'])
})

const MB = 2 ** 20

test('what was begun of what another host offers is gone on from after a restart, and the rest is cleared away', async () => {
  const peer = join(await createTempFolder('peer'), 'manifest.json')
  const machine = await startMachine({ settings: { references: { files: [peer] } } })
  const content = randomBytes(20 * MB)
  const about = { kind: 'file', wireName: 'big.bin', content } as const
  const mediaId = aMediaId(await machine.wecom.controls.addMedia(about))
  const [offered, other] = [partName(mediaId), partName(aMediaId('other'))]
  const plant = (name: string, bytes: Buffer) => writeFile(join(machine.folder, name), bytes)
  const temporaries = async () => (await readdir(machine.folder)).filter(isTempName).sort()

  // The other host's manifest is not to be had at first: nobody knows yet what it wants.
  await machine.restart(async () => {
    await plant(offered, content.subarray(0, 9 * MB))
    await plant(other, content.subarray(0, 9 * MB))
    await plant(partName(aMediaId('small')), content.subarray(0, MB))
  })
  expect(await temporaries()).toEqual([offered, other].sort())
  const createdAtMs = machine.wecom.controls.media().at(-1)?.createdAtMs ?? 0
  const entry = anEntry({
    path: 'big.bin',
    mediaId,
    kind: 'file',
    createdAtMs,
    expiresAtMs: createdAtMs + 3 * DAY_MS,
    sizeBytes: content.length,
    fingerprint: fingerprintBuffer(content),
  })
  const before = downloads(machine)
  await machine.restart(async () => writeFile(peer, await openState([entry])))
  expect((await readFile(join(machine.folder, 'big.bin'))).equals(content)).toBe(true)
  // Of three ranges the first was there.
  expect(downloads(machine) - before).toBe(2)
  expect(await temporaries()).toEqual([])
})
