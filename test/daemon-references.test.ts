// The whole program, in process: what becomes of references that get in each other's way. No tick comes to anybody's help but where time passes.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Machine, startMachine } from './helpers/machine.ts'
import { pullAll, pullOne } from './helpers/pulling.ts'
import { anAmr } from './helpers/samples.ts'

const add = (machine: Machine, wireName: string) =>
  machine.wecom.controls.addMedia({ kind: 'file', wireName, content: Buffer.from(wireName) })

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
