// What hooks are owed, on disk: where it stands in the document, what older and newer programs make of that, and what a death leaves.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseDocumentHeader } from '../../src/manifest/header.ts'
import type { Change } from '../../src/manifest/manifest.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { createBreakableFiles } from './breakable-files.ts'
import { aDelivery, all, anEntry, aPath, CORP_ID } from './rows.ts'
import { manifestFiles, openState } from './state.ts'

const owe = (...ids: string[]): Change => ({
  kind: 'put-deliveries',
  deliveries: () => ids.map((id) => aDelivery(id, { path: aPath('a.jpg') })),
})
const put: Change = { kind: 'put-entry', entry: anEntry('a.jpg') }
const drop = (id: string): Change => ({ kind: 'drop-delivery', id })

async function documentAfter(...changes: Change[]) {
  const directory = await createTempFolder()
  const { manifest } = await openState(directory)
  await manifest.commit(changes)
  await manifest.close()
  return { directory, text: await readFile(join(directory, 'manifest.json'), 'utf8') }
}

async function owedIn(directory: string) {
  const { manifest, tellings } = await openState(directory)
  expect(tellings('state-recovered')).toEqual([])
  return (await all(manifest.deliveries())).map(({ id }) => id)
}

test('the document has what is owed, and not a word of it when nothing is', async () => {
  const { directory, text } = await documentAfter(put, owe('1'))
  expect(JSON.parse(text).deliveries).toEqual({
    1: {
      hook: 'tell',
      event: 'first-id',
      at: '2026-11-22T08:00:00.000Z',
      path: 'a.jpg',
      media_id: '3a_MEDIA-id',
    },
  })
  expect(await owedIn(directory)).toEqual(['1'])
  expect((await documentAfter(put, owe('1'), drop('1'))).text).not.toContain('deliveries')
})

test('a program that does not know of hooks reads such a document: to it they are a part of the head', async () => {
  const { directory, text } = await documentAfter(put, owe('1', '2'))
  const head: unknown = JSON.parse(`${text.slice(0, text.indexOf(',\n"media": {\n'))}\n}`)
  const expected = { format: 'wecom-media-mirror/manifest', corpId: CORP_ID, file: directory }
  expect(parseDocumentHeader(head, expected)).toMatchObject({ version: 1, corp_id: CORP_ID })
  // The last section that it knows goes on, to it, until the checksum.
  expect(head).toHaveProperty('deliveries')
  expect(text).toMatch(/\n"problems": \{\n\},\n"checksum": "[0-9a-f]{8}"\n\}\n$/)
})

test('a document that such a program wrote owes nothing', async () => {
  const { directory, text } = await documentAfter(put)
  expect(text).not.toContain('deliveries')
  expect(await owedIn(directory)).toEqual([])
})

test('what happened is owed after any death, whether the document has it or only the journal', async () => {
  const directory = await createTempFolder()
  const clock = createFakeClock()
  const { manifest, next } = await openState(directory, { clock })
  await manifest.commit([owe('1', '2'), put])
  const written = next('document-written')
  await clock.advance(1000)
  await written
  await manifest.commit([owe('3')])
  await manifest.commit([drop('1')])
  const dead = await createTempFolder()
  for (const [name, bytes] of await manifestFiles(directory))
    await writeFile(join(dead, name), bytes)
  expect(await owedIn(dead)).toEqual(['2', '3'])
})

test('a commit that the disk does not take owes nothing', async () => {
  const directory = await createTempFolder()
  const disk = createBreakableFiles()
  const { manifest } = await openState(directory, { files: disk.files })
  await manifest.commit([drop('0')])
  disk.breakWhen(({ operation }) => (operation === 'write' ? 'ENOSPC' : undefined))
  await expect(manifest.commit([owe('1'), put])).rejects.toThrow('no space')
  disk.repair()
  await manifest.commit([owe('2')])
  await manifest.close()
  expect(await owedIn(directory)).toEqual(['2'])
})

test('an event of a later version is passed over', async () => {
  const { directory, text } = await documentAfter(put, owe('1'))
  const document = JSON.parse(text)
  document.deliveries['2'] = { ...document.deliveries['1'], event: 'of-a-later-version' }
  delete document.checksum
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(document))
  expect(await owedIn(directory)).toEqual(['1'])
})
