// Room on the disk: what stays free, what is told of it and how often, and that a download stops before it takes it.
import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { DiskShort, MediaUnacceptable } from '../../src/errors.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createDiskRoom, measureDisk } from '../../src/transfer/disk-room.ts'
import { fetchMedium } from '../../src/transfer/fetched.ts'
import type { Download, Wecom } from '../../src/wecom/wecom.ts'
import { aMediaId } from '../helpers/builders.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { failureOf, patient } from '../wecom/client.ts'

const MEDIUM = aMediaId('m')
const MB = 2 ** 20
const GB = 2 ** 30

/** A disk of which so much is free, and what was told of it. */
async function setUp(disk: { freeBytes: number; totalBytes: number }) {
  const directory = await createTempFolder()
  const told: MirrorEvent[] = []
  const emit = (event: MirrorEvent) => void told.push(event)
  const room = createDiskRoom({ directory, measure: async () => ({ ...disk }), emit })
  return {
    room,
    disk,
    told: () => told.map(({ kind }) => kind),
    directory,
    fetch: (wecom: Pick<Wecom, 'download'>, expectedBytes?: number) =>
      fetchMedium(
        { wecom, room },
        { mediaId: MEDIUM, directory, ...(expectedBytes && { expectedBytes }) },
        patient,
      ),
    left: () => readdir(directory),
  }
}

/** A service that sends this, a megabyte at a time, and knows how much of it was taken. */
function aWecom(about: Partial<Download>, onMegabyte: () => void = () => {}) {
  let taken = 0
  let body: Readable | undefined
  function* megabytes() {
    for (;;) {
      taken++
      onMegabyte()
      yield Buffer.alloc(MB, taken)
    }
  }
  const wecom: Pick<Wecom, 'download'> = {
    async download() {
      body = Readable.from(megabytes(), { objectMode: false })
      const unknown = { announcedName: undefined, contentType: undefined }
      return { ...unknown, sizeBytes: undefined, totalBytes: undefined, ...about, body }
    },
  }
  return { wecom, taken: () => taken, isGivenUp: () => body?.destroyed }
}

it.each([
  ['a twentieth of a small disk', { totalBytes: 2 * GB, freeBytes: 110 * MB }, 7 * MB],
  ['256 MB of a large one', { totalBytes: 2000 * GB, freeBytes: 300 * MB }, 44 * MB],
])('keeps %s free', async (_, disk, roomBytes) => {
  const { room } = await setUp(disk)
  await room.require(roomBytes, MEDIUM)
  await expect(room.require(roomBytes + MB, MEDIUM)).rejects.toBeInstanceOf(DiskShort)
})

it('tells of a shortage once, and of its end when what was refused would be taken', async () => {
  const { room, disk, told } = await setUp({ totalBytes: 2000 * GB, freeBytes: 300 * MB })
  await room.lookAgain()
  for (let attempt = 0; attempt < 3; attempt++) await failureOf(room.require(100 * MB, MEDIUM))
  // What is small enough goes on meanwhile, and ends nothing.
  await room.require(MB, aMediaId('small'))
  await room.lookAgain()
  expect((await failureOf(room.require(100 * MB, MEDIUM))).message).toMatch(
    /^no room to download 100 MB into `.*`: 300 MB are free, and 256 MB stay free$/,
  )
  expect(told()).toEqual(['disk-short'])
  disk.freeBytes = 400 * MB
  await room.lookAgain()
  expect(told()).toEqual(['disk-short', 'disk-roomy'])
})

it('asks WeCom for nothing that there is no room for', async () => {
  const { wecom, taken } = aWecom({})
  const { fetch, left } = await setUp({ totalBytes: GB, freeBytes: 60 * MB })
  expect(await failureOf(fetch(wecom, 20 * MB))).toBeInstanceOf(DiskShort)
  expect([taken(), await left()]).toEqual([0, []])
})

it('takes nothing of what is announced as larger than the room, and lets go of its connection', async () => {
  const { wecom, isGivenUp } = aWecom({ sizeBytes: 20 * MB, totalBytes: 20 * MB })
  const { fetch, left } = await setUp({ totalBytes: GB, freeBytes: 60 * MB })
  expect(await failureOf(fetch(wecom))).toBeInstanceOf(DiskShort)
  expect([isGivenUp(), await left()]).toEqual([true, []])
})

it('asks WeCom again for what had no room only when there is as much as it said', async () => {
  const site = await setUp({ totalBytes: GB, freeBytes: 60 * MB })
  let calls = 0
  const wecom: Pick<Wecom, 'download'> = {
    download() {
      calls++
      return aWecom({ sizeBytes: 20 * MB, totalBytes: 20 * MB }).wecom.download(
        { mediaId: MEDIUM },
        patient,
      )
    },
  }
  for (let attempt = 0; attempt < 5; attempt++)
    expect(await failureOf(site.fetch(wecom))).toBeInstanceOf(DiskShort)
  expect(calls).toBe(1)
  site.disk.freeBytes = 75 * MB
  await site.room.require(0, MEDIUM)
  expect(site.told()).toEqual(['disk-short', 'disk-roomy'])
})

it('stops in the middle when others fill the disk, with the reserve untouched and nothing left over', async () => {
  const site = await setUp({ totalBytes: GB, freeBytes: 60 * MB })
  const { wecom, taken } = aWecom({}, () => {
    site.disk.freeBytes -= MB
  })
  expect(await failureOf(site.fetch(wecom))).toBeInstanceOf(DiskShort)
  expect(taken()).toBeLessThan(12)
  expect(await site.left()).toEqual([])
})

it('gives up at the size of the largest medium what did not say how large it is', async () => {
  const { fetch, left } = await setUp({ totalBytes: 2000 * GB, freeBytes: 1000 * GB })
  const body = Readable.from([Buffer.alloc(5), Buffer.alloc(256 * MB)], { objectMode: false })
  const unknown = { announcedName: undefined, contentType: undefined }
  const answer = { ...unknown, sizeBytes: undefined, totalBytes: undefined, body }
  expect(await failureOf(fetch({ download: async () => answer }))).toBeInstanceOf(MediaUnacceptable)
  expect([body.destroyed, await left()]).toEqual([true, []])
})

it('takes nothing of a medium that says it is larger than any', async () => {
  const { wecom, taken } = aWecom({ sizeBytes: MB, totalBytes: 300 * MB })
  const { fetch } = await setUp({ totalBytes: 2000 * GB, freeBytes: 1000 * GB })
  expect(await failureOf(fetch(wecom))).toBeInstanceOf(MediaUnacceptable)
  expect(taken()).toBeLessThan(2)
})

it('asks the operating system', async () => {
  const { freeBytes, totalBytes } = await measureDisk(await createTempFolder())
  expect(totalBytes).toBeGreaterThan(freeBytes)
  expect(freeBytes).toBeGreaterThan(0)
})
