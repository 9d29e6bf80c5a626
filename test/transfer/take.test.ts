// Taking what another host has, with real files: whose bytes stand there in the end, and what is asked of WeCom for it.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createStamp, describeForgotten, type ManifestEntry } from '../../src/media/media.ts'
import type { Step } from '../../src/plan/step.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { fingerprintBuffer } from '../../src/transfer/fingerprint.ts'
import { createTaker } from '../../src/transfer/take.ts'
import { aFile, aMediaId, anEntry, aPath, NOW_MS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createMemoryWecom } from '../helpers/memory-wecom.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { plant } from '../helpers/tree.ts'

const never = new AbortController().signal
const MODIFIED_AT_MS = NOW_MS - 5000

async function setUp(files: Record<string, string> = {}) {
  const root = await createTempFolder()
  plant(root, files)
  const clock = createFakeClock(NOW_MS)
  const wecom = createMemoryWecom({ clock })
  const manifest = createMemoryManifest()
  const told: MirrorEvent[] = []
  const died: string[] = []
  let downloads = 0
  let meanwhile = async () => {}
  const take = createTaker({
    root,
    room: { require: async () => {} },
    wecom: {
      async download(request, signal) {
        downloads++
        const answer = await wecom.download(request, signal)
        await meanwhile()
        return answer
      },
    },
    manifest,
    deadIds: { end: async (mediaId) => void died.push(mediaId) },
    clock,
    emit: (event) => told.push(event),
  })
  const store = (text: string) => wecom.store({ name: 'x.jpg', bytes: Buffer.from(text) })
  return {
    root,
    manifest,
    died,
    take: (
      path: string,
      entry: ManifestEntry,
      about: { over?: ManifestEntry; beside?: string } = {},
    ) => {
      const { over, beside } = about
      const step: Extract<Step, { kind: 'take' }> = {
        kind: 'take',
        path: aPath(path),
        entry,
        ...(over && { over }),
        ...(beside !== undefined && { beside: aPath(beside) }),
      }
      return take(step, never)
    },
    /** What stands for another host's bytes, stored at WeCom or, with another id, not. */
    offer: (path: string, text: string, mediaId = store(text)) =>
      anEntry({
        of: aFile({ path, sizeBytes: Buffer.byteLength(text), modifiedAtMs: MODIFIED_AT_MS }),
        mediaId: aMediaId(mediaId),
        fingerprint: fingerprintBuffer(Buffer.from(text)),
        origin: 'reference',
      }),
    /** An entry of a file as it stands. */
    know: async (path: string, about: Partial<ManifestEntry> = {}) => {
      const found = await stat(join(root, path))
      const bytes = await readFile(join(root, path))
      const entry = {
        ...anEntry({ path, fingerprint: fingerprintBuffer(bytes), ...about }),
        stamp: createStamp(found),
      }
      await manifest.commit([{ kind: 'put-entry', entry }])
      return entry
    },
    find: (path: string) => manifest.findEntry(aPath(path)),
    read: (path: string) => readFile(join(root, path), 'utf8'),
    names: async () => (await readdir(root)).sort(),
    said: () => told.map(({ kind }) => kind),
    downloads: () => downloads,
    whileDownloading: (act: typeof meanwhile) => {
      meanwhile = act
    },
  }
}

it('brings what is not here, with its time, its id and no reference to remember', async () => {
  const site = await setUp()
  const offer = site.offer('a.jpg', 'theirs')
  await site.take('a.jpg', offer)
  expect(await site.read('a.jpg')).toBe('theirs')
  const { stamp, ...entry } = (await site.find('a.jpg')) ?? offer
  expect(entry).toEqual({ ...offer, stamp: undefined, modifiedAtMs: MODIFIED_AT_MS })
  expect(stamp).toBe(createStamp(await stat(join(site.root, 'a.jpg'))))
  expect((await site.manifest.count()).references).toBe(0)
  expect(site.said()).toEqual(['landed'])
})

