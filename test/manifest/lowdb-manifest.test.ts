import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readManifest } from '../../src/manifest/read-manifest.ts'
import { describeManifest } from '../contracts/manifest-contract.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import {
  aFingerprint,
  all,
  anEntry,
  aPath,
  aProblem,
  aReference,
  CORP_ID,
  START_MS,
} from './rows.ts'
import { manifestFiles, openState } from './state.ts'

describeManifest('the memory manifest', async () => createMemoryManifest())
describeManifest('the lowdb manifest', async () => {
  const { manifest } = await openState(join(await createTempFolder(), 'state'))
  return manifest
})

const put = (path: string, with_ = {}) => ({
  kind: 'put-entry' as const,
  entry: anEntry(path, with_),
})

test('the document is the public format, one row a line', async () => {
  const directory = await createTempFolder()
  const { manifest } = await openState(directory)
  await manifest.commit([
    put('posters/spring.jpg', {
      fingerprint: aFingerprint(10),
      checkedAtMs: START_MS + 7 * 3_600_000,
    }),
    { kind: 'put-reference', reference: aReference('ref-1', { path: aPath('in/a.jpg') }) },
    { kind: 'put-problem', problem: aProblem('big.mov') },
    { kind: 'mark-folder', folder: '/srv/media' },
  ])
  await manifest.close()
  const text = await readFile(join(directory, 'manifest.json'), 'utf8')
  expect(JSON.parse(text)).toEqual({
    format: 'wecom-media-mirror/manifest',
    version: 1,
    corp_id: CORP_ID,
    written_at: '2026-11-22T08:00:00.000Z',
    journal: 2,
    folder: '/srv/media',
    media: {
      'posters/spring.jpg': {
        media_id: '3a_MEDIA-id',
        type: 'image',
        created_at: '2026-11-22T08:00:00.000Z',
        expires_at: '2026-11-25T08:00:00.000Z',
        renew_at: '2026-11-24T00:00:00.000Z',
        checked_at: '2026-11-22T15:00:00.000Z',
        size: 81_234,
        modified_at: '2026-11-22T07:00:00.000Z',
        sha256: aFingerprint(10),
        origin: 'folder',
        stamp: '81234:1795330800000.25:1795330800000.5',
      },
    },
    references: {
      'ref-1': { path: 'in/a.jpg', accepted_at: '2026-11-22T08:00:00.000Z', state: 'accepted' },
    },
    problems: {
      'big.mov': {
        code: 'MEDIA_UNACCEPTABLE',
        message: 'cannot upload `big.mov`: 12 MB exceeds 10 MB for video',
        since: '2026-11-22T08:00:00.000Z',
      },
    },
    checksum: expect.stringMatching(/^[0-9a-f]{8}$/),
  })
  expect(text.split('\n').filter((line) => line.startsWith('"posters/spring.jpg"'))).toHaveLength(1)
})

test('what was committed is there after closing, and after dying without a word', async () => {
  const directory = await createTempFolder()
  const first = await openState(directory)
  await first.manifest.commit([put('a'), put('b')])
  const crashed = await createTempFolder()
  for (const [name, bytes] of await manifestFiles(directory))
    await writeFile(join(crashed, name), bytes)
  await first.manifest.close()
  for (const place of [directory, crashed]) {
    const { manifest, tellings } = await openState(place)
    expect((await all(manifest.entries())).map((entry) => entry.path)).toEqual(['a', 'b'])
    expect(tellings('state-recovered')).toEqual([])
  }
})

test('what is visible is what a restart reads: times in whole milliseconds, within what ISO 8601 can say', async () => {
  const directory = await createTempFolder()
  const opened = await openState(directory)
  await opened.manifest.commit([
    put('odd', { modifiedAtMs: 1234.75 }),
    put('far', { modifiedAtMs: 2e18 }),
  ])
  const before = await all(opened.manifest.entries())
  expect(before.map((entry) => entry.modifiedAtMs)).toEqual([8.64e15, 1234])
  await opened.manifest.close()
  const again = await openState(directory)
  expect(await all(again.manifest.entries())).toEqual(before)
})

