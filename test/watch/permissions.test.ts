// What the folder does about what it may not read or write. To root nothing is forbidden, so this file, which has a
// process of its own, becomes somebody else for good.
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { MARKER_NAME } from '../../src/media/media.ts'
import { createFolder } from '../../src/watch/folder.ts'
import { createFolderIndex } from '../../src/watch/folder-index.ts'
import { createFolderReader } from '../../src/watch/folder-reader.ts'
import { createFolderScan } from '../../src/watch/folder-scan.ts'
import { createIgnore } from '../../src/watch/ignore.ts'
import { judgeFolder, prepareFolder, sightFolder } from '../../src/watch/marker.ts'
import { aPath } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { age, plant } from '../helpers/tree.ts'
import { until } from '../helpers/until.ts'

const NOBODY = 65_534
const stateDirectory = '/nonexistent/state'

if (process.getuid?.() === 0) {
  process.setgid?.(NOBODY)
  process.setuid?.(NOBODY)
}

test('a scan reports what cannot be read, and says what to do', async () => {
  const root = await createTempFolder()
  plant(root, { 'locked.jpg': 1, 'closed/a.jpg': 1, 'open.jpg': 1 })
  chmodSync(join(root, 'locked.jpg'), 0o000)
  chmodSync(join(root, 'closed'), 0o000)
  onTestFinished(() => chmodSync(join(root, 'closed'), 0o700))
  const scan = createFolderScan({ root, isIgnored: createIgnore([]), clock: createFakeClock() })
  const listings = []
  for await (const some of scan.walk('')) listings.push(...some)
  const problems = listings.flatMap((listing) => listing.problems)
  expect(listings.flatMap(({ files }) => files.map(({ path }) => path))).toEqual(['open.jpg'])
  expect(problems.map(({ path, code }) => [path, code]).sort()).toEqual([
    ['closed', 'FILE_UNREADABLE'],
    ['locked.jpg', 'FILE_UNREADABLE'],
  ])
  expect(problems[0]?.message).toMatch(
    /^cannot read `.*`: permission denied; let the user .* \(EACCES\)$/,
  )
})

test('a read-only folder is taken without a marker, with a warning', async () => {
  const path = await createTempFolder()
  chmodSync(path, 0o500)
  onTestFinished(() => chmodSync(path, 0o700))
  const prepared = await prepareFolder({ path, stateDirectory, wasMarked: false })
  expect(prepared).toMatchObject({
    isMarked: false,
    warning: expect.stringContaining('cannot place the marker'),
  })
  expect(judgeFolder(await sightFolder(path, false))).toEqual({ kind: 'believed' })
})

test('a folder that cannot be read is refused', async () => {
  const path = await createTempFolder()
  chmodSync(path, 0o300)
  onTestFinished(() => chmodSync(path, 0o700))
  const error: unknown = await prepareFolder({ path, stateDirectory, wasMarked: false }).catch(
    (refusal) => refusal,
  )
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).message).toContain('cannot be read')
})

test('a closed file in the place of a directory means that what was below is gone', async () => {
  const root = await createTempFolder()
  plant(root, { 'd/a.jpg': 1, 'e/b.jpg': 1 })
  const clock = createFakeClock(Date.now() + 60_000)
  const scan = createFolderScan({ root, isIgnored: createIgnore([]), clock })
  const index = createFolderIndex({ settleMs: 1_000 })
  const reader = createFolderReader({
    scan,
    index,
    watcher: undefined,
    clock,
    believe: async () => true,
    isStopped: () => false,
  })
  const close = (path: string) => {
    rmSync(join(root, path), { recursive: true })
    plant(root, { [path]: 1 })
    chmodSync(join(root, path), 0)
  }
  await reader.readAll()
  index.takeChanges()
  close('d')
  await reader.readAll()
  expect([...(index.takeChanges()?.vanished ?? [])]).toEqual(['d/a.jpg'])
  close('e')
  await reader.look(new Set(['e']))
  expect([...(index.takeChanges()?.vanished ?? [])]).toEqual(['e/b.jpg'])
  expect([...index.problems()].map(({ path }) => path)).toEqual(['d', 'e'])
  // Also what an entry says that was never seen there: an upload under way comes to its end after its file.
  const isUnsettled = (path: string) => index.isUnsettled(aPath(path))
  expect(['d/never-seen.jpg', 'd'].map(isUnsettled)).toEqual([false, true])
})

test('a file that is closed while it is written is waited for no longer, until it is open', async () => {
  const root = await createTempFolder()
  plant(root, { 'd/a.jpg': 1 })
  const clock = createFakeClock(Date.now())
  const index = createFolderIndex({ settleMs: 1_000 })
  const reader = createFolderReader({
    scan: createFolderScan({ root, isIgnored: createIgnore([]), clock }),
    index,
    watcher: undefined,
    clock,
    believe: async () => true,
    isStopped: () => false,
  })
  await reader.readAll()
  expect(index.nextLookAtMs()).toBeDefined()
  chmodSync(join(root, 'd'), 0)
  onTestFinished(() => chmodSync(join(root, 'd'), 0o700))
  await clock.advance(1_001)
  await reader.look(new Set(index.dueLooks(clock.nowMs())))
  expect(index.nextLookAtMs()).toBeUndefined()
  chmodSync(join(root, 'd'), 0o700)
  await reader.readAll()
  expect(index.get(aPath('d/a.jpg'))).toBeDefined()
})

test('a file whose permission is taken away is a problem, not gone', async () => {
  const root = join(await createTempFolder(), 'media')
  mkdirSync(root)
  plant(root, { [MARKER_NAME]: '', 'a.jpg': 1 })
  age(join(root, 'a.jpg'))
  const clock = createFakeClock(Date.now())
  const [problems, solved, vanished, bugs]: [string[], string[], string[], unknown[]] = [
    [],
    [],
    [],
    [],
  ]
  const folder = createFolder({
    root,
    isMarked: true,
    settings: { ignore: [], settleMs: 1_000, rescanMs: 600_000 },
    isWatched: true,
    clock,
    emit: () => {},
    random: () => 0.5,
    onChange(changes) {
      problems.push(...changes.problemsFound.keys())
      solved.push(...changes.problemsSolved)
      vanished.push(...changes.vanished)
    },
    onRescanned: () => {},
    onBelief: () => {},
    onBug: (bug) => bugs.push(bug),
  })
  onTestFinished(() => folder.stop())
  await folder.start()
  const meanwhile = () => clock.advance(25)
  chmodSync(join(root, 'a.jpg'), 0)
  await until(() => problems.includes('a.jpg'), { what: 'the problem', meanwhile })
  expect(folder.isUnsettled(aPath('a.jpg'))).toBe(true)
  chmodSync(join(root, 'a.jpg'), 0o644)
  await until(() => solved.includes('a.jpg'), { what: 'its end', meanwhile })
  expect([vanished, bugs]).toEqual([[], []])
})
