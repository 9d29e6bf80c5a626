import { expect, test } from 'vitest'
import type { MediaPath, Problem } from '../../src/media/media.ts'
import { createFolderIndex } from '../../src/watch/folder-index.ts'
import type { Listing } from '../../src/watch/folder-scan.ts'
import { aFile, aPath, aProblem, NOW_MS } from '../helpers/builders.ts'

const OLD = NOW_MS - 3_600_000
const file = (path: string, sizeBytes = 1, modifiedAtMs = OLD) =>
  aFile({ path, sizeBytes, modifiedAtMs })
const unreadable = (path: string) =>
  aProblem({ path, code: 'FILE_UNREADABLE', message: `cannot read \`${path}\`` })

function setUp(...paths: string[]) {
  const index = createFolderIndex({ settleMs: 1_000 })
  for (const path of paths) index.see(file(path), NOW_MS)
  index.takeChanges()
  return index
}

const listing = (directory: string, about: Partial<Omit<Listing, 'directory'>> = {}): Listing => ({
  directory,
  state: 'read',
  files: [],
  directories: [],
  problems: [],
  ...about,
})

function news(index: ReturnType<typeof setUp>) {
  const changes = index.takeChanges()
  if (!changes) return undefined
  const { settled, vanished, problemsFound, problemsSolved } = changes
  return {
    settled: [...settled].sort(),
    vanished: [...vanished].sort(),
    found: [...problemsFound.keys()].sort(),
    solved: [...problemsSolved].sort(),
  }
}
const nothing = { settled: [] as MediaPath[], vanished: [], found: [], solved: [] }

test('a settled file is news once', () => {
  const index = setUp()
  index.see(file('a/b.jpg'), NOW_MS)
  expect(news(index)).toEqual({ ...nothing, settled: ['a/b.jpg'] })
  index.see(file('a/b.jpg'), NOW_MS)
  expect(news(index)).toBeUndefined()
  expect(index.get(aPath('a/b.jpg'))).toEqual(file('a/b.jpg'))
})

test('a full scan of an unchanged folder is no news', () => {
  const index = setUp('a.jpg', 'd/b.jpg')
  expect(index.takeIn(listing('', { files: [file('a.jpg')], directories: ['d'] }), NOW_MS)).toEqual(
    [],
  )
  expect(index.takeIn(listing('d', { files: [file('d/b.jpg')] }), NOW_MS)).toEqual([])
  expect(news(index)).toBeUndefined()
})

test('a full scan tells what is new, different and gone; what is gone stays until it is dropped', () => {
  const index = setUp(
    'same.jpg',
    'different.jpg',
    'gone.jpg',
    'gone-dir/a.jpg',
    'gone-dir/deep/b.jpg',
  )
  const files = [file('same.jpg'), file('different.jpg', 2), file('new.jpg')]
  const gone = index.takeIn(listing('', { files }), NOW_MS)
  expect(gone.sort()).toEqual(['gone-dir', 'gone.jpg'])
  expect(news(index)).toEqual({ ...nothing, settled: ['different.jpg', 'new.jpg'] })
  expect(index.get(aPath('gone.jpg'))).toBeDefined()
  for (const path of gone) index.drop(path)
  expect(news(index)).toEqual({
    ...nothing,
    vanished: ['gone-dir/a.jpg', 'gone-dir/deep/b.jpg', 'gone.jpg'],
  })
  expect([...index.files()].map(({ path }) => path).sort()).toEqual([
    'different.jpg',
    'new.jpg',
    'same.jpg',
  ])
  expect(index.fileCount()).toBe(3)
})

test('a file that is being written is there, but not to be had, until it stands still', () => {
  const index = setUp()
  index.see(file('a.jpg', 1, NOW_MS - 400), NOW_MS)
  expect(news(index)).toBeUndefined()
  expect(index.get(aPath('a.jpg'))).toBeUndefined()
  expect(index.isUnsettled(aPath('a.jpg'))).toBe(true)
  expect([...index.files()]).toHaveLength(1)
  expect(index.nextLookAtMs()).toBe(NOW_MS + 600)
  expect(index.dueLooks(NOW_MS + 599)).toEqual([])
  expect(index.dueLooks(NOW_MS + 600)).toEqual(['a.jpg'])
  index.see(file('a.jpg', 1, NOW_MS - 400), NOW_MS + 600)
  expect(news(index)).toEqual({ ...nothing, settled: ['a.jpg'] })
  expect(index.nextLookAtMs()).toBeUndefined()
})

