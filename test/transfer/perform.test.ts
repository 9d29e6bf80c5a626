// Giving up: a path is forgotten, lost or free of its problem only when one more look at the disk agrees.
import { expect, it } from 'vitest'
import { stampOfNoFile } from '../../src/media/media.ts'
import type { Step } from '../../src/plan/step.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createPerform } from '../../src/transfer/perform.ts'
import { anEntry, aPath, aProblem, NOW_MS } from '../helpers/builders.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { plant } from '../helpers/tree.ts'

const path = aPath('d/a.png')
const entry = anEntry({ path })
const steps: readonly Step[] = [
  { kind: 'forget', path, because: 'the file was deleted' },
  { kind: 'report-lost', path, entry },
  { kind: 'drop-problem', path },
]

async function perform(
  step: Step,
  files: Record<string, string>,
  { stamp = entry.stamp, remembersForgotten = false } = {},
) {
  const root = await createTempFolder()
  plant(root, files)
  const manifest = createMemoryManifest()
  const problem = aProblem({ path })
  await manifest.commit([
    { kind: 'put-entry', entry: { ...entry, stamp } },
    { kind: 'put-problem', problem },
  ])
  const told: string[] = []
  const emit = ({ kind }: MirrorEvent) => void told.push(kind)
  const unexpected = () => Promise.reject(new Error('nothing is to be transferred'))
  const reportLost = async () => emit({ kind: 'narrated', message: 'lost' })
  await createPerform({
    root,
    manifest,
    remembersForgotten,
    upload: unexpected,
    download: { restore: unexpected, land: unexpected, take: unexpected, reportLost },
    clock: { nowMs: () => NOW_MS },
    emit,
  })(step, new AbortController().signal)
  const left = [await manifest.findEntry(path), await manifest.findProblem(path)]
  return { told, left, isUntouched: left.every(Boolean) }
}

/** `report-lost` is for the stage that this stands for to commit. */
const gone = { told: expect.arrayContaining([expect.any(String)]) }

it.each(steps)('$kind: does nothing when the file is back', async (step) => {
  expect(await perform(step, { 'd/a.png': '' })).toMatchObject({ told: [], isUntouched: true })
})

it.each(steps)(
  '$kind: a file in the place of the directory means that it is gone',
  async (step) => {
    expect(await perform(step, { d: '' })).toMatchObject(gone)
  },
)

it.each(steps)(
  '$kind: a directory in the place of the file means that it is gone',
  async (step) => {
    expect(await perform(step, { 'd/a.png/inside.txt': '' })).toMatchObject(gone)
  },
)

it('drop-problem: a file that is back and as it was loses the problem that it was out of reach', async () => {
  const { told } = await perform(
    { kind: 'drop-problem', path, evenIfThere: true },
    { 'd/a.png': '' },
  )
  expect(told).toEqual(['problem-solved'])
})

it('forget: what was wrong with the path goes with its entry', async () => {
  const { told, left } = await perform(
    { kind: 'forget', path, because: 'the file was deleted' },
    {},
  )
  expect([told, left]).toEqual([
    ['forgotten', 'problem-solved'],
    [undefined, undefined],
  ])
})

it.each([
  ['what was deleted is remembered where other hosts may offer it', entry.stamp, 'FORGOTTEN'],
  ['a file that never came was not deleted', stampOfNoFile(entry.sizeBytes), undefined],
])('forget: %s', async (_, stamp, code) => {
  const step = { kind: 'forget', path, because: 'the file was deleted' } as const
  const { left } = await perform(step, {}, { stamp, remembersForgotten: true })
  expect(left).toEqual([undefined, code && expect.objectContaining({ code })])
})
