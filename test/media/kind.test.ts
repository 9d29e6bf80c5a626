import { expect, test } from 'vitest'
import {
  type ContentFacts,
  chooseKind,
  createKindPolicy,
  kindOfContentType,
} from '../../src/media/kind.ts'
import { ENTERPRISE_ACCOUNT_LIMITS, WECOM_LIMITS } from '../../src/media/limits.ts'
import { aPath } from '../helpers/builders.ts'

const MB = 2 ** 20
const policy = createKindPolicy({ limits: WECOM_LIMITS, downgrade: true, rules: [] })
const strict = createKindPolicy({ limits: WECOM_LIMITS, downgrade: false, rules: [] })
const enterprise = createKindPolicy({
  limits: ENTERPRISE_ACCOUNT_LIMITS,
  downgrade: true,
  rules: [],
})

type Case = Partial<Omit<ContentFacts, 'path'>>
const facts = (about: Case): ContentFacts => ({
  path: aPath('a/b'),
  sizeBytes: 1000,
  format: undefined,
  ...about,
})

test.each<[string, Case, string]>([
  ['a JPG', { format: 'jpg' }, 'image'],
  ['a PNG', { format: 'png' }, 'image'],
  ['an AMR of 60 s', { format: 'amr', durationMs: 60_000 }, 'voice'],
  ['an AMR whose length nobody counted', { format: 'amr' }, 'voice'],
  ['an MP4', { format: 'mp4' }, 'video'],
  ['a PDF', { format: 'pdf' }, 'file'],
  ['a GIF, which no kind of its own takes', { format: 'gif' }, 'file'],
  ['text', {}, 'file'],
  ['the smallest file', { sizeBytes: 6 }, 'file'],
  ['an image of exactly 10 MB', { format: 'jpg', sizeBytes: 10 * MB }, 'image'],
  ['a file of exactly 20 MB', { format: 'zip', sizeBytes: 20 * MB }, 'file'],
])('takes %s as what it is', (_, about, kind) => {
  expect(chooseKind(facts(about), strict)).toEqual({ kind })
})

test.each<[string, Case, string]>([
  ['an image above 10 MB', { format: 'png', sizeBytes: 12 * MB }, '12 MB exceeds 10 MB for image'],
  [
    'an image one byte above',
    { format: 'png', sizeBytes: 10 * MB + 1 },
    '10485761 bytes exceeds 10 MB (10485760 bytes) for image',
  ],
  [
    'a video above 10 MB',
    { format: 'mp4', sizeBytes: 11.5 * MB },
    '11.5 MB exceeds 10 MB for video',
  ],
  ['a voice above 60 s', { format: 'amr', durationMs: 60_020 }, '60.02 s exceeds 60 s for voice'],
  [
    'a damaged voice',
    { format: 'amr', durationMs: undefined },
    'its length cannot be told (cut off or damaged), and voice may last 60 s',
  ],
  [
    'a voice above 2 MB',
    { format: 'amr', durationMs: 1, sizeBytes: 3 * MB },
    '3 MB exceeds 2 MB for voice',
  ],
])('sends %s as file, or refuses it where that is not wanted', (_, about, reason) => {
  expect(chooseKind(facts(about), policy)).toEqual({ kind: 'file', downgradedBecause: reason })
  expect(chooseKind(facts(about), strict)).toEqual({
    unacceptable: `cannot upload \`a/b\`: ${reason}`,
  })
})

test.each<[string, Case, string]>([
  [
    'what is too large for any kind',
    { format: 'mp4', sizeBytes: 25 * MB },
    '25 MB exceeds 20 MB for file',
  ],
  ['an empty file', { sizeBytes: 0 }, 'it is empty'],
  ['five bytes', { sizeBytes: 5 }, '5 bytes is less than the 6 that WeCom takes'],
])('refuses %s', (_, about, reason) => {
  expect(chooseKind(facts(about), policy)).toEqual({
    unacceptable: `cannot upload \`a/b\`: ${reason}`,
  })
})

test('an enterprise account takes no PNG as image, which makes it a refused image and not a file by nature', () => {
  const png = facts({ format: 'png' })
  expect(chooseKind(png, enterprise)).toEqual({
    kind: 'file',
    downgradedBecause: 'png is not jpg, as image must be',
  })
  expect(chooseKind(png, { ...enterprise, downgrade: false })).toHaveProperty('unacceptable')
})

test('a configured format makes a kind take it', () => {
  const limits = { ...WECOM_LIMITS, image: { maxBytes: MB, formats: ['jpg', 'gif'] } }
  const own = createKindPolicy({ limits, downgrade: true, rules: [] })
  expect(chooseKind(facts({ format: 'gif' }), own)).toEqual({ kind: 'image' })
})

test('the first rule that matches overrides the content', () => {
  const ruled = createKindPolicy({
    limits: WECOM_LIMITS,
    downgrade: false,
    rules: [
      { match: 'originals/**', kind: 'file' },
      { match: '*.jpg', kind: 'voice' },
    ],
  })
  const jpg = (path: string) =>
    chooseKind({ path: aPath(path), sizeBytes: 1000, format: 'jpg' }, ruled)
  expect(jpg('originals/a.jpg')).toEqual({ kind: 'file' })
  expect(jpg('b/a.png')).toEqual({ kind: 'image' })
  expect(jpg('b/a.jpg')).toEqual({
    unacceptable: 'cannot upload `b/a.jpg`: jpg is not amr, as voice must be',
  })
})

test.each([
  ['image/jpeg', 'image'],
  ['audio/amr', 'voice'],
  [' Voice/speex; charset=binary', 'voice'],
  ['video/mp4', 'video'],
  ['application/octet-stream', undefined],
  ['text/plain', undefined],
  [undefined, undefined],
] as const)('a Content-Type of %s announces %s', (contentType, kind) => {
  expect(kindOfContentType(contentType)).toBe(kind)
})
