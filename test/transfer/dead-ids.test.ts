import { expect, it } from 'vitest'
import { ManifestUnwritable, WecomRefused, WecomUnreachable } from '../../src/errors.ts'
import type { ManifestEntry } from '../../src/media/media.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createDeadIds, isDeadId } from '../../src/transfer/dead-ids.ts'
import { aFingerprint, aMediaId, anEntry, aPath, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'

const mediaId = aMediaId('dead')

async function setUp(...entries: ManifestEntry[]) {
  const manifest = createMemoryManifest()
  await manifest.commit(entries.map((entry) => ({ kind: 'put-entry', entry })))
  const events: MirrorEvent[] = []
  const requested: string[][] = []
  let walks = 0
  const { entries: walk } = manifest
  manifest.entries = () => {
    walks++
    return walk()
  }
  const deadIds = createDeadIds({
    manifest,
    clock: { nowMs: () => NOW_MS },
    emit: (event) => events.push(event),
    onDead: (paths) => requested.push([...paths]),
  })
  return {
    manifest,
    deadIds,
    events,
    requested,
    walks: () => walks,
    find: (path: string) => manifest.findEntry(aPath(path)),
  }
}

it.each([
  [new WecomRefused('', { errcode: 40007, errmsg: '', remedy: 'skip' }), true],
  [new WecomRefused('', { errcode: 830002, errmsg: '', remedy: 'skip' }), false],
  [new WecomUnreachable('no answer'), false],
  [new Error('40007'), false],
])('knows a dead id by its errcode alone: %o', (error, expected) => {
  expect(isDeadId(error)).toBe(expected)
})

it('ends the life of an id at every path that holds it as alive, whatever their bytes', async () => {
  const entry = anEntry({ path: 'a.jpg', mediaId })
  const landed = anEntry({ path: 'b.jpg', mediaId, origin: 'reference', renewAtMs: undefined })
  const late = anEntry({ path: 'c.jpg', mediaId, renewAtMs: NOW_MS - HOUR_MS })
  const expired = anEntry({ path: 'd.jpg', mediaId, ageHours: 80 })
  const other = anEntry({ path: 'e.jpg' })
  const site = await setUp(entry, landed, late, expired, other)
  await site.deadIds.end(mediaId)
  expect(await site.find('a.jpg')).toEqual({ ...entry, expiresAtMs: NOW_MS, renewAtMs: NOW_MS })
  expect(await site.find('b.jpg')).toEqual({ ...landed, expiresAtMs: NOW_MS })
  expect(await site.find('c.jpg')).toEqual({ ...late, expiresAtMs: NOW_MS })
  expect([await site.find('d.jpg'), await site.find('e.jpg')]).toEqual([expired, other])
  expect(site.requested).toEqual([['a.jpg', 'b.jpg', 'c.jpg']])
  expect(site.events).toEqual([
    {
      kind: 'id-died',
      mediaId,
      path: 'a.jpg',
      pathCount: 3,
      expectedUntilMs: entry.expiresAtMs,
      isRenewed: true,
    },
  ])
})

it('says nothing and asks for nothing when no entry holds the id as alive', async () => {
  const site = await setUp(anEntry({ mediaId, ageHours: 80 }))
  await site.deadIds.end(mediaId)
  expect([site.events, site.requested, site.walks()]).toEqual([[], [], 1])
})

it('says that nothing renews a landed reference', async () => {
  const site = await setUp(anEntry({ mediaId, origin: 'reference', renewAtMs: undefined }))
  await site.deadIds.end(mediaId)
  expect(site.events).toMatchObject([{ kind: 'id-died', isRenewed: false }])
})

it('leaves an entry alone whose id is another by now', async () => {
  const site = await setUp(anEntry({ path: 'a.jpg', mediaId }), anEntry({ path: 'b.jpg', mediaId }))
  const successor = anEntry({ path: 'a.jpg', mediaId: aMediaId('new') })
  const { findEntry } = site.manifest
  site.manifest.findEntry = async (path) => (path === 'a.jpg' ? successor : findEntry(path))
  await site.deadIds.end(mediaId)
  expect(site.requested).toEqual([['b.jpg']])
})

it('leaves the path to its finder that the finder sees to', async () => {
  const entry = anEntry({ path: 'a.jpg', mediaId })
  const site = await setUp(entry, anEntry({ path: 'b.jpg', mediaId }))
  await site.deadIds.end(mediaId, entry.path)
  expect(await site.find('a.jpg')).toEqual(entry)
  expect(site.requested).toEqual([['b.jpg']])
})

it('looks again for a path that took over the id meanwhile', async () => {
  const site = await setUp(anEntry({ path: 'a.jpg', mediaId }))
  const { commit } = site.manifest
  site.manifest.commit = async (changes) => {
    site.manifest.commit = commit
    await commit([...changes, { kind: 'put-entry', entry: anEntry({ path: 'b.jpg', mediaId }) }])
  }
  await site.deadIds.end(mediaId)
  expect(await site.find('b.jpg')).toMatchObject({ expiresAtMs: NOW_MS })
  expect(site.events).toMatchObject([{ kind: 'id-died', pathCount: 2 }])
})

it('does not look for ever', async () => {
  const entry = anEntry({ path: 'a.jpg', mediaId })
  const site = await setUp(entry)
  // Somebody puts the old entry back each time.
  const { commit } = site.manifest
  site.manifest.commit = async () => commit([{ kind: 'put-entry', entry }])
  await site.deadIds.end(mediaId)
  expect(site.walks()).toBe(3)
})

it('serves with one walk all that were told of before it began', async () => {
  const names = Array.from({ length: 50 }, (_, n) => `${n}.jpg`)
  const site = await setUp(...names.map((path) => anEntry({ path, mediaId: aMediaId(path) })))
  await Promise.all(names.map((name) => site.deadIds.end(aMediaId(name))))
  expect(site.events).toHaveLength(50)
  // The second finds that nothing is left.
  expect(site.walks()).toBe(2)
})

it('takes what is told during a walk to the next one', async () => {
  const site = await setUp(
    anEntry({ path: 'a.jpg', mediaId }),
    anEntry({ path: 'b.jpg', mediaId: aMediaId('dead too') }),
  )
  const { commit } = site.manifest
  let second: Promise<void> | undefined
  site.manifest.commit = (changes) => {
    second ??= site.deadIds.end(aMediaId('dead too'))
    return commit(changes)
  }
  await site.deadIds.end(mediaId)
  await second
  expect(site.requested).toEqual([['a.jpg'], ['b.jpg']])
})

it('ends thousands of lives in commits of a bounded size', async () => {
  const fingerprint = aFingerprint('the same')
  const paths = Array.from({ length: 2500 }, (_, n) => `${n}.jpg`)
  const site = await setUp(...paths.map((path) => anEntry({ path, mediaId, fingerprint })))
  const sizes: number[] = []
  const { commit } = site.manifest
  site.manifest.commit = (changes) => {
    sizes.push(changes.length)
    return commit(changes)
  }
  await site.deadIds.end(mediaId)
  expect(sizes.filter((size) => size > 0)).toEqual([1000, 1000, 500])
  expect(site.requested.flat()).toHaveLength(2500)
})

it('a full disk reaches everyone who told of an id, and the next is not held up by it', async () => {
  const site = await setUp(anEntry({ mediaId }))
  const { commit } = site.manifest
  site.manifest.commit = async () => {
    throw new ManifestUnwritable('the disk is full')
  }
  const told = [site.deadIds.end(mediaId), site.deadIds.end(aMediaId('another'))]
  for (const one of told) await expect(one).rejects.toThrow('the disk is full')
  expect(site.events).toEqual([])
  site.manifest.commit = commit
  await site.deadIds.end(mediaId)
  expect(site.events).toMatchObject([{ kind: 'id-died' }])
})
