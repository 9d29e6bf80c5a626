import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFolderScan } from '../../src/watch/folder-scan.ts'
import { createIgnore } from '../../src/watch/ignore.ts'
import { showBytes } from '../../src/watch/names.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { age, plant, rawPath } from '../helpers/tree.ts'

async function setUp(files: Record<string, string | number> = {}) {
  const root = await createTempFolder()
  plant(root, files)
  const scan = createFolderScan({ root, isIgnored: createIgnore([]), clock: createFakeClock() })
  return { root, scan }
}

async function readAll({ walk }: ReturnType<typeof createFolderScan>, under = '') {
  const listings = []
  for await (const some of walk(under)) listings.push(...some)
  return {
    paths: listings.flatMap(({ files }) => files.map(({ path }) => path)).sort(),
    directories: listings.map(({ directory }) => directory).sort(),
    problems: listings.flatMap(({ problems }) => problems),
  }
}

test('finds every file with its facts, by a path with forward slashes', async () => {
  const { root, scan } = await setUp({ 'a.jpg': 3, 'b/c/d.png': 5 })
  age(join(root, 'a.jpg'), 1_600_000_000_000)
  expect((await readAll(scan)).paths).toEqual(['a.jpg', 'b/c/d.png'])
  const found = await scan.lookAt('a.jpg')
  expect(found).toMatchObject({
    kind: 'file',
    facts: { path: 'a.jpg', sizeBytes: 3, modifiedAtMs: 1_600_000_000_000 },
  })
  if (found.kind !== 'file') return
  expect(found.facts.stamp).toMatch(/^3:1600000000000:\d/)
  expect(found.facts.changedAtMs).toBeGreaterThan(1_600_000_000_000)
})

test('keeps strange names exactly as they are on disk', async () => {
  const names = [
    'a "quoted" name.jpg',
    "it's.jpg",
    'two\nlines.jpg',
    'back\\slash.jpg',
    '👩‍👩‍👧 émoji.png',
    'e\u0301 decomposed.jpg',
    '\u00e9 composed.jpg',
    '-rf.jpg',
    '* ? [a].jpg',
    ' leading space',
    'really \ufffd.jpg',
    `${'长'.repeat(83)}.jpeg`,
    'b'.repeat(255),
  ]
  const { scan } = await setUp(Object.fromEntries(names.map((name) => [name, 1])))
  expect((await readAll(scan)).paths).toEqual([...names].sort())
  for (const name of names) expect(await scan.lookAt(name)).toMatchObject({ kind: 'file' })
})

test('reports names that are not UTF-8, with their bytes, and takes their neighbours', async () => {
  const { root, scan } = await setUp({ 'good.jpg': 1, 'really \ufffd.jpg': 1 })
  writeFileSync(rawPath(root, 'caf', 0xe9, '.jpg'), 'x')
  mkdirSync(rawPath(root, 0xb7, 0xa2, '票'))
  const { paths, problems } = await readAll(scan)
  expect(paths).toEqual(['good.jpg', 'really \ufffd.jpg'])
  expect(problems).toMatchObject(
    [
      { path: 'caf\\xE9.jpg', code: 'NAME_NOT_UTF8' },
      { path: '\\xB7\\xA2票', code: 'NAME_NOT_UTF8' },
    ].sort((a, b) => (problems[0]?.path === a.path ? -1 : problems[0]?.path === b.path ? 1 : 0)),
  )
  expect(problems.find(({ path }) => path.startsWith('caf'))?.message).toMatch(
    /^cannot upload `caf\\xE9\.jpg`: its name is not UTF-8; rename it/,
  )
  expect(await scan.directories('')).toEqual([''])
})

test.each([
  [[0x61, 0xff, 0x62], 'a\\xFFb'],
  [[0xe4, 0xb8], '\\xE4\\xB8'],
  [[...Buffer.from('中'), 0x80], '中\\x80'],
  [[...Buffer.from('\u{1f600}')], '\u{1f600}'],
  [[0xed, 0xa0, 0x80], '\\xED\\xA0\\x80'],
])('shows the bytes %j as %s', (bytes, shown) => {
  expect(showBytes(Buffer.from(bytes))).toBe(shown)
})

