import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManifestUnwritable } from '../../src/errors.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { createBreakableFiles } from './breakable-files.ts'
import { all, anEntry, aPath } from './rows.ts'
import { manifestFiles, openState } from './state.ts'

const put = (path: string, with_ = {}) => ({
  kind: 'put-entry' as const,
  entry: anEntry(path, with_),
})
const JOURNAL = 'manifest.journal.1'

async function openBreakable() {
  const directory = await createTempFolder()
  const disk = createBreakableFiles()
  const clock = createFakeClock()
  return { directory, disk, clock, ...(await openState(directory, { files: disk.files, clock })) }
}

const paths = async (opened: { manifest: { entries(): AsyncIterable<{ path: string }> } }) =>
  (await all(opened.manifest.entries())).map((entry) => entry.path)

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('sixty-four commits of one moment share one flush', async () => {
  const { manifest, disk } = await openBreakable()
  await manifest.commit([put('first')])
  const before = disk.countOf('datasync', JOURNAL)
  await Promise.all(Array.from({ length: 64 }, (_, n) => manifest.commit([put(`${n}`)])))
  expect(disk.countOf('datasync', JOURNAL) - before).toBe(1)
})

test('what is committed during a flush shares the next one', async () => {
  const { manifest, disk } = await openBreakable()
  await manifest.commit([put('first')])
  const before = disk.countOf('datasync', JOURNAL)
  const commits = [manifest.commit([put('alone')])]
  while (disk.countOf('datasync', JOURNAL) === before) await nextTurn()
  for (let n = 0; n < 64; n++) commits.push(manifest.commit([put(`${n}`)]))
  await Promise.all(commits)
  expect(disk.countOf('datasync', JOURNAL) - before).toBe(2)
})

test('nothing is visible before it is durable', async () => {
  const { manifest, disk } = await openBreakable()
  await manifest.commit([put('first')])
  let seenAtFlush: unknown = 'not flushed'
  const looks: Promise<void>[] = []
  disk.breakWhen(({ operation, name }) => {
    if (operation === 'datasync' && name === JOURNAL)
      looks.push(manifest.findEntry(aPath('a')).then((entry) => void (seenAtFlush = entry)))
    return undefined
  })
  await manifest.commit([put('a')])
  await Promise.all(looks)
  expect(seenAtFlush).toBeUndefined()
  expect(await manifest.findEntry(aPath('a'))).toEqual(anEntry('a'))
})

test.each([
  ['a disk that fills up in the middle of a record', 'write', 'ENOSPC', 'no space is left'],
  ['a disk that fails to flush', 'datasync', 'EIO', 'the disk failed'],
] as const)('%s rejects the batch, and the store goes on', async (_, operation, code, words) => {
  const { manifest, disk, directory } = await openBreakable()
  await manifest.commit([put('before')])
  disk.breakWhen((call) =>
    call.name === JOURNAL && call.operation === operation ? code : undefined,
  )
  const batch = await Promise.allSettled([
    manifest.commit([put('lost 1')]),
    manifest.commit([put('lost 2')]),
  ])
  for (const result of batch) {
    const error = result.status === 'rejected' ? result.reason : undefined
    expect(error).toBeInstanceOf(ManifestUnwritable)
    expect(error.message).toContain(`cannot record changes in \`${join(directory, JOURNAL)}\``)
    expect(error.message).toContain(words)
    expect(error.hint).toContain('disk')
  }
  expect((await manifest.count()).entries).toBe(1)
  disk.repair()
  await manifest.commit([put('after')])
  expect(await paths({ manifest })).toEqual(['after', 'before'])
  await manifest.close()
  expect(await paths(await openState(directory))).toEqual(['after', 'before'])
})

test('what was rejected is cut off before anything else is appended, even when cutting failed at first', async () => {
  const { manifest, disk, directory } = await openBreakable()
  await manifest.commit([put('before')])
  const good = await readFile(join(directory, JOURNAL))
  disk.breakWhen(({ name, operation }) =>
    name === JOURNAL && operation !== 'open' ? 'EIO' : undefined,
  )
  await expect(manifest.commit([put('rejected '.repeat(50))])).rejects.toThrow('cannot record')
  expect((await readFile(join(directory, JOURNAL))).length).toBeGreaterThan(good.length)
  await expect(manifest.commit([put('also rejected')])).rejects.toThrow('cannot record')
  disk.repair()
  await manifest.commit([put('x')])
  const journal = (await readFile(join(directory, JOURNAL))).toString()
  expect(journal.startsWith(good.toString())).toBe(true)
  expect(journal).not.toContain('rejected')
})

