import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { MARKER_NAME } from '../../src/media/media.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createFolder } from '../../src/watch/folder.ts'
import type { Changes } from '../../src/watch/folder-index.ts'
import type { Belief } from '../../src/watch/marker.ts'
import { aPath } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { age, plant, rawPath } from '../helpers/tree.ts'
import { until } from '../helpers/until.ts'

const RESCAN_MS = 600_000

async function setUp(
  files: Record<string, string | number> = {},
  { isWatched = true, isStarted = true, ignore = [] as string[] } = {},
) {
  const root = join(await createTempFolder(), 'media')
  mkdirSync(root)
  plant(root, { [MARKER_NAME]: '', ...files })
  for (const path of Object.keys(files)) age(join(root, path))
  // The disk keeps real time, so the fake clock starts from it and stands still.
  const clock = createFakeClock(Date.now())
  const settled: string[] = []
  const vanished: string[] = []
  const problems: string[] = []
  const solved: string[] = []
  const beliefs: Belief['kind'][] = []
  const events: MirrorEvent[] = []
  const bugs: unknown[] = []
  const rescans: string[] = []
  const folder = createFolder({
    root,
    isMarked: true,
    settings: { ignore, settleMs: 1_000, rescanMs: RESCAN_MS },
    isWatched,
    clock,
    emit: (event) => events.push(event),
    random: () => 0.5,
    onChange(changes: Changes) {
      settled.push(...changes.settled)
      vanished.push(...changes.vanished)
      problems.push(...changes.problemsFound.keys())
      solved.push(...changes.problemsSolved)
    },
    onRescanned: () => void rescans.push('rescanned'),
    onBelief: ({ kind }) => beliefs.push(kind),
    onBug: (bug) => bugs.push(bug),
  })
  onTestFinished(async () => {
    await folder.stop()
    expect(bugs).toEqual([])
    expect(clock.pendingTimers()).toBe(0)
  })
  if (isStarted) await folder.start()
  /** Waits while the fake clock runs slowly, so that debounce and settling come to pass. */
  const soon = (isSo: () => boolean, what?: string) =>
    until(isSo, { ...(what && { what }), meanwhile: () => clock.advance(25) })
  const paths = () => [...folder.paths()].sort()
  const scans = () => events.filter(({ kind }) => kind === 'scanned').length
  return {
    root,
    clock,
    folder,
    settled,
    vanished,
    problems,
    solved,
    beliefs,
    events,
    soon,
    paths,
    scans,
    rescans,
  }
}

/** Puts a complete file in its place, as careful programs do. */
function moveIn(root: string, path: string, content = 'x') {
  const draft = join(root, '..', 'draft')
  writeFileSync(draft, content)
  age(draft)
  renameSync(draft, join(root, path))
}

test('start scans after the watch stands, and announces nothing', async () => {
  const { folder, settled, events, paths } = await setUp({ 'a.jpg': 1, 'd/b.jpg': 2 })
  expect(paths()).toEqual(['a.jpg', 'd/b.jpg'])
  expect(folder.get(aPath('d/b.jpg'))).toMatchObject({ path: 'd/b.jpg', sizeBytes: 2 })
  expect(folder.fileCount()).toBe(2)
  expect(settled).toEqual([])
  expect(events).toEqual([
    { kind: 'scanned', files: 2, tookMs: expect.any(Number), because: 'start' },
  ])
})

test('a file renamed in with an old mtime is announced at once', async () => {
  const { root, folder, settled, soon, clock } = await setUp()
  const startedAtMs = clock.nowMs()
  moveIn(root, 'a.jpg')
  await soon(() => settled.includes('a.jpg'))
  expect(folder.get(aPath('a.jpg'))).toBeDefined()
  expect(clock.nowMs() - startedAtMs).toBeLessThan(1_000)
})

test('a file that is written is announced when it has stood still, and not before', async () => {
  const { root, folder, settled, soon } = await setUp()
  writeFileSync(join(root, 'a.jpg'), 'half')
  await soon(() => folder.isUnsettled(aPath('a.jpg')))
  expect(folder.get(aPath('a.jpg'))).toBeUndefined()
  expect(folder.nextSettleAtMs()).toBeGreaterThan(0)
  expect(settled).toEqual([])
  await soon(() => settled.includes('a.jpg'))
  expect(folder.isUnsettled(aPath('a.jpg'))).toBe(false)
  expect(folder.nextSettleAtMs()).toBeUndefined()
})

test('announces what changes and what goes', async () => {
  const { root, settled, vanished, soon } = await setUp({
    'a.jpg': 1,
    'd/b.jpg': 1,
    'd/e/c.jpg': 1,
  })
  moveIn(root, 'a.jpg', 'other')
  await soon(() => settled.includes('a.jpg'))
  rmSync(join(root, 'd'), { recursive: true })
  await soon(() => vanished.length === 2)
  expect(vanished.sort()).toEqual(['d/b.jpg', 'd/e/c.jpg'])
})

