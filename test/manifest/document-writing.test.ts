import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nextDocumentDelayMs } from '../../src/manifest/document-cadence.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { createBreakableFiles } from './breakable-files.ts'
import { all, anEntry } from './rows.ts'
import { openState } from './state.ts'

const put = (path: string, with_ = {}) => ({
  kind: 'put-entry' as const,
  entry: anEntry(path, with_),
})

async function openTimed() {
  const directory = await createTempFolder()
  const disk = createBreakableFiles()
  const clock = createFakeClock()
  const opened = await openState(directory, { files: disk.files, clock })
  const writeDocument = async (waitMs = 250) => {
    let isWritten = false
    const written = opened.next('document-written').then(() => {
      isWritten = true
    })
    // An attempt under way sets its next timer only when it is over.
    while (!isWritten) await clock.advance(waitMs)
    await written
  }
  return { directory, disk, clock, writeDocument, ...opened }
}

const journalsIn = async (directory: string) =>
  (await readdir(directory)).filter((name) => name.startsWith('manifest.journal.')).sort()

test.each([
  ['nothing written yet', 0, Number.POSITIVE_INFINITY, 250],
  ['small, written long ago', 1000, 60_000, 250],
  ['small, written just now', 1000, 0, 250],
  ['half a megabyte: still within a second', 500_000, 0, 500],
  ['a megabyte: within a second', 1_000_000, 0, 1000],
  ['35 MB: once in 35 seconds', 35_000_000, 0, 35_000],
  ['35 MB, half of it waited for already', 35_000_000, 17_500, 17_500],
  ['35 MB, written long ago', 35_000_000, 3_600_000, 250],
  ['the clock fell back an hour', 1_000_000, -3_600_000, 1000],
])('the next document is due: %s', (_, documentBytes, sinceLastWriteMs, delayMs) => {
  expect(nextDocumentDelayMs({ documentBytes, sinceLastWriteMs })).toBe(delayMs)
})

test('the traffic of documents stays below a megabyte a second, whatever their size', () => {
  for (let bytes = 1; bytes < 2 ** 32; bytes *= 3) {
    const delayMs = nextDocumentDelayMs({ documentBytes: bytes, sinceLastWriteMs: 0 })
    expect(bytes / (delayMs / 1000)).toBeLessThanOrEqual(1_000_000)
  }
})

test('changes that come together are written together', async () => {
  const { manifest, writeDocument, tellings } = await openTimed()
  for (let n = 0; n < 20; n++) await manifest.commit([put(`${n}`)])
  await writeDocument()
  expect(tellings('document-written').map((event) => event.entries)).toEqual([20])
})

test('keeps one earlier generation, and the journals from which it can be brought up to date', async () => {
  const { manifest, writeDocument, directory } = await openTimed()
  await manifest.commit([put('first')])
  await writeDocument()
  expect(await journalsIn(directory)).toEqual(['manifest.journal.1', 'manifest.journal.2'])
  const first = await readFile(join(directory, 'manifest.json'))
  await manifest.commit([put('second')])
  await writeDocument()
  expect(await readFile(join(directory, 'manifest.previous.json'))).toEqual(first)
  expect(await journalsIn(directory)).toEqual(['manifest.journal.2', 'manifest.journal.3'])
  await manifest.commit([put('third')])
  await writeDocument()
  expect(await journalsIn(directory)).toEqual(['manifest.journal.3', 'manifest.journal.4'])
  const names = await readdir(directory)
  expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([])
})

test('flushes the document before it takes its place, and the directory after', async () => {
  const { manifest, writeDocument, disk, directory } = await openTimed()
  await manifest.commit([put('first')])
  await writeDocument()
  await manifest.commit([put('second')])
  disk.calls.length = 0
  await writeDocument()
  const last = disk.calls
    .filter(({ operation }) => ['sync', 'link', 'rename', 'unlink'].includes(operation))
    .map(({ operation, name }) => `${operation} ${name}`)
  const folder = directory.split('/').at(-1)
  expect(last).toEqual([
    `sync ${folder}`, // the new journal's name
    'sync manifest.json.tmp',
    'unlink manifest.previous.json.tmp',
    'link manifest.previous.json.tmp',
    'rename manifest.json',
    `sync ${folder}`,
    'rename manifest.previous.json',
    'unlink manifest.previous.json.tmp',
    `sync ${folder}`, // before what the generation before it needed goes
    'unlink manifest.journal.1',
  ])
})

