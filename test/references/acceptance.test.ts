// Taking in references: durable before acknowledged, once however often they come.
import { expect, it } from 'vitest'
import { ManifestUnwritable } from '../../src/errors.ts'
import type { Change } from '../../src/manifest/manifest.ts'
import type { WantedReference } from '../../src/media/media.ts'
import { createAcceptance } from '../../src/references/acceptance.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { aMediaId, aPath, NOW_MS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'

const WANTED: WantedReference = {
  mediaId: aMediaId('id-1'),
  from: 'zhangsan',
  kind: 'image',
  createdAtMs: NOW_MS - 5000,
  messageId: '9223372036854775807',
}

function setUp() {
  const manifest = createMemoryManifest()
  const clock = createFakeClock(NOW_MS)
  const told: MirrorEvent[] = []
  const commits: (readonly Change[])[] = []
  let landings = 0
  let trouble: Error | undefined
  const { accept } = createAcceptance({
    manifest: {
      ...manifest,
      async commit(changes) {
        commits.push(changes)
        if (trouble) throw trouble
        // Later than its call, as on a disk: what comes meanwhile must not find it unknown and take it in as well.
        await new Promise((resolve) => setImmediate(resolve))
        await manifest.commit(changes)
      },
    },
    clock,
    requestLanding: () => void landings++,
    emit: (event) => told.push(event),
  })
  return {
    manifest,
    clock,
    told,
    commits,
    accept,
    landings: () => landings,
    find: () => manifest.findReference(WANTED.mediaId),
    breakDisk(error: Error | undefined) {
      trouble = error
    },
  }
}

it('is durable, told and to be landed, with all that is known of it', async () => {
  const { accept, find, told, landings } = setUp()
  const { isNew, reference } = await accept(WANTED)
  expect(isNew).toBe(true)
  expect(reference).toEqual({ ...WANTED, acceptedAtMs: NOW_MS, state: 'accepted' })
  expect(await find()).toEqual(reference)
  expect(told).toEqual([{ kind: 'reference-accepted', reference }])
  expect(landings()).toBe(1)
})

it('is taken in once, also when it comes five times in the same moment', async () => {
  const { accept, commits, landings } = setUp()
  const answers = await Promise.all(Array.from({ length: 5 }, () => accept(WANTED)))
  expect(answers.map(({ isNew }) => isNew)).toEqual([true, false, false, false, false])
  expect((await accept(WANTED)).isNew).toBe(false)
  expect([commits.length, landings()]).toEqual([1, 1])
})

it.each(['landed', 'lost'] as const)(
  'leaves one that is %s as it is, until a person wants it anew',
  async (state) => {
    const { accept, manifest, find, clock } = setUp()
    const known = { ...WANTED, acceptedAtMs: NOW_MS, state, landedPath: aPath('in/a.jpg') }
    await manifest.commit([{ kind: 'put-reference', reference: known }])
    expect(await accept({ mediaId: WANTED.mediaId })).toEqual({ isNew: false, reference: known })
    expect(await accept({ ...WANTED, path: aPath('in/a.jpg') })).toMatchObject({ isNew: false })
    await clock.advance(1000)
    const { reference } = await accept({ mediaId: WANTED.mediaId }, { anew: true })
    // Who sent it, and when, is not forgotten; where it had landed is.
    expect(reference).toEqual({ ...WANTED, acceptedAtMs: NOW_MS + 1000, state: 'accepted' })
    expect(await find()).toEqual(reference)
  },
)

it('is taken in again for a path of its own', async () => {
  const { accept } = setUp()
  await accept(WANTED)
  const moved = await accept({ mediaId: WANTED.mediaId, path: aPath('posters/a.jpg') })
  expect(moved).toMatchObject({ isNew: true, reference: { path: 'posters/a.jpg', kind: 'image' } })
})

it('is refused when it cannot be made durable, and those that waited for it try for themselves', async () => {
  const { accept, breakDisk, find, told, landings } = setUp()
  breakDisk(new ManifestUnwritable('the disk is full'))
  const first = accept(WANTED)
  const second = accept(WANTED)
  await expect(first).rejects.toThrow('the disk is full')
  breakDisk(undefined)
  await second.catch(() => {})
  expect(told).toHaveLength(landings())
  expect((await accept(WANTED)).reference).toEqual(await find())
  expect(landings()).toBe(1)
})

it('believes nobody that a medium is yet to be uploaded: its id would count as alive for too long', async () => {
  const { accept, find } = setUp()
  await accept({ ...WANTED, createdAtMs: NOW_MS + 60_000 })
  expect(await find()).toMatchObject({ createdAtMs: NOW_MS })
})
