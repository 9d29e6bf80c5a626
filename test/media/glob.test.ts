import { expect, test } from 'vitest'
import { createGlob } from '../../src/media/glob.ts'

test.each([
  ['*.psd', 'a.psd', true],
  ['*.psd', 'deep/down/a.psd', true],
  ['*.psd', 'a.psd/b.jpg', false],
  ['drafts', 'x/drafts', true],
  ['drafts/**', 'drafts/a/b.jpg', true],
  ['drafts/**', 'x/drafts/a.jpg', false],
  ['**/drafts/**', 'x/drafts/a.jpg', true],
  ['drafts/*.jpg', 'drafts/a/b.jpg', false],
  ['/a.jpg', 'a.jpg', true],
  ['/a.jpg', 'b/a.jpg', false],
  ['*.{jpg,png}', 'x/a.png', true],
  ['[ab].jpg', 'b.jpg', true],
  ['?.jpg', 'é.jpg', true],
  ['海报/*.jpg', '海报/春.jpg', true],
  ['*.jpg', '.hidden.jpg', true],
  ['**', 'a/.b/c', true],
  ['!a.jpg', 'a.jpg', false],
  ['!a.jpg', '!a.jpg', true],
  ['*', 'a\nb', true],
])('glob %j on %j: %j', (glob, path, expected) => {
  expect(createGlob(glob)(path)).toBe(expected)
})