test('endless writing is a problem, which standing still solves', () => {
  const index = setUp()
  for (let second = 0; second <= 30; second++)
    index.see(file('log', second, NOW_MS + second * 1000), NOW_MS + second * 1000)
  expect(news(index)).toEqual({ ...nothing, found: ['log'] })
  const [problem] = [...index.problems()]
  expect(problem).toMatchObject({ code: 'FILE_UNSETTLED', sinceMs: NOW_MS })
  expect(problem?.message).toContain('still being written since 2026-11-22T08:00:00.000Z')
  index.see(file('log', 30, NOW_MS + 30_000), NOW_MS + 31_000)
  expect(news(index)).toEqual({ ...nothing, settled: ['log'], solved: ['log'] })
})

test('a file that cannot be read any more is neither to be had nor gone', () => {
  const index = setUp('a.jpg')
  const gone = index.takeIn(listing('', { problems: [unreadable('a.jpg')] }), NOW_MS)
  expect(gone).toEqual([])
  expect(news(index)).toEqual({ ...nothing, found: ['a.jpg'] })
  expect(index.get(aPath('a.jpg'))).toBeUndefined()
  expect(index.isUnsettled(aPath('a.jpg'))).toBe(true)
  index.takeIn(listing('', { problems: [unreadable('a.jpg')] }), NOW_MS)
  expect(news(index)).toBeUndefined()
  index.takeIn(listing('', { files: [file('a.jpg')] }), NOW_MS)
  expect(news(index)).toEqual({ ...nothing, settled: ['a.jpg'], solved: ['a.jpg'] })
})

test('of a directory that cannot be read, everything below it stays as it was, and what was never seen is unsettled', () => {
  const index = setUp('d/a.jpg', 'd/e/b.jpg')
  index.takeIn(listing('', { directories: ['d'] }), NOW_MS)
  const gone = index.takeIn(
    listing('d', { state: 'unreadable', problems: [unreadable('d')] }),
    NOW_MS,
  )
  expect(gone).toEqual([])
  expect(index.fileCount()).toBe(2)
  expect(index.isUnsettled(aPath('d/never-seen.jpg'))).toBe(true)
  expect(news(index)).toEqual({ ...nothing, found: ['d'] })
  index.takeIn(listing('', { directories: ['d'] }), NOW_MS)
  expect(news(index)).toBeUndefined()
  index.takeIn(listing('d', { files: [file('d/a.jpg')], directories: ['d/e'] }), NOW_MS)
  expect(news(index)).toEqual({ ...nothing, solved: ['d'] })
})

test('a problem goes with its file', () => {
  const index = setUp()
  const bad: Problem = aProblem({ path: 'caf\\xE9.jpg', code: 'NAME_NOT_UTF8' })
  index.takeIn(listing('', { problems: [bad] }), NOW_MS)
  index.takeChanges()
  for (const path of index.takeIn(listing(''), NOW_MS)) index.drop(path)
  expect(news(index)).toEqual({ ...nothing, solved: ['caf\\xE9.jpg'] })
})

test('a directory in the place of a file, and a file in the place of a directory', () => {
  const index = setUp('x', 'y/a.jpg')
  index.takeIn(listing('', { directories: ['x'], files: [file('y')] }), NOW_MS)
  expect(news(index)).toEqual({ ...nothing, settled: ['y'], vanished: ['x', 'y/a.jpg'] })
  expect(index.fileCount()).toBe(1)
})

test('what vanished and came back before anyone asked has not vanished', () => {
  const index = setUp('a.jpg')
  index.drop('a.jpg')
  index.see(file('a.jpg', 1, NOW_MS), NOW_MS)
  expect(news(index)).toBeUndefined()
  expect(index.isUnsettled(aPath('a.jpg'))).toBe(true)
})

test('a change of permissions alone settles at once', () => {
  const index = setUp('a.jpg')
  index.see(
    {
      ...file('a.jpg'),
      stamp: aFile({ sizeBytes: 1, modifiedAtMs: OLD, changedAtMs: NOW_MS }).stamp,
    },
    NOW_MS,
  )
  expect(news(index)).toEqual({ ...nothing, settled: ['a.jpg'] })
})