test('finds all files of directories that are created, moved in, renamed and moved out', async () => {
  const { root, settled, vanished, soon, paths } = await setUp()
  const files = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`new/${i % 6}/deep/${i}.jpg`, 1]),
  )
  plant(root, files)
  await soon(() => settled.length === 60, 'new directories')
  renameSync(join(root, 'new'), join(root, 'renamed'))
  await soon(() => vanished.length === 60 && settled.length === 120, 'the rename')
  expect(paths().every((path) => path.startsWith('renamed/'))).toBe(true)
  moveIn(root, 'renamed/0/deep/later.jpg')
  await soon(() => settled.includes('renamed/0/deep/later.jpg'), 'a file in the renamed directory')
  renameSync(join(root, 'renamed'), join(root, '..', 'out'))
  await soon(() => paths().length === 0, 'the move away')
})

test('a directory that is deleted and created again is watched again', async () => {
  const { root, settled, soon } = await setUp({ 'd/a.jpg': 1 })
  for (let round = 0; round < 3; round++) {
    rmSync(join(root, 'd'), { recursive: true })
    mkdirSync(join(root, 'd'))
    moveIn(root, `d/first-${round}.jpg`)
    await soon(() => settled.includes(`d/first-${round}.jpg`), `round ${round}`)
    moveIn(root, `d/second-${round}.jpg`)
    await soon(() => settled.includes(`d/second-${round}.jpg`), `the watch of round ${round}`)
  }
})

test('a full scan of an unchanged folder announces nothing', async () => {
  const { folder, settled, vanished, scans } = await setUp({ 'a.jpg': 1, 'd/b.jpg': 1 })
  await folder.scan('asked for')
  expect(scans()).toBe(2)
  expect([...settled, ...vanished]).toEqual([])
})

test('without a watch, scans find everything, and no timer runs', async () => {
  const { root, folder, settled, vanished, clock } = await setUp(
    { 'gone.jpg': 1 },
    { isWatched: false },
  )
  moveIn(root, 'new.jpg')
  writeFileSync(join(root, 'fresh.jpg'), 'x')
  rmSync(join(root, 'gone.jpg'))
  await folder.scan('asked for')
  expect([settled, vanished]).toEqual([['new.jpg'], ['gone.jpg']])
  expect(clock.pendingTimers()).toBe(0)
  await clock.advance(1_100)
  await folder.lookAgain()
  expect(settled).toEqual(['new.jpg', 'fresh.jpg'])
})

test('rescans in its own time, and finds what no event told', async () => {
  const { clock, scans, rescans } = await setUp()
  await clock.advance(RESCAN_MS - 1)
  await until(() => scans() === 1)
  await clock.advance(1)
  await until(() => scans() === 2 && rescans.length === 1)
})

test('a loop that stood still is followed by a scan with a watch set up anew', async () => {
  const { root, clock, scans, soon, settled } = await setUp({ 'd/a.jpg': 1 })
  clock.leap(3_000)
  await clock.advance(1_000)
  await until(() => scans() === 2)
  moveIn(root, 'd/b.jpg')
  await soon(() => settled.includes('d/b.jpg'))
})

test('a folder that lost its marker is doubted: nothing in it has vanished, until it is back', async () => {
  const { root, folder, soon, beliefs, events, vanished } = await setUp({ 'a.jpg': 1, 'b.jpg': 1 })
  rmSync(join(root, MARKER_NAME))
  rmSync(join(root, 'a.jpg'))
  await soon(() => beliefs.includes('doubted'))
  expect(folder.isBelieved()).toBe(false)
  expect(folder.get(aPath('a.jpg'))).toBeDefined()
  expect(vanished).toEqual([])
  expect(events.at(-1)).toMatchObject({
    kind: 'folder-doubted',
    because: expect.stringContaining('lost its marker'),
  })
  writeFileSync(join(root, MARKER_NAME), '')
  await soon(() => vanished.includes('a.jpg'), 'the scan that follows')
  expect(beliefs).toEqual(['doubted', 'believed'])
  expect(folder.belief()).toEqual({ kind: 'believed' })
})

test('a root that goes and comes back is noticed both times, and watched again', async () => {
  const { root, soon, beliefs, settled, vanished, paths } = await setUp({ 'a.jpg': 1 })
  renameSync(root, `${root}-away`)
  await soon(() => beliefs.includes('doubted'))
  expect(vanished).toEqual([])
  renameSync(`${root}-away`, root)
  await soon(() => beliefs.includes('believed'))
  expect(paths()).toEqual(['a.jpg'])
  moveIn(root, 'b.jpg')
  await soon(() => settled.includes('b.jpg'))
})

test('a root that is replaced at once by another marked folder is watched anew', async () => {
  const { root, soon, settled } = await setUp({ 'a.jpg': 1 })
  plant(`${root}-next`, { [MARKER_NAME]: '', 'b.jpg': 1 })
  age(join(`${root}-next`, 'b.jpg'))
  renameSync(root, `${root}-old`)
  renameSync(`${root}-next`, root)
  await soon(() => settled.includes('b.jpg'))
  moveIn(root, 'c.jpg')
  await soon(() => settled.includes('c.jpg'))
})