test('refuses a change that could not be read again, whole', async () => {
  const { manifest } = await openState(await createTempFolder())
  const broken = put('broken', { sizeBytes: Number.NaN })
  await expect(manifest.commit([put('good'), broken])).rejects.toThrow(
    '`broken` in `media`: `size`',
  )
  expect((await manifest.count()).entries).toBe(0)
})

test('only the owner may look into the state, except for the document', async () => {
  const directory = join(await createTempFolder(), 'made', 'for us')
  const { manifest } = await openState(directory)
  await manifest.commit([put('a')])
  const mode = async (name: string) =>
    ((await stat(join(directory, name))).mode & 0o777).toString(8)
  expect([await mode('.'), await mode('manifest.journal.1')]).toEqual(['750', '600'])
  expect([await mode('lock'), await mode('lock.json')]).toEqual(['600', '600'])
  const umask = process.umask(0o077)
  await manifest.close().finally(() => process.umask(umask))
  expect(await mode('manifest.json')).toBe('640')
})

test('the document follows a quarter of a second after the first change', async () => {
  const clock = createFakeClock(START_MS)
  const directory = await createTempFolder()
  const { manifest, next, told } = await openState(directory, { clock })
  await manifest.commit([put('a')])
  await clock.advance(249)
  expect(told).toEqual([])
  const written = next('document-written')
  await clock.advance(1)
  const { bytes, entries } = await written
  expect(entries).toBe(1)
  expect((await stat(join(directory, 'manifest.json'))).size).toBe(bytes)
  expect(clock.pendingTimers()).toBe(0)
})

test('a state nobody changed is left as it is', async () => {
  const directory = await createTempFolder()
  const first = await openState(directory)
  await first.manifest.commit([put('a')])
  await first.manifest.close()
  const before = await manifestFiles(directory)
  const second = await openState(directory)
  await second.manifest.close()
  expect(await manifestFiles(directory)).toEqual(before)
})

test('someone without the lock reads document and journal together, and touches nothing', async () => {
  const directory = await createTempFolder()
  const clock = createFakeClock()
  const { manifest, next } = await openState(directory, { clock })
  await manifest.commit([put('in the document')])
  const written = next('document-written')
  await clock.advance(250)
  await written
  await manifest.commit([put('only in the journal')])
  const before = await manifestFiles(directory)
  const reader = await readManifest({ directory, corpId: CORP_ID })
  expect((await all(reader.entries())).map((entry) => entry.path)).toEqual([
    'in the document',
    'only in the journal',
  ])
  expect(await manifestFiles(directory)).toEqual(before)
})

test('someone without the lock finds nothing where there is nothing', async () => {
  const directory = join(await createTempFolder(), 'not there')
  const reader = await readManifest({ directory, corpId: CORP_ID })
  expect(await reader.count()).toEqual({ entries: 0, problems: 0, references: 0 })
  await expect(stat(directory)).rejects.toThrow('ENOENT')
})

test('a document of the bare public format, made by any program, is taken', async () => {
  const directory = await createTempFolder()
  const document = {
    format: 'wecom-media-mirror/manifest',
    version: 1,
    corp_id: CORP_ID,
    written_at: '2026-11-22T16:00:00+08:00',
    media: {
      'a.jpg': {
        media_id: '3a',
        type: 'image',
        created_at: '2026-11-22T08:00:00Z',
        expires_at: '2026-11-25T08:00:00Z',
        renew_at: '2026-11-24T03:12:00.000Z',
        size: 5,
        modified_at: '2026-11-21T10:00:00.000Z',
        sha256: aFingerprint(3),
        origin: 'folder',
        colour: 'of a later version',
      },
    },
    problems: { 'b.mov': { code: 'OF_A_LATER_VERSION', message: '', since: '…' } },
  }
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(document, null, 4))
  const { manifest, tellings } = await openState(directory)
  const entry = await manifest.findEntry(aPath('a.jpg'))
  expect(entry).toMatchObject({ sizeBytes: 5, renewAtMs: Date.UTC(2026, 10, 24, 3, 12) })
  expect(entry?.checkedAtMs).toBeUndefined()
  expect(entry?.stamp).toBe(`5:${Date.UTC(2026, 10, 21, 10)}:0`)
  expect((await manifest.count()).problems).toBe(0)
  expect(tellings('state-recovered')).toEqual([])
})
