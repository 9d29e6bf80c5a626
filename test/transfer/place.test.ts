// Placing with real files: never over another one, never out of the folder, and what stands in the way is told.
import {
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { FileUnreadable, MediaUnacceptable } from '../../src/errors.ts'
import { createTempName, isTempName } from '../../src/media/temp-name.ts'
import { removeLeftovers } from '../../src/transfer/leftovers.ts'
import { isTaken, numberedPath, placeFile } from '../../src/transfer/place.ts'
import { aPath } from '../helpers/builders.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { plant } from '../helpers/tree.ts'
import { failureOf } from '../wecom/client.ts'

async function setUp(files: Record<string, string> = {}) {
  const root = await createTempFolder()
  plant(root, files)
  const file = join(root, '.unfinished')
  await writeFile(file, 'the newcomer')
  return {
    root,
    place: (path: string) => placeFile(root, file, aPath(path)),
    read: (path: string) => readFile(join(root, path), 'utf8'),
    names: async () => (await readdir(root)).sort(),
  }
}

it('places a file with the directories it needs, and leaves no temporary', async () => {
  const { place, read, names } = await setUp()
  expect(await place('a/b/c.txt')).toBe(true)
  expect(await read('a/b/c.txt')).toBe('the newcomer')
  expect(await names()).toEqual(['a'])
})

it('flushes every name on the way: a directory made for a medium must not go with the power when the medium does not', async () => {
  const { root, place } = await setUp({ 'a/old.txt': '' })
  const flushed = await watchFlushes(root)
  expect(await place('a/b/c/new.txt')).toBe(true)
  expect(flushed).toEqual([
    { directory: 'a', names: ['b', 'old.txt'] },
    { directory: 'a/b', names: ['c'] },
    { directory: 'a/b/c', names: ['new.txt'] },
  ])
})

/** What directories hold at the moment when they are flushed, by whichever handle. */
async function watchFlushes(root: string) {
  const flushed: { directory: string; names: string[] }[] = []
  const handle = await open(root)
  await handle.close()
  const prototype: FileHandle = Object.getPrototypeOf(handle)
  const { sync } = prototype
  prototype.sync = async function () {
    const directory = await readlink(`/proc/self/fd/${this.fd}`)
    flushed.push({ directory: relative(root, directory), names: (await readdir(directory)).sort() })
    await sync.call(this)
  }
  onTestFinished(() => void (prototype.sync = sync))
  return flushed
}

it('says that another disk is mounted there, where a medium could only be copied piece by piece', async () => {
  // The other way round, as mounting takes root: it is the medium that lies on another disk.
  const elsewhere = await mkdtemp('/dev/shm/place-')
  onTestFinished(() => rm(elsewhere, { recursive: true }))
  const { root } = await setUp()
  const file = join(elsewhere, '.unfinished')
  await writeFile(file, 'the newcomer')
  const failure = await failureOf(placeFile(root, file, aPath('a/b.txt')))
  expect(failure).toBeInstanceOf(FileUnreadable)
  expect(failure.message).toBe(
    'cannot write `a/b.txt`: another disk is mounted in the folder there',
  )
  expect(await readdir(join(root, 'a'))).toEqual([])
})

it('never writes over what is there, be it a file, a directory or a dangling link', async () => {
  const { root, place, read, names } = await setUp({ 'a.txt': 'first', 'd/x': '' })
  await symlink(join(root, 'nowhere'), join(root, 'link'))
  expect([await place('a.txt'), await place('d'), await place('link')]).toEqual(
    Array(3).fill(false),
  )
  expect(await read('a.txt')).toBe('first')
  expect(await names()).toEqual(['.unfinished', 'a.txt', 'd', 'link'])
})

it('of two that want one path exactly one gets it', async () => {
  const { root, place, read } = await setUp()
  await writeFile(join(root, '.other'), 'the other')
  const other = placeFile(root, join(root, '.other'), aPath('x/a.txt'))
  const placed = await Promise.all([place('x/a.txt'), other])
  expect(placed.filter(Boolean)).toHaveLength(1)
  expect(await read('x/a.txt')).toBe(placed[0] ? 'the newcomer' : 'the other')
})

it.each(['link/y.txt', 'link/sub/y.txt'])(
  'makes nothing where a link leads out of the folder: %s',
  async (path) => {
    const { root, place } = await setUp()
    const outside = await createTempFolder()
    await symlink(outside, join(root, 'link'))
    await expect(place(path)).rejects.toThrow('leads it out of the folder')
    expect(await readdir(outside)).toEqual([])
  },
)

it('follows a link that stays inside', async () => {
  const { root, place, read } = await setUp()
  await mkdir(join(root, 'real'))
  await symlink(join(root, 'real'), join(root, 'link'))
  expect(await place('link/sub/y.txt')).toBe(true)
  expect(await read('real/sub/y.txt')).toBe('the newcomer')
})

it('says which file stands where a directory must be', async () => {
  const { root, place } = await setUp({ d: 'a file' })
  await expect(place('d/e/a.png')).rejects.toThrow(
    'cannot write `d/e/a.png`: `d` is not a directory',
  )
  expect(await isTaken(root, aPath('d/a.png'))).toBe(false)
})

it.each([
  'CON',
  'nul.txt',
  'trailing. . ',
  ' leading',
  '...',
  '..a/..b',
  'back\\slash/..\\..\\x',
  'line\nbreak\r\x1b[2J',
  'invoice\u202egpj.exe',
  'a%2e%2e%2fb',
  '-rf',
  '~/x',
  '$HOME/x',
  '报'.repeat(85),
])('puts a file under exactly the name it is given, inside: %j', async (path) => {
  const { root, place, read } = await setUp()
  expect(await place(path)).toBe(true)
  expect(await read(path)).toBe('the newcomer')
  expect(await readdir(dirname(root))).not.toContain('x')
})

it.each(['报'.repeat(100), `${'d'.repeat(300)}/a.txt`])(
  'refuses a name that is longer than any for good, and leaves nothing: %s',
  async (path) => {
    const { root, place, names } = await setUp()
    expect(await isTaken(root, aPath(path))).toBe(false)
    const failure = await place(path).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(MediaUnacceptable)
    expect(String(failure)).toContain('takes no name that long')
    expect(await names()).toEqual(['.unfinished'])
  },
)

it.each([
  ['a.jpg', 1, 'a.jpg'],
  ['a.jpg', 2, 'a (2).jpg'],
  ['d.1/a', 3, 'd.1/a (3)'],
  ['d/.profile', 2, 'd/.profile (2)'],
  ['a.tar.gz', 10, 'a.tar (10).gz'],
])('gives %s as newcomer %i the name %s', (path, number, name) => {
  expect(numberedPath(aPath(path), number)).toBe(name)
})

it('removes its own unfinished files from the root, and nothing else', async () => {
  const temporary = createTempName('0a')
  const kept = ['a.part', '.wecom-media-mirror', '.wecom-media-mirror-notes.txt']
  const { root, names } = await setUp({
    [temporary]: '',
    [`d/${temporary}`]: 'a person put it here',
    ...Object.fromEntries(kept.map((name) => [name, ''])),
  })
  await mkdir(join(root, createTempName('directory')))
  expect(await removeLeftovers(root, isTempName)).toBe(1)
  expect(await names()).toEqual([...kept, '.unfinished', createTempName('directory'), 'd'].sort())
})