test('reports a name that is not UTF-8 when it comes, and its end when it is mended', async () => {
  const { root, folder, soon, problems, solved, settled } = await setUp()
  const bad = rawPath(root, 'caf', 0xe9, '.jpg')
  writeFileSync(bad, 'x')
  await soon(() => problems.includes('caf\\xE9.jpg'))
  expect([...folder.problems()]).toMatchObject([{ code: 'NAME_NOT_UTF8' }])
  renameSync(bad, join(root, 'café.jpg'))
  await soon(() => solved.includes('caf\\xE9.jpg') && settled.includes('café.jpg'))
})

test('a folder that goes while a file in it is written is not looked at again and again', async () => {
  const { root, folder, clock, soon, beliefs } = await setUp({ 'b.jpg': 1 })
  writeFileSync(join(root, 'a.jpg'), 'half')
  await soon(() => folder.isUnsettled(aPath('a.jpg')))
  rmSync(join(root, MARKER_NAME))
  rmSync(join(root, 'b.jpg'))
  await soon(() => beliefs.includes('doubted'))
  expect(folder.nextSettleAtMs()).toBeUndefined()
  // For the next rescan and the loop's lag, and nothing else.
  expect(clock.pendingTimers()).toBe(2)
})

test('reports endless writing, once', async () => {
  const { root, clock, soon, problems, settled } = await setUp()
  const file = join(root, 'log')
  // Half a minute of it is endless; on a loaded machine the system may tell of the first writes late.
  for (let second = 0; second < 300 && problems.length === 0; second++) {
    writeFileSync(file, 'x'.repeat(second + 1))
    age(file, clock.nowMs())
    await clock.advance(900)
    await soon(() => true)
  }
  await soon(() => problems.length > 0, 'the problem')
  expect(problems).toEqual(['log'])
  await soon(() => settled.includes('log'))
})

test('a directory replaced by a link out of the folder takes its files with it', async () => {
  const { root, soon, vanished, paths } = await setUp({ 'd/a.jpg': 1 })
  const outside = await createTempFolder()
  plant(outside, { 'a.jpg': 1 })
  rmSync(join(root, 'd'), { recursive: true })
  symlinkSync(outside, join(root, 'd'))
  await soon(() => vanished.includes('d/a.jpg'))
  expect(paths()).toEqual([])
})

test('ignores what the configuration ignores', async () => {
  const { root, settled, soon, paths } = await setUp(
    { 'drafts/a.jpg': 1, 'b.psd': 1 },
    { ignore: ['drafts', '*.psd'] },
  )
  expect(paths()).toEqual([])
  moveIn(root, 'c.psd')
  moveIn(root, 'c.jpg')
  await soon(() => settled.length > 0)
  expect(settled).toEqual(['c.jpg'])
})

test('a burst of 6,000 files is found whole', async () => {
  const { root, soon, settled } = await setUp()
  plant(
    root,
    Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`d${i % 30}/${i}.jpg`, 1])),
  )
  await soon(() => settled.length >= 6000)
  expect(new Set(settled).size).toBe(6000)
})

test('can be stopped in the middle of its start', async () => {
  const { folder } = await setUp(
    Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`d${i}/a.jpg`, 1])),
    { isStarted: false },
  )
  const starting = folder.start()
  await new Promise((resolve) => setImmediate(resolve))
  await folder.stop()
  await starting
})

test('after random changes of every sort it knows the folder as it is', async () => {
  const { root, folder, soon } = await setUp({ 'd0/seed.jpg': 1 })
  let seed = 42
  const below = (limit: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % limit
  const expected = new Set(['d0/seed.jpg'])
  for (let step = 0; step < 400; step++) {
    const directory = `d${below(5)}`
    const path = `${directory}/${below(20)}.jpg`
    if (below(20) === 0) {
      rmSync(join(root, directory), { recursive: true, force: true })
      for (const known of [...expected])
        if (known.startsWith(`${directory}/`)) expected.delete(known)
    } else if (below(3) === 0) {
      rmSync(join(root, path), { force: true })
      expected.delete(path)
    } else {
      mkdirSync(join(root, directory), { recursive: true })
      moveIn(root, path, `${step}`)
      expected.add(path)
    }
    if (below(10) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const known = () => [...folder.paths()].sort().join('\n')
  const truth = [...expected].sort().join('\n')
  await soon(() => known() === truth, 'index and folder to agree')
  expect(folder.unsettledCount()).toBe(0)
})

test('a look at one path sees what nobody tells: one link less', async () => {
  const { root, folder, settled, soon } = await setUp({ 'a.png': 'abc' })
  linkSync(join(root, 'a.png'), join(root, '..', 'other'))
  await folder.scan('test')
  const before = folder.get(aPath('a.png'))?.stamp
  settled.length = 0
  rmSync(join(root, '..', 'other'))
  folder.lookAt(aPath('a.png'))
  await soon(() => settled.includes('a.png'), 'the look')
  expect(folder.get(aPath('a.png'))?.stamp).not.toBe(before)
})
