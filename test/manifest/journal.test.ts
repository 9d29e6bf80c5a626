import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readRecords, renderRecord } from '../../src/manifest/journal.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { all, anEntry } from './rows.ts'
import { manifestFiles, openState } from './state.ts'

const JOURNAL = 'manifest.journal.1'
const put = (path: string) => ({ kind: 'put-entry' as const, entry: anEntry(path) })

/** A journal of one-entry commits, as a crash leaves it. */
async function aJournal(paths: readonly string[]): Promise<Buffer> {
  const directory = await createTempFolder()
  const { manifest } = await openState(directory)
  for (const path of paths) await manifest.commit([put(path)])
  return readFile(join(directory, JOURNAL))
}

async function openWith(journal: Buffer) {
  const directory = await createTempFolder()
  await writeFile(join(directory, JOURNAL), journal)
  const opened = await openState(directory)
  const paths = (await all(opened.manifest.entries())).map((entry) => entry.path as string)
  return { directory, paths, ...opened }
}

test('a record is a checksum, a space, JSON and a newline', () => {
  expect(renderRecord('{"a": "春"}')).toMatch(/^[0-9a-f]{8} \{"a": "春"\}\n$/)
})

test('records are read back, whatever stands in them', () => {
  fc.assert(
    fc.property(fc.array(fc.json()), (texts) => {
      const bytes = Buffer.from(texts.map((json) => renderRecord(json)).join(''))
      expect([...readRecords(bytes)]).toEqual(texts.map((json) => ({ kind: 'record', json })))
    }),
  )
})

test('a record with any one bit turned is not believed, and hides none of the others', () => {
  const records = ['{"a": 1}', '{"b": "二"}', '{"c": 3}']
  const bytes = Buffer.from(records.map((json) => renderRecord(json)).join(''))
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes)
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    const read = [...readRecords(damaged)].flatMap((piece) =>
      piece.kind === 'record' ? piece.json : [],
    )
    expect(read.every((json) => records.includes(json))).toBe(true)
    // A turned newline takes the record behind it along.
    expect(read.length).toBeGreaterThanOrEqual(1)
    expect(read.length).toBeLessThan(3)
  }
})

test('a journal torn at any byte of its last record keeps all the others, and is cut there', async () => {
  const journal = await aJournal(['a', 'b', 'c'])
  const lastStart = journal.lastIndexOf('\n', journal.length - 2) + 1
  for (let length = lastStart; length < journal.length; length += 7) {
    const { directory, paths, tellings } = await openWith(journal.subarray(0, length))
    expect(paths).toEqual(['a', 'b'])
    expect(await readFile(join(directory, JOURNAL))).toEqual(journal.subarray(0, lastStart))
    expect(tellings('state-recovered')).toHaveLength(length === lastStart ? 0 : 1)
    expect([...(await manifestFiles(directory)).keys()]).toEqual([JOURNAL])
  }
  expect((await openWith(journal)).paths).toEqual(['a', 'b', 'c'])
})

test('every cut of the last record is told apart from a whole one', async () => {
  const journal = await aJournal(['a', 'b'])
  const lastStart = journal.lastIndexOf('\n', journal.length - 2) + 1
  for (let length = lastStart + 1; length < journal.length; length++) {
    const pieces = [...readRecords(journal.subarray(0, length))]
    expect(pieces.at(-1)).toEqual({
      kind: 'torn',
      atByte: lastStart,
      sizeBytes: length - lastStart,
    })
  }
})

test('zeros at the end, as a power failure leaves them, are a torn record', async () => {
  const journal = await aJournal(['a'])
  const { paths, directory } = await openWith(Buffer.concat([journal, Buffer.alloc(4096)]))
  expect(paths).toEqual(['a'])
  expect(await readFile(join(directory, JOURNAL))).toEqual(journal)
})

test('a record garbled in the middle costs that record; the journal is kept aside and a person is told', async () => {
  const journal = await aJournal(['a', 'b', 'c'])
  journal[journal.indexOf('"b"') + 1] = 120
  const { directory, paths, tellings, manifest } = await openWith(journal)
  expect(paths).toEqual(['a', 'c'])
  const [told] = tellings('state-recovered')
  expect(told?.message).toContain(`1 damaged record(s) in \`${JOURNAL}\``)
  const aside = 'manifest.damaged-2026-11-22T08-00-00.000Z.journal.1'
  expect(told?.hint).toContain(aside)
  expect(await readFile(join(directory, aside))).toEqual(journal)
  await manifest.close()
  const again = await openState(directory)
  expect((await again.manifest.count()).entries).toBe(2)
  expect(again.tellings('state-recovered')).toEqual([])
  expect(await readFile(join(directory, aside))).toEqual(journal)
})

test('a record that makes no sense is as good as garbled, whole', async () => {
  const sound = '{"media": {"a": null}, "folder": "/srv"}'
  const half = '{"folder": "/elsewhere", "media": {"x": {"media_id": 7}}}'
  const records = [sound, half, '[]', '{"media": []}', 'null']
  const { manifest, tellings } = await openWith(
    Buffer.from(records.map((json) => renderRecord(json)).join('')),
  )
  expect(await manifest.markedFolder()).toBe('/srv')
  expect(tellings('state-recovered')[0]?.message).toContain('4 damaged record(s)')
})