test('a journal that a failed cut left behind is cut before the document lets go of it', async () => {
  const { manifest, disk, directory, clock, next } = await openBreakable()
  await manifest.commit([put('before')])
  const breakJournal = ({ name, operation }: { name: string; operation: string }) =>
    name === JOURNAL && operation !== 'open' ? 'EIO' : undefined
  disk.breakWhen(breakJournal)
  await expect(manifest.commit([put('rejected')])).rejects.toThrow('cannot record')
  const failed = next('document-failed')
  await clock.advance(250)
  await failed
  disk.repair()
  const written = next('document-written')
  await clock.advance(1000)
  await written
  expect((await readFile(join(directory, JOURNAL))).toString()).not.toContain('rejected')
  await manifest.commit([put('after')])
  await manifest.close()
  expect(await paths(await openState(directory))).toEqual(['after', 'before'])
})

test('a journal that cannot be begun rejects, and is begun by the next commit', async () => {
  const { manifest, disk } = await openBreakable()
  disk.breakWhen(({ operation, name }) =>
    operation === 'write' && name === JOURNAL ? 'ENOSPC' : undefined,
  )
  await expect(manifest.commit([put('a')])).rejects.toThrow('no space is left')
  disk.repair()
  await manifest.commit([put('b')])
  expect(await paths({ manifest })).toEqual(['b'])
})

test('a system that takes a few bytes at a time is given all of them', async () => {
  const { manifest, disk, directory } = await openBreakable()
  disk.writeAtMost(7)
  await manifest.commit([put('in little bites')])
  await manifest.close()
  expect(await paths(await openState(directory))).toEqual(['in little bites'])
})

test('a fault of ours in the middle of a commit is not taken for a full disk', async () => {
  const { manifest } = await openBreakable()
  const error = await manifest
    .commit([put('a', { createdAtMs: Number.NaN })])
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(RangeError)
})

/** What would be there if the process had died just now. */
async function asIfDead(directory: string): Promise<string> {
  const dead = await createTempFolder()
  for (const [name, bytes] of await manifestFiles(directory))
    await writeFile(join(dead, name), bytes)
  return dead
}

test.each(['commit', 'document'])(
  'a first commit and a first document of one moment begin one journal each, the %s first',
  async (first) => {
    const { manifest: last, directory: lastDirectory } = await openBreakable()
    await last.commit([put('before')])
    const directory = await asIfDead(lastDirectory)
    const disk = createBreakableFiles()
    const clock = createFakeClock()
    const { manifest, next } = await openState(directory, { clock, files: disk.files })
    const commits: Promise<void>[] = []
    const commit = () => void commits.push(manifest.commit([put(`${commits.length}`)]))
    disk.breakWhen(({ name }) => {
      if (name.startsWith('manifest.journal.') && commits.length < 20) commit()
      return undefined
    })
    const written = next('document-written')
    if (first === 'commit') commit()
    await clock.advance(250)
    await written
    // Each flush of these makes one more, up to twenty.
    for (let n = 0; n < commits.length; n++) await commits[n]
    const begun = disk.calls
      .filter(({ operation, name }) => operation === 'open' && name.startsWith('manifest.journal.'))
      .map(({ name }) => name)
    expect(begun).toEqual([...new Set(begun)])
    const dead = await openState(await asIfDead(directory))
    expect(await paths(dead)).toHaveLength(1 + commits.length)
  },
)

test('a mark counts on what is there in its turn: not on a commit that was rejected, and it costs no flush when nothing is', async () => {
  const { manifest, disk } = await openBreakable()
  await manifest.commit([put('a')])
  const { path, mediaId } = anEntry('a')
  const mark = [{ kind: 'mark-checked' as const, path, mediaId, atMs: 5 }]
  disk.breakWhen(({ operation, name }) =>
    operation === 'datasync' && name === JOURNAL ? 'EIO' : undefined,
  )
  const dropping = manifest.commit([{ kind: 'drop-entry', path }])
  await expect(dropping).rejects.toThrow('cannot record')
  disk.repair()
  await manifest.commit(mark)
  expect(await manifest.findEntry(path)).toEqual(anEntry('a', { checkedAtMs: 5 }))
  await manifest.commit([{ kind: 'drop-entry', path }])
  const before = disk.countOf('datasync', JOURNAL)
  await manifest.commit(mark)
  expect(disk.countOf('datasync', JOURNAL)).toBe(before)
})
