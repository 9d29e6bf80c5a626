import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { expect, onTestFinished, test } from 'vitest'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createWatcher } from '../../src/watch/watcher.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { plant } from '../helpers/tree.ts'
import { until } from '../helpers/until.ts'

async function setUp(files: Record<string, number> = {}) {
  const root = await createTempFolder()
  plant(root, files)
  const clock = createFakeClock()
  const batches: (readonly string[])[] = []
  const doubts: string[] = []
  const events: MirrorEvent[] = []
  const watcher = createWatcher({
    root,
    clock,
    emit: (event) => events.push(event),
    onHint: (paths) => batches.push([...paths]),
    onUncertain: (because) => doubts.push(because),
  })
  watcher.start()
  onTestFinished(() => watcher.stop())
  await watcher.cover([''])
  return { root, clock, watcher, batches, doubts, events }
}

test('collects hints for 50 ms and tells each path once', async () => {
  const { root, clock, batches } = await setUp()
  writeFileSync(join(root, 'a.jpg'), 'x')
  writeFileSync(join(root, 'b.jpg'), 'x')
  const lagTimerAlone = clock.pendingTimers()
  await until(() => clock.pendingTimers() > lagTimerAlone)
  expect(batches).toEqual([])
  await until(() => batches.length > 0, { meanwhile: () => clock.advance(50) })
  expect(batches.flat().sort()).toEqual(['a.jpg', 'b.jpg'])
})

test('a burst of changes asks for a scan instead of 5,000 looks', async () => {
  const { root, clock, batches, doubts } = await setUp()
  plant(root, Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`${i}.jpg`, 1])))
  await until(() => doubts.length > 0, { meanwhile: () => clock.advance(10) })
  expect(doubts).toEqual(['more than 4000 changes within a second'])
  expect(batches.flat().length).toBeLessThan(4000)
})

test('a loop that stood still may have missed anything: the watches are set up anew', async () => {
  const { clock, watcher, doubts } = await setUp()
  await clock.advance(5_000)
  expect(doubts).toEqual([])
  clock.leap(2_000)
  await clock.advance(1_000)
  expect(doubts).toEqual(['the program stood still for a while'])
  expect(watcher.has('')).toBe(false)
})

test('leaves no timer behind, and says nothing after it was stopped', async () => {
  const { root, clock, watcher, batches } = await setUp()
  writeFileSync(join(root, 'a.jpg'), 'x')
  await watcher.stop()
  await clock.advance(5_000)
  expect(batches).toEqual([])
  expect(clock.pendingTimers()).toBe(0)
})

test('keeps only the watches of directories that are still there', async () => {
  const { watcher } = await setUp({ 'a/x': 1, 'b/c/x': 1 })
  await watcher.cover(['a', 'b', 'b/c'])
  watcher.keepOnly(new Set(['', 'b']))
  expect(['', 'a', 'b', 'b/c'].map(watcher.has)).toEqual([true, false, true, false])
})

/** Runs a piece of the program where the system allows only so many watches or instances. */
function runLimited(limit: string, root: string): unknown[] {
  const source = `
    import { createWatcher } from '${new URL('../../src/watch/watcher.ts', import.meta.url).href}'
    import { systemClock } from '${new URL('../../src/support/clock.ts', import.meta.url).href}'
    const told = []
    const watcher = createWatcher({ root: process.argv[1], clock: systemClock, emit: (event) => told.push(event), onHint() {}, onUncertain: (because) => told.push(because) })
    const directories = ['', ...Array.from({ length: 40 }, (_, i) => 'd' + i)]
    await watcher.cover(directories)
    await watcher.cover(directories)
    told.push(directories.filter(watcher.has).length, watcher.isDegraded())
    watcher.drop('')
    for (const directory of directories.slice(3)) watcher.drop(directory)
    await watcher.stop()
    console.log(JSON.stringify(told))`
  const shell = `echo ${limit} && exec "$0" --input-type=module -e "$1" "$2"`
  const output = execFileSync('unshare', ['-Ur', 'sh', '-c', shell, execPath, source, root], {
    encoding: 'utf8',
  })
  return JSON.parse(output) as unknown[]
}

/** Limits can be lowered in a user namespace, for that alone; not everywhere may one be made. */
function canLimit(): boolean {
  const limit = 'echo 100 > /proc/sys/user/max_inotify_watches'
  return spawnSync('unshare', ['-Ur', 'sh', '-c', limit]).status === 0
}

test.skipIf(!canLimit()).each([
  [
    '20 > /proc/sys/user/max_inotify_watches',
    'ENOSPC',
    'fs.inotify.max_user_watches',
    (count: number) => count > 0 && count <= 20,
  ],
  [
    '0 > /proc/sys/user/max_inotify_instances',
    'EMFILE',
    'fs.inotify.max_user_instances',
    (count: number) => count === 0,
  ],
])(
  'when the system allows no more (%s) it says so once, and goes on with what it has',
  async (limit, code, setting, isExpected) => {
    const root = await createTempFolder()
    plant(root, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}/a.jpg`, 1])))
    const told = runLimited(limit, root)
    const [event, count, isDegraded] = told as [MirrorEvent, number, boolean]
    expect(told).toHaveLength(3)
    expect(event).toMatchObject({ kind: 'watch-degraded' })
    expect(JSON.stringify(event)).toContain(code)
    expect(JSON.stringify(event)).toContain(setting)
    expect(isExpected(count)).toBe(true)
    expect(isDegraded).toBe(true)
  },
)