it('copies what is here under another name, and asks WeCom for nothing', async () => {
  const site = await setUp({ 'old name.jpg': 'theirs' })
  await site.know('old name.jpg')
  await site.take('a.jpg', site.offer('a.jpg', 'theirs'))
  expect(site.downloads()).toBe(0)
  expect(await site.read('a.jpg')).toBe('theirs')
  expect(await site.names()).toEqual(['a.jpg', 'old name.jpg'])
})

it('does not believe an entry whose file has other bytes by now', async () => {
  const site = await setUp({ 'b.jpg': 'changed' })
  const stale = await site.know('b.jpg')
  const fingerprint = fingerprintBuffer(Buffer.from('theirs'))
  await site.manifest.commit([{ kind: 'put-entry', entry: { ...stale, fingerprint } }])
  await site.take('a.jpg', site.offer('a.jpg', 'theirs'))
  expect(site.downloads()).toBe(1)
  expect(await site.read('a.jpg')).toBe('theirs')
})

it('replaces the file that was known to be older', async () => {
  const site = await setUp({ 'a.jpg': 'ours' })
  const over = await site.know('a.jpg')
  await site.take('a.jpg', site.offer('a.jpg', 'theirs'), { over })
  expect(await site.read('a.jpg')).toBe('theirs')
  expect(await site.find('a.jpg')).toMatchObject({ origin: 'reference' })
  expect(await site.names()).toEqual(['a.jpg'])
})

it('leaves the file alone that somebody wrote meanwhile', async () => {
  const site = await setUp({ 'a.jpg': 'ours' })
  const over = await site.know('a.jpg')
  site.whileDownloading(() => writeFile(join(site.root, 'a.jpg'), 'ours, and newer'))
  await site.take('a.jpg', site.offer('a.jpg', 'theirs'), { over })
  expect(await site.read('a.jpg')).toBe('ours, and newer')
  expect(await site.find('a.jpg')).toEqual(over)
  site.whileDownloading(() => writeFile(join(site.root, 'b.jpg'), 'ours'))
  await site.take('b.jpg', site.offer('b.jpg', 'theirs'))
  expect(await site.read('b.jpg')).toBe('ours')
  expect(await site.find('b.jpg')).toBeUndefined()
  expect(await site.names()).toEqual(['a.jpg', 'b.jpg'])
})

it('brings nothing that a person did away with since the step was planned', async () => {
  const site = await setUp()
  const offer = site.offer('a.jpg', 'theirs')
  site.whileDownloading(() =>
    site.manifest.commit([{ kind: 'put-problem', problem: describeForgotten(offer, NOW_MS) }]),
  )
  await site.take('a.jpg', offer)
  expect(await site.names()).toEqual([])
})

it('refuses bytes that are not those of the other host’s manifest', async () => {
  const site = await setUp({ 'a.jpg': 'ours' })
  const over = await site.know('a.jpg')
  const offer = { ...site.offer('a.jpg', 'theirs'), mediaId: site.offer('x', 'forged').mediaId }
  await expect(site.take('a.jpg', offer, { over })).rejects.toThrow('not those of its manifest')
  expect(await site.read('a.jpg')).toBe('ours')
  expect(await site.names()).toEqual(['a.jpg'])
})

it('lists an id as lost that WeCom does not know', async () => {
  const site = await setUp()
  await site.take('a.jpg', site.offer('a.jpg', 'theirs', aMediaId('dead-id')))
  expect(await site.manifest.findReference(aMediaId('dead-id'))).toMatchObject({
    state: 'lost',
    path: 'a.jpg',
  })
  expect([site.died, site.said()]).toEqual([['dead-id'], ['lost']])
})

it('says of the copy of a conflict what it is', async () => {
  const site = await setUp({ 'a.jpg': 'ours' })
  const ours = await site.know('a.jpg')
  await site.take(
    'a (conflict).jpg',
    { ...ours, path: aPath('a (conflict).jpg') },
    { beside: 'a.jpg' },
  )
  expect(site.downloads()).toBe(0)
  expect(await site.read('a (conflict).jpg')).toBe('ours')
  expect(await site.manifest.findProblem(aPath('a (conflict).jpg'))).toMatchObject({
    code: 'PATH_CONFLICT',
    message: expect.stringContaining('`a.jpg` was changed on two hosts at once'),
  })
})