test('commits go on while the document is written, into the next journal', async () => {
  const { manifest, clock, disk, next, directory } = await openTimed()
  await manifest.commit(Array.from({ length: 3000 }, (_, n) => put(`before/${n}`)))
  const commits: Promise<void>[] = []
  disk.breakWhen(({ operation, name }) => {
    if (operation === 'write' && name === 'manifest.json.tmp')
      commits.push(manifest.commit([put(`during/${commits.length}`), put('before/7')]))
    return undefined
  })
  const written = next('document-written')
  await clock.advance(250)
  await written
  disk.repair()
  await Promise.all(commits)
  expect(commits.length).toBeGreaterThan(10)
  const document = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'))
  expect(Object.keys(document.media)).toHaveLength(3000)
  await manifest.close()
  const again = await openState(directory)
  expect((await again.manifest.count()).entries).toBe(3000 + commits.length)
})

test('a reader that polls during sixty documents sees only whole ones', async () => {
  const { manifest, writeDocument, directory } = await openTimed()
  await manifest.commit(Array.from({ length: 600 }, (_, n) => put(`${n}`)))
  await writeDocument()
  let isOver = false
  const counts = new Set<number>()
  const poll = async () => {
    for (let look = 0; !isOver && look < 1_000_000; look++) {
      const document = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'))
      counts.add(Object.keys(document.media).length)
    }
  }
  const polling = poll()
  for (let n = 0; n < 60; n++) {
    await manifest.commit([put(`more/${n}`)])
    await writeDocument(1000)
  }
  isOver = true
  await polling
  expect(counts.size).toBeGreaterThan(10)
  expect(Math.max(...counts)).toBeLessThanOrEqual(660)
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(600)
})

test('a document that cannot be written is told once, tried again, and costs nothing', async () => {
  const { manifest, writeDocument, clock, disk, next, tellings, directory } = await openTimed()
  await manifest.commit([put('first')])
  await writeDocument()
  disk.breakWhen(({ operation, name }) =>
    operation === 'write' && name === 'manifest.json.tmp' ? 'ENOSPC' : undefined,
  )
  await manifest.commit([put('second')])
  const failed = next('document-failed')
  await clock.advance(250)
  const { message, hint } = await failed
  expect(message).toBe(
    `cannot write \`${join(directory, 'manifest.json')}\`: no space is left on the disk (ENOSPC)`,
  )
  expect(hint).toContain('free space')
  const attempts = () => disk.countOf('open', 'manifest.json.tmp')
  for (let minute = 0; minute < 5; minute++) {
    const before = attempts()
    while (attempts() === before) await clock.advance(60_000)
  }
  await manifest.commit([put('third')])
  expect(tellings('document-failed')).toHaveLength(1)
  // The last attempt may be under way still.
  const sizeBytes = async () => (await stat(join(directory, 'manifest.json.tmp'))).size
  await expect.poll(sizeBytes, { timeout: 10_000 }).toBe(0)
  expect((await journalsIn(directory)).length).toBeLessThanOrEqual(3)
  disk.repair()
  await writeDocument(60_000)
  await manifest.close()
  const again = await openState(directory)
  expect((await all(again.manifest.entries())).map((entry) => entry.path)).toEqual([
    'first',
    'second',
    'third',
  ])
})

test('closing on a full disk loses nothing: the journal has it', async () => {
  const { manifest, disk, directory, tellings } = await openTimed()
  await manifest.commit([put('a')])
  disk.breakWhen(({ name }) => (name === 'manifest.json.tmp' ? 'ENOSPC' : undefined))
  await manifest.close()
  expect(tellings('document-failed')).toHaveLength(1)
  const again = await openState(directory)
  expect((await again.manifest.count()).entries).toBe(1)
})

test('where the file system has no second names, the earlier generation is a copy', async () => {
  const { manifest, writeDocument, disk, directory } = await openTimed()
  disk.breakWhen(({ operation }) => (operation === 'link' ? 'EPERM' : undefined))
  await manifest.commit([put('first')])
  await writeDocument()
  const first = await readFile(join(directory, 'manifest.json'))
  await manifest.commit([put('second')])
  await writeDocument()
  expect(await readFile(join(directory, 'manifest.previous.json'))).toEqual(first)
})

test('what a killed process left half-made is gone when the state has been opened', async () => {
  const directory = await createTempFolder()
  for (const name of ['manifest.json.tmp', 'manifest.previous.json.tmp'])
    await writeFile(join(directory, name), '{"format": "wecom-media-mi')
  await openState(directory)
  expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
})
