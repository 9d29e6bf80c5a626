// States as a crash, a failing disk or a person may leave them, laid out as files.
import { link, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, ManifestUnreadable } from '../../src/errors.ts'
import type { Manifest } from '../../src/manifest/manifest.ts'
import { readManifest } from '../../src/manifest/read-manifest.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { all, anEntry, CORP_ID } from './rows.ts'
import { manifestFiles, openState } from './state.ts'

const DOCUMENT = 'manifest.json'
const PREVIOUS = 'manifest.previous.json'
const DAMAGED = 'manifest.damaged-2026-11-22T08-00-00.000Z.json'

const put = (path: string) => ({ kind: 'put-entry' as const, entry: anEntry(path) })
const paths = async (manifest: Pick<Manifest, 'entries'>) =>
  (await all(manifest.entries())).map((entry) => entry.path as string)

/** Dead in full run: two documents, `one` and `two` in the first, `three` in the second, `four` in a journal only. */
async function aDeadState(): Promise<string> {
  const directory = await createTempFolder()
  const clock = createFakeClock()
  const { manifest, next } = await openState(directory, { clock })
  const writeDocument = async () => {
    const written = next('document-written')
    await clock.advance(1000)
    await written
  }
  await manifest.commit([put('one'), put('two')])
  await writeDocument()
  await manifest.commit([put('three')])
  await writeDocument()
  await manifest.commit([put('four')])
  const dead = await createTempFolder()
  for (const [name, bytes] of await manifestFiles(directory))
    await writeFile(join(dead, name), bytes)
  return dead
}

const ALL = ['four', 'one', 'three', 'two']
const read = (directory: string) => readManifest({ directory, corpId: CORP_ID })

/** What every recovery comes to: all is there, told so often, and nothing is told at the next start. */
async function expectWhole(directory: string, tellingCount: number) {
  expect(await paths(await read(directory))).toEqual(ALL)
  const { manifest, tellings } = await openState(directory)
  expect(await paths(manifest)).toEqual(ALL)
  const told = tellings('state-recovered')
  expect(told.map((event) => event.message)).toHaveLength(tellingCount)
  await manifest.close()
  const again = await openState(directory)
  expect(await paths(again.manifest)).toEqual(ALL)
  expect(again.tellings('state-recovered')).toEqual([])
  await again.manifest.close()
  return told
}

test('a plain death loses nothing and is not worth a word', async () => {
  await expectWhole(await aDeadState(), 0)
})

test('death at each line of replacing the document leaves a state that reads the same', async () => {
  const stages: ((at: (name: string) => string) => Promise<unknown>)[] = [
    async (at) => writeFile(at('manifest.json.tmp'), '{"format": "wecom-media'),
    async (at) => link(at(DOCUMENT), at('manifest.previous.json.tmp')),
    // As an earlier version of this program left it: the two generations are one file, which the next writing must get over.
    async (at) => rename(at('manifest.previous.json.tmp'), at(PREVIOUS)),
    async (at) => link(at(DOCUMENT), at('manifest.previous.json.tmp')),
  ]
  for (let count = 1; count <= stages.length; count++) {
    const directory = await aDeadState()
    for (const stage of stages.slice(0, count)) await stage((name) => join(directory, name))
    await expectWhole(directory, 0)
    const names = [...(await manifestFiles(directory)).keys()]
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([])
    expect(await readFile(join(directory, PREVIOUS))).not.toEqual(
      await readFile(join(directory, DOCUMENT)),
    )
  }
})

test.each([
  ['cut in half', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['empty', () => Buffer.alloc(0)],
  ['zeros', (bytes: Buffer) => Buffer.alloc(bytes.length)],
  [
    'one letter of an id changed',
    (bytes: Buffer) => replaceIn(bytes, '3a_MEDIA-id', '3a_MEDIA-iD'),
  ],
  ['another corp by one bit', (bytes: Buffer) => replaceIn(bytes, CORP_ID, `x${CORP_ID.slice(1)}`)],
  ['not text', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from([0xff, 0xfe])])],
  ['the wrong shape', () => Buffer.from('[]')],
  [
    'a row made wrong by hand',
    (bytes: Buffer) => remade(bytes, (media) => ({ ...media, one: { ...media.one, size: 'big' } })),
  ],
  ['a name that leaves the folder', (bytes: Buffer) => remade(bytes, (m) => ({ '../x': m.one }))],
])('a document that is damaged (%s) is set aside, and nothing is lost', async (_, damage) => {
  const directory = await aDeadState()
  const damaged = damage(await readFile(join(directory, DOCUMENT)))
  await writeFile(join(directory, DOCUMENT), damaged)
  const [told] = await expectWhole(directory, 1)
  expect(told?.message).toContain(`\`${DOCUMENT}\` in \`${directory}\` was damaged`)
  expect(told?.hint).toContain(DAMAGED)
  expect(await readFile(join(directory, DAMAGED))).toEqual(damaged)
})

function replaceIn(bytes: Buffer, from: string, to: string): Buffer {
  expect(bytes.toString()).toContain(from)
  return Buffer.from(bytes.toString().replace(from, to))
}

type Rows = Record<string, Record<string, unknown>>
function remade(bytes: Buffer, change: (media: Rows) => unknown): Buffer {
  const document = JSON.parse(bytes.toString())
  return Buffer.from(JSON.stringify({ ...document, media: change(document.media) }))
}

test('damage found a second time at the same moment gets a name of its own', async () => {
  const directory = await aDeadState()
  for (const content of ['first', 'second']) {
    await writeFile(join(directory, DOCUMENT), content)
    await (await openState(directory)).manifest.close()
  }
  expect(await readFile(join(directory, DAMAGED), 'utf8')).toBe('first')
  expect(await readFile(join(directory, DAMAGED.replace('.json', '-2.json')), 'utf8')).toBe(
    'second',
  )
})