test('passes by what is ignored, and what is neither file nor directory', async () => {
  const { root, scan } = await setUp({ '.hidden/a.jpg': 1, 'b.part': 1, 'c.jpg': 1 })
  execFileSync('mkfifo', [join(root, 'pipe')])
  const server = createServer().listen(join(root, 'socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  expect(await readAll(scan)).toEqual({ paths: ['c.jpg'], directories: [''], problems: [] })
  for (const path of ['pipe', 'socket', 'b.part', '.hidden/a.jpg'])
    expect(await scan.lookAt(path)).toEqual({ kind: 'ignored' })
})

test('follows a link to a file inside the folder, and no other', async () => {
  const outside = await createTempFolder()
  plant(outside, { 'secret.jpg': 1 })
  const { root, scan } = await setUp({ 'real.jpg': 7, 'dir/in.jpg': 1 })
  symlinkSync('real.jpg', join(root, 'inside.jpg'))
  symlinkSync(join(outside, 'secret.jpg'), join(root, 'outside.jpg'))
  symlinkSync('../real.jpg', join(root, 'dir/up.jpg'))
  symlinkSync('dir', join(root, 'linked-dir'))
  symlinkSync(outside, join(root, 'away'))
  symlinkSync('nowhere', join(root, 'broken'))
  symlinkSync('circle', join(root, 'circle'))
  const { paths, problems } = await readAll(scan)
  expect(paths).toEqual(['dir/in.jpg', 'dir/up.jpg', 'inside.jpg', 'real.jpg'])
  expect(problems).toEqual([])
  expect(await scan.lookAt('inside.jpg')).toMatchObject({ facts: { sizeBytes: 7 } })
  for (const path of [
    'outside.jpg',
    'broken',
    'circle',
    'linked-dir',
    'linked-dir/in.jpg',
    'away/secret.jpg',
  ])
    expect(await scan.lookAt(path)).toEqual({ kind: 'ignored' })
})

test('a hard link is a file like any other', async () => {
  const { root, scan } = await setUp({ 'a.jpg': 1 })
  linkSync(join(root, 'a.jpg'), join(root, 'b.jpg'))
  expect((await readAll(scan)).paths).toEqual(['a.jpg', 'b.jpg'])
})

test('says what is at a single path', async () => {
  const { scan } = await setUp({ 'a/b.jpg': 1 })
  expect(await scan.lookAt('a')).toEqual({ kind: 'directory' })
  expect(await scan.lookAt('')).toEqual({ kind: 'directory' })
  expect(await scan.lookAt('a/b.jpg/c')).toEqual({ kind: 'absent' })
  expect(await scan.lookAt('no/such')).toEqual({ kind: 'absent' })
})

test('a name or a path that is too long for the system is told, not fatal', async () => {
  const { scan } = await setUp()
  expect(await scan.lookAt('n'.repeat(300))).toMatchObject({
    kind: 'problem',
    problem: { code: 'FILE_UNREADABLE', message: expect.stringContaining('shorten the names') },
  })
})

test('a tree deeper than a path may be long is walked as far as it goes', async () => {
  const { root, scan } = await setUp({ 'a.jpg': 1 })
  const part = 'd'.repeat(200)
  execFileSync(
    'sh',
    ['-c', `for i in $(seq 25); do mkdir ${part} && cd -P ${part} || exit; done; touch deep.jpg`],
    { cwd: root },
  )
  onTestFinished(() => void execFileSync('rm', ['-rf', join(root, part)]))
  const { paths, problems } = await readAll(scan)
  expect(paths).toEqual(['a.jpg'])
  expect(problems).toMatchObject([{ code: 'FILE_UNREADABLE' }])
})

test('a directory that goes while it is walked is absent, and nothing else is lost', async () => {
  const { root, scan } = await setUp(
    Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}/a.jpg`, 1])),
  )
  const states = []
  for await (const listings of scan.walk('')) {
    rmSync(join(root, 'd0'), { recursive: true, force: true })
    states.push(...listings.map(({ directory, state }) => [directory, state] as const))
  }
  expect(states).toHaveLength(41)
  expect(states.filter(([, state]) => state !== 'read')).toEqual([['d0', 'absent']])
})

test('names the directories alone, and walks below one of them', async () => {
  const { scan } = await setUp({ 'a/b/c.jpg': 1, 'a/.no/c.jpg': 1, 'd.jpg': 1, 'e/f.jpg': 1 })
  expect((await scan.directories('')).sort()).toEqual(['', 'a', 'a/b', 'e'])
  expect((await scan.directories('a')).sort()).toEqual(['a', 'a/b'])
  expect((await readAll(scan, 'a')).paths).toEqual(['a/b/c.jpg'])
})
