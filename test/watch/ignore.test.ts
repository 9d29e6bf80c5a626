import { expect, test } from 'vitest'
import { MARKER_NAME } from '../../src/media/media.ts'
import { createTempName } from '../../src/media/temp-name.ts'
import { createIgnore } from '../../src/watch/ignore.ts'

const builtIn = createIgnore([])

test.each([
  MARKER_NAME,
  createTempName('c0ffee'),
  `deep/${createTempName('c0ffee')}`,
  '.DS_Store',
  '.git/config',
  'a/.hidden/b.jpg',
  '.spring.jpg.Xy12ab',
  '.fuse_hidden0001',
  '.nfs000000001',
  '.syncthing.a.jpg.tmp',
  '~syncthing~a.jpg.tmp',
  'report.docx~',
  '报告~',
  '.a.jpg.swp',
  'a.swx',
  '#notes#',
  '.#notes',
  '~$report.docx',
  '~WRL0001.tmp',
  'movie.mp4.part',
  'movie.MP4.CRDOWNLOAD',
  'movie.mp4.!ut',
  'movie.mp4.partial',
  'movie.mp4.download',
  'x.temp',
  'Thumbs.db',
  'desktop.ini',
  'lost+found/x',
  '@eaDir/x.jpg',
])('ignores %s', (path) => {
  expect(builtIn(path)).toBe(true)
})

test.each([
  '',
  'a.jpg',
  'a.b/c.jpg',
  '~.jpg',
  'template.jpg',
  'temp/a.jpg',
  'download/a.jpg',
  'part',
  'C# notes#1.pdf',
  '发票.pdf',
])('does not ignore %j', (path) => {
  expect(builtIn(path)).toBe(false)
})

test('adds the globs of the configuration, which take directories with all that is in them', () => {
  const ignores = createIgnore(['*.psd', 'drafts/', '/old/**', 'archive'])
  expect(['a/b.psd', 'x/drafts/y/z.jpg', 'old/a.jpg', 'b/archive/c.jpg'].map(ignores)).toEqual(
    Array(4).fill(true),
  )
  expect(['psd', 'x/old/a.jpg', 'my-drafts/a.jpg'].map(ignores)).toEqual(Array(3).fill(false))
})

test('gives the same answer in whatever order it is asked', () => {
  const ignores = createIgnore(['drafts'])
  const paths = ['drafts/a', 'b/a', 'drafts/c/a', 'a', 'b/drafts/x', 'b/x', 'drafts/a']
  expect(paths.map(ignores)).toEqual([true, false, true, false, true, false, true])
})
