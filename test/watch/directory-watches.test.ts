import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createDirectoryWatches } from '../../src/watch/directory-watches.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { plant } from '../helpers/tree.ts'
import { until } from '../helpers/until.ts'

async function setUp(...directories: string[]) {
  const root = await createTempFolder()
  for (const directory of directories) mkdirSync(join(root, directory), { recursive: true })
  const hints: string[] = []
  const errors: Error[] = []
  const watches = createDirectoryWatches({
    root,
    onHint: (path) => hints.push(path),
    onError: (error) => errors.push(error),
  })
  onTestFinished(() => watches.close())
  await watches.add(['', ...directories])
  /** Every hint that comes of an act, once the one that is waited for is among them. */
  const hintsOf = async (act: () => void, awaited: string) => {
    hints.length = 0
    act()
    await until(() => hints.includes(awaited), { what: `a hint at ${awaited}` })
    return hints
  }
  return { root, watches, hints, errors, hintsOf }
}

/** How many inotify watches this whole process holds. */
function inotifyWatchCount(): number {
  const numbers = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:inotify'
    } catch {
      // The descriptor of this very listing is closed by now.
      return false
    }
  })
  const lines = numbers.flatMap((fd) => readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').split('\n'))
  return lines.filter((line) => line.startsWith('inotify')).length
}

test('hints at every file that is created, written, renamed, touched or deleted', async () => {
  const { root, hintsOf } = await setUp('d')
  const file = join(root, 'd/a.jpg')
  await hintsOf(() => writeFileSync(file, 'x'), 'd/a.jpg')
  await hintsOf(() => writeFileSync(file, 'y'), 'd/a.jpg')
  await hintsOf(() => chmodSync(file, 0o600), 'd/a.jpg')
  expect(await hintsOf(() => renameSync(file, join(root, 'd/b.jpg')), 'd/b.jpg')).toContain(
    'd/a.jpg',
  )
  await hintsOf(() => rmSync(join(root, 'd/b.jpg')), 'd/b.jpg')
})

test.each([
  'two\nlines',
  '[glob]*?',
  ' space ',
  '海报',
  '!not',
  "it's",
  '"q"',
  '{a,b}',
  '(x)',
  '__proto__',
])('watches a directory whose name is %j', async (name) => {
  const { root, hintsOf } = await setUp(name)
  await hintsOf(() => writeFileSync(join(root, name, 'a.jpg'), 'x'), `${name}/a.jpg`)
})

test('a name that editors use for backups is hinted at as well', async () => {
  const { root, hintsOf } = await setUp()
  await hintsOf(() => writeFileSync(join(root, '报告~'), 'x'), '报告~')
})

test('watches directories, not files: one inotify watch each', async () => {
  const before = inotifyWatchCount()
  const { root, watches } = await setUp('a', 'b', 'c')
  plant(root, Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`a/${i}.jpg`, 1])))
  await watches.add(['a', 'b', 'c'])
  expect(inotifyWatchCount() - before).toBe(4)
  await watches.close()
  await until(() => inotifyWatchCount() === before, { what: 'the watches to be given back' })
})

test('gives up a directory that is moved or deleted, with all below it', async () => {
  const { root, watches, hintsOf } = await setUp('a', 'a/b', 'a/b/c', 'd')
  await hintsOf(() => renameSync(join(root, 'a'), join(root, 'z')), 'z')
  expect([...watches.directories()]).toEqual(['', 'd'])
  await hintsOf(() => rmSync(join(root, 'd'), { recursive: true }), 'd')
  expect([...watches.directories()]).toEqual([''])
})

test('a directory that was deleted and created anew is watched anew', async () => {
  const { root, watches, hintsOf } = await setUp('a')
  for (let round = 0; round < 3; round++) {
    await hintsOf(() => {
      rmSync(join(root, 'a'), { recursive: true })
      mkdirSync(join(root, 'a'))
    }, 'a')
    await until(() => !watches.has('a'))
    await watches.add(['a'])
    await hintsOf(() => writeFileSync(join(root, 'a/x.jpg'), 'x'), 'a/x.jpg')
  }
})

test('no longer hears of a directory that it gave up', async () => {
  const { root, watches, hintsOf, hints } = await setUp('a', 'b')
  watches.drop('a')
  await hintsOf(() => {
    writeFileSync(join(root, 'a/x.jpg'), 'x')
    writeFileSync(join(root, 'b/x.jpg'), 'x')
  }, 'b/x.jpg')
  expect(hints).not.toContain('a/x.jpg')
})

test('hints at the root when the root itself goes', async () => {
  const { root, hintsOf } = await setUp('a')
  await hintsOf(() => renameSync(root, `${root}-away`), '')
  onTestFinished(() => rmSync(`${root}-away`, { recursive: true }))
})

test('a directory that is gone before its watch stands is not taken for watched', async () => {
  const { watches, root, hintsOf } = await setUp()
  await watches.add(['never/was', 'nor/this'])
  await hintsOf(() => writeFileSync(join(root, 'a.jpg'), 'x'), 'a.jpg')
  expect([...watches.directories()].filter((directory) => directory.startsWith('n'))).toEqual([])
})

test('a directory with a backslash in its name is left to the scans, and disturbs no other', async () => {
  const { root, watches, hintsOf } = await setUp('back', 'back/slash', 'back\\slash')
  expect([...watches.directories()]).toEqual(['', 'back', 'back/slash'])
  await hintsOf(() => writeFileSync(join(root, 'back/slash/a.jpg'), 'x'), 'back/slash/a.jpg')
})

test('sees every one of many files that come at once, in directories that are full already', async () => {
  const names = Array.from({ length: 2000 }, (_, i) => `d/${i}.jpg`)
  const { root, hints } = await setUp('d')
  plant(root, Object.fromEntries(names.map((name) => [name, 1])))
  await until(() => new Set(hints).size >= names.length)
  expect(new Set(hints)).toEqual(new Set(names))
})
