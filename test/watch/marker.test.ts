import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { MARKER_NAME } from '../../src/media/media.ts'
import { judgeFolder, prepareFolder, sightFolder } from '../../src/watch/marker.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

const state = '/nonexistent/state'

async function refusal(given: { path: string; stateDirectory?: string }): Promise<ConfigError> {
  const error: unknown = await prepareFolder({
    stateDirectory: state,
    wasMarked: false,
    ...given,
  }).catch((e) => e)
  expect(error).toBeInstanceOf(ConfigError)
  return error as ConfigError
}

test.each([
  ['directory', true, true, true],
  ['directory', true, false, true],
  ['directory', false, false, true],
  ['directory', false, true, false],
  ['absent', false, false, false],
  ['not-a-directory', false, true, false],
  ['unreadable', false, false, false],
] as const)(
  'root %s, marker present %j, once marked %j: believed %j',
  (rootState, markerPresent, wasMarked, believed) => {
    const belief = judgeFolder({ path: '/srv/media', rootState, markerPresent, wasMarked })
    expect(belief.kind).toBe(believed ? 'believed' : 'doubted')
    if (belief.kind === 'doubted')
      expect(`${belief.because} ${belief.hint}`).toContain('/srv/media`')
  },
)

test('marks a folder for the first time, with words for whoever finds the marker', async () => {
  const path = await createTempFolder()
  expect(await prepareFolder({ path, stateDirectory: state, wasMarked: false })).toEqual({
    root: path,
    isMarked: true,
  })
  const text = readFileSync(join(path, MARKER_NAME), 'utf8')
  expect(text.trimEnd().split('\n')).toHaveLength(2)
  expect(text).toMatch(/Do not delete it.*\n.*请勿删除/)
  expect(await sightFolder(path, true)).toMatchObject({
    rootState: 'directory',
    markerPresent: true,
  })
})

test('never puts back a marker that was lost: that is for a person to do', async () => {
  const path = await createTempFolder()
  expect(await prepareFolder({ path, stateDirectory: state, wasMarked: true })).toMatchObject({
    isMarked: true,
  })
  expect(judgeFolder(await sightFolder(path, true))).toMatchObject({
    kind: 'doubted',
    hint: expect.stringContaining(`touch '${path}/${MARKER_NAME}'`),
  })
})

test('leaves a marker that is there already as it is', async () => {
  const path = await createTempFolder()
  writeFileSync(join(path, MARKER_NAME), 'touched by hand')
  await prepareFolder({ path, stateDirectory: state, wasMarked: false })
  expect(readFileSync(join(path, MARKER_NAME), 'utf8')).toBe('touched by hand')
})

test('refuses a folder that is not there, or no directory, with what to do', async () => {
  const path = await createTempFolder()
  writeFileSync(join(path, 'file'), '')
  expect(await refusal({ path: join(path, 'none') })).toMatchObject({
    message: `cannot use the folder \`${path}/none\`: it does not exist`,
    hint: expect.stringContaining('mount it'),
    problems: [{ key: 'folder.path' }],
  })
  expect((await refusal({ path: join(path, 'file') })).message).toContain('not a directory')
})

test('refuses a state directory inside the folder, wherever links lead and whether it exists or not', async () => {
  const path = await createTempFolder()
  const elsewhere = await createTempFolder()
  mkdirSync(join(path, 'inner'))
  symlinkSync(join(path, 'inner'), join(elsewhere, 'link'))
  for (const stateDirectory of [
    path,
    join(path, 'inner'),
    join(path, 'not/yet'),
    join(elsewhere, 'link/not/yet'),
  ])
    expect((await refusal({ path, stateDirectory })).message).toContain('lies inside the folder')
  symlinkSync(path, join(elsewhere, 'folder'))
  expect(
    (await refusal({ path: join(elsewhere, 'folder'), stateDirectory: join(path, 'x') }))
      .problems[0]?.key,
  ).toBe('state')
  const beside = await prepareFolder({ path, stateDirectory: `${path}-state`, wasMarked: false })
  expect(beside.root).toBe(path)
})

test('resolves links on the way to the folder once and for all', async () => {
  const path = await createTempFolder()
  const elsewhere = await createTempFolder()
  symlinkSync(path, join(elsewhere, 'folder'))
  const { root } = await prepareFolder({
    path: join(elsewhere, 'folder'),
    stateDirectory: state,
    wasMarked: false,
  })
  expect(root).toBe(path)
})

test('tells a folder from another one that took its place', async () => {
  const path = join(await createTempFolder(), 'media')
  mkdirSync(path)
  const before = await sightFolder(path, false)
  rmSync(path, { recursive: true })
  expect(await sightFolder(path, false)).toMatchObject({ rootState: 'absent' })
  mkdirSync(path)
  expect((await sightFolder(path, false)).identity).not.toBe(before.identity)
})