test('death between setting the damaged document aside and writing a new one loses nothing', async () => {
  const directory = await aDeadState()
  await rename(join(directory, DOCUMENT), join(directory, DAMAGED))
  const [told] = await expectWhole(directory, 1)
  expect(told?.message).toContain('was gone')
})

test('the very first document, damaged, is rebuilt from the journals alone', async () => {
  const directory = await createTempFolder()
  const { manifest } = await openState(directory)
  await manifest.commit([put('a')])
  await manifest.close()
  await writeFile(join(directory, DOCUMENT), 'damaged')
  const again = await openState(directory)
  expect(await paths(again.manifest)).toEqual(['a'])
  expect(again.tellings('state-recovered')).toHaveLength(1)
})

test('two generations that cannot be read stop the program, untouched', async () => {
  const directory = await aDeadState()
  for (const name of [DOCUMENT, PREVIOUS]) await writeFile(join(directory, name), `damaged ${name}`)
  const before = await manifestFiles(directory)
  const error = await openState(directory).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ManifestUnreadable)
  expect(error).toMatchObject({
    message: `cannot read the manifest in \`${directory}\`: \`${DOCUMENT}\` is damaged (it is not JSON), \`${PREVIOUS}\` is damaged (it is not JSON)`,
    hint: expect.stringContaining('from a backup'),
  })
  expect(await manifestFiles(directory)).toEqual(before)
})

test('journals without the document they belong to stop the program', async () => {
  const directory = await aDeadState()
  for (const name of [DOCUMENT, PREVIOUS]) await unlink(join(directory, name))
  await expect(openState(directory)).rejects.toThrow('`manifest.json` is gone, but journals')
  await expect(read(directory)).rejects.toThrow(ManifestUnreadable)
})

test('what the hints advise works: a backup of the document alone, or a new beginning', async () => {
  const directory = await aDeadState()
  const backup = await readFile(join(directory, PREVIOUS))
  const restored = await createTempFolder()
  await writeFile(join(restored, DOCUMENT), backup)
  const opened = await openState(restored)
  expect(await paths(opened.manifest)).toEqual(['one', 'two'])
  expect(opened.tellings('state-recovered')[0]?.message).toContain('`manifest.journal.2`')
  await opened.manifest.close()
  expect((await openState(restored)).tellings('state-recovered')).toEqual([])

  for (const name of (await manifestFiles(directory)).keys()) await rm(join(directory, name))
  expect(await paths((await openState(directory)).manifest)).toEqual([])
})

test('an old document put back beside newer journals: what they hold counts, and the gap is told', async () => {
  const directory = await aDeadState()
  const document = JSON.parse(await readFile(join(directory, PREVIOUS), 'utf8'))
  await unlink(join(directory, 'manifest.journal.2'))
  await writeFile(join(directory, DOCUMENT), JSON.stringify(document))
  const { manifest, tellings } = await openState(directory)
  expect(await paths(manifest)).toEqual(['four', 'one', 'two'])
  expect(tellings('state-recovered')).toHaveLength(1)
  await manifest.commit([put('five')])
  await manifest.close()
  expect(await paths((await openState(directory)).manifest)).toEqual(['five', 'four', 'one', 'two'])
})

test.each([
  ['a newer version', { version: 2 }, ManifestUnreadable, 'newer version'],
  ['another format', { format: 'other/manifest' }, ManifestUnreadable, 'its format is'],
  ['another corp', { corp_id: 'wwOTHER' }, ConfigError, 'it belongs to corp `wwOTHER`'],
])('a document of %s is refused and left as it is', async (_, change, kind, words) => {
  const directory = await aDeadState()
  const document = JSON.parse(await readFile(join(directory, DOCUMENT), 'utf8'))
  await writeFile(join(directory, DOCUMENT), JSON.stringify({ ...document, ...change }))
  const before = await manifestFiles(directory)
  for (const open of [openState, read]) {
    const error = await open(directory).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(kind)
    expect(String(error)).toContain(words)
  }
  expect(await manifestFiles(directory)).toEqual(before)
})

test('a newer version is recognised in its own layout too, whatever it takes for a checksum', async () => {
  const directory = await aDeadState()
  const bytes = await readFile(join(directory, DOCUMENT))
  await writeFile(join(directory, DOCUMENT), replaceIn(bytes, '"version": 1', '"version": 2'))
  await expect(openState(directory)).rejects.toThrow('newer version')
})

test('a journal of a newer version is refused even when the document is of ours', async () => {
  const { renderRecord } = await import('../../src/manifest/journal.ts')
  const directory = await aDeadState()
  const header = { format: 'wecom-media-mirror/journal', version: 2, corp_id: CORP_ID }
  await writeFile(join(directory, 'manifest.journal.4'), renderRecord(JSON.stringify(header)))
  await expect(openState(directory)).rejects.toThrow('newer version')
})

test('a document that may not be read stops the program with its reason', async () => {
  const directory = await createTempFolder()
  await mkdir(join(directory, DOCUMENT))
  await expect(openState(directory)).rejects.toThrow(
    `cannot read \`${join(directory, DOCUMENT)}\`: a directory is in its place (EISDIR)`,
  )
})

test('a lock that was taken for nothing is given back', async () => {
  const directory = await aDeadState()
  const document = await readFile(join(directory, DOCUMENT))
  await writeFile(join(directory, DOCUMENT), '{"format": "other", "version": 1, "corp_id": "x"}')
  await expect(openState(directory)).rejects.toThrow()
  await writeFile(join(directory, DOCUMENT), document)
  expect(await paths((await openState(directory)).manifest)).toEqual(ALL)
})
