import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openCallBook } from '../src/call-book.ts'
import type { MirrorEvent } from '../src/support/events.ts'
import type { CallsMade } from '../src/wecom/limited-wecom.ts'
import { createLimitedWecom } from '../src/wecom/limited-wecom.ts'
import { createFakeClock } from './helpers/fake-clock.ts'
import { aMedium, createMemoryWecom } from './helpers/memory-wecom.ts'
import { createTempFolder } from './helpers/temp-folder.ts'

const MINUTE_MS = 60_000

async function aBook() {
  const directory = await createTempFolder()
  const clock = createFakeClock()
  const told: MirrorEvent[] = []
  const open = () => openCallBook({ directory, clock, emit: (event) => void told.push(event) })
  return { directory, clock, told, open, path: join(directory, 'calls.json') }
}

const made: CallsMade = {
  uploads: {
    minute: [{ agoMs: 5_000, calls: 3 }],
    hour: [{ agoMs: 20 * MINUTE_MS, calls: 40 }],
    upcoming: 7,
  },
  downloads: { minute: [], hour: [], upcoming: 0 },
}

it('tells the next run what this one wrote, as much longer ago as time has passed', async () => {
  const site = await aBook()
  await (await site.open()).write(made)
  site.clock.leap(2 * MINUTE_MS)
  expect((await site.open()).made).toEqual({
    uploads: {
      minute: [{ agoMs: 125_000, calls: 3 }],
      hour: [{ agoMs: 22 * MINUTE_MS, calls: 40 }],
      upcoming: 7,
    },
    downloads: { minute: [], hour: [], upcoming: 0 },
  })
  expect((await stat(site.path)).mode & 0o777).toBe(0o600)
})

it('takes nothing for longer ago because the clock was set back', async () => {
  const site = await aBook()
  await (await site.open()).write(made)
  site.clock.leap(-24 * 60 * MINUTE_MS)
  expect((await site.open()).made).toEqual(made)
})

it.each(['', '{', 'null', '{"at":"yesterday"}', '{"at":"2026-11-22T08:00:00.000Z","uploads":3}'])(
  'takes %j for an empty page',
  async (text) => {
    const site = await aBook()
    await writeFile(site.path, text)
    const nothing = { minute: [], hour: [], upcoming: 0 }
    expect((await site.open()).made).toEqual({ uploads: nothing, downloads: nothing })
  },
)

it('says once that it cannot be written, and lets calls go on', async () => {
  const site = await aBook()
  const book = await site.open()
  await mkdir(`${site.path}.new`)
  await book.write(made)
  await book.write(made)
  expect(site.told).toMatchObject([{ kind: 'warned', hint: expect.stringContaining('space') }])
  expect(site.told.map((event) => ('message' in event ? event.message : ''))[0]).toMatch(
    /^cannot write `calls.json`: EISDIR/,
  )
  await expect(readFile(site.path)).rejects.toThrow('ENOENT')
})

it('is written in peace when uploads and downloads begin at once, and a reader finds whole pages only', async () => {
  const site = await aBook()
  const never = new AbortController().signal
  const memory = createMemoryWecom({ clock: site.clock })
  const { mediaId } = await memory.upload(aMedium(), never)
  for (let round = 0; round < 30; round++) {
    const wecom = createLimitedWecom({
      wecom: memory,
      clock: site.clock,
      quota: { perMinute: 10_000, perHour: 150_000, share: 1 },
      book: await site.open(),
    })
    await Promise.all([wecom.upload(aMedium(), never), wecom.download({ mediaId }, never)])
    await wecom.stop()
    const page = JSON.parse(await readFile(site.path, 'utf8'))
    expect([page.uploads.upcoming, page.downloads.upcoming]).toEqual([0, 0])
  }
  expect(site.told).toEqual([])
})
