// The document of another host, as its own store writes it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import type { ManifestEntry } from '../../src/media/media.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

export async function openState(entries: readonly ManifestEntry[], corpId = 'ww-test') {
  const directory = await createTempFolder('peer')
  const manifest = await openLowdbManifest({
    directory,
    corpId,
    clock: createFakeClock(),
    emit: () => {},
    lock: 'exclusive',
    command: 'test',
  })
  await manifest.commit(entries.map((entry) => ({ kind: 'put-entry', entry })))
  await manifest.close()
  return readFile(join(directory, 'manifest.json'))
}
