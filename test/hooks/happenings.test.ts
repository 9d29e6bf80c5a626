// What the commits of the rest of the program mean to those who follow the media; the changes are those that upload, download and
// landing make.
import { expect, it } from 'vitest'
import { findOccurrences, mayTell } from '../../src/hooks/happenings.ts'
import type { Change } from '../../src/manifest/manifest.ts'
import type { ManifestEntry } from '../../src/media/media.ts'
import { aMediaId, anEntry, aPath, aProblem, aReference } from '../helpers/builders.ts'

const put = (entry: ManifestEntry): Change => ({ kind: 'put-entry', entry })
const drop = (path: string): Change => ({ kind: 'drop-entry', path: aPath(path) })
const putReference = (wish: Parameters<typeof aReference>[0]): Change => ({
  kind: 'put-reference',
  reference: aReference(wish),
})
const lost = (path: string): Change => ({
  kind: 'put-problem',
  problem: aProblem({ path, code: 'MEDIA_LOST', message: 'gone' }),
})
const old = anEntry({ path: 'a.jpg', mediaId: aMediaId('old') })
const renewed = anEntry({ path: 'a.jpg', mediaId: aMediaId('new') })
const landing = anEntry({ path: 'in.jpg', mediaId: aMediaId('ref-1'), origin: 'reference' })

const tell = (changes: readonly Change[], ...standing: ManifestEntry[]) =>
  mayTell(changes)
    ? findOccurrences(changes, (path) => standing.find((entry) => entry.path === path))
    : []

it.each([
  ['a new file', [put(old)], [], { happening: 'first-id', path: 'a.jpg', mediaId: 'old' }],
  [
    'a renewal',
    [put(renewed), { kind: 'drop-problem', path: aPath('a.jpg') }],
    [old],
    { happening: 'changed-id', path: 'a.jpg', mediaId: 'new', oldMediaId: 'old' },
  ],
  [
    'a renewal of what landed',
    [put({ ...renewed, origin: 'reference' })],
    [{ ...old, origin: 'reference' }],
    { happening: 'changed-id', mediaId: 'new', oldMediaId: 'old' },
  ],
  [
    'a file that was renamed',
    [put({ ...old, path: aPath('b.jpg') }), drop('a.jpg')],
    [old],
    { happening: 'first-id', path: 'b.jpg', oldPath: 'a.jpg', mediaId: 'old' },
  ],
  [
    'a landed file that was renamed',
    [put({ ...landing, path: aPath('b.jpg') }), drop('in.jpg')],
    [landing],
    { happening: 'first-id', path: 'b.jpg', oldPath: 'in.jpg' },
  ],
  [
    'a reference that landed',
    [put(landing), putReference({ state: 'landed', landedPath: aPath('in.jpg') })],
    [landing],
    { happening: 'landed', path: 'in.jpg', mediaId: 'ref-1', referenceId: 'ref-1' },
  ],
  [
    'a reference whose bytes are there under an id of their own',
    [put(old), putReference({ state: 'landed', landedPath: aPath('a.jpg') })],
    [old],
    { happening: 'landed', path: 'a.jpg', mediaId: 'old', referenceId: 'ref-1' },
  ],
  [
    'a reference that is lost',
    [putReference({ state: 'lost', message: 'dead', path: aPath('w.jpg') })],
    [],
    { happening: 'lost', path: 'w.jpg', mediaId: 'ref-1', referenceId: 'ref-1', because: 'dead' },
  ],
  [
    'a file that nobody can fetch back',
    [drop('a.jpg'), lost('a.jpg')],
    [old],
    { happening: 'lost', path: 'a.jpg', mediaId: 'old', because: 'gone' },
  ],
] satisfies [string, Change[], ManifestEntry[], object][])(
  '%s is told',
  (_, changes, standing, expected) => {
    const found = tell(changes, ...standing)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject(expected)
  },
)

it.each([
  ['a file that was only touched', [put({ ...old, sizeBytes: 5 })], [old]],
  ['the entry that comes before a landing file', [put(landing)], []],
  ['a landing that is taken back', [drop('in.jpg')], [landing]],
  [
    'a path that is forgotten',
    [drop('a.jpg'), { kind: 'put-problem', problem: aProblem({ code: 'FORGOTTEN' }) }],
    [old],
  ],
  ['a reference that was accepted', [putReference({ state: 'accepted' })], []],
  ['one that a person dismissed', [putReference({ state: 'lost', dismissedAtMs: 1 })], []],
  [
    'an id that died before its time',
    [{ kind: 'end-life', path: aPath('a.jpg'), mediaId: aMediaId('old'), atMs: 1 }],
    [old],
  ],
  ['a loss of what is not there any more', [drop('a.jpg'), lost('a.jpg')], []],
] satisfies [string, Change[], ManifestEntry[]][])('%s is not', (_, changes, standing) => {
  expect(tell(changes, ...standing)).toEqual([])
})

it('tells of each path that one commit alters, in its order', () => {
  const [a, b] = [anEntry({ path: 'a' }), anEntry({ path: 'b' })]
  expect(tell([put(b), put(a)]).map(({ path }) => path)).toEqual(['b', 'a'])
})

it('says who sent what landed', () => {
  const reference = {
    ...aReference({ state: 'landed', landedPath: aPath('in.jpg') }),
    from: '张三',
  }
  expect(tell([put(landing), { kind: 'put-reference', reference }])).toMatchObject([
    { from: '张三' },
  ])
})
