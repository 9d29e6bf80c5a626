// What is left of the watches when they are closed while they are still being set up.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createDirectoryWatches } from '../../src/watch/directory-watches.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'

/** More than are handed to the system at once. */
const NAMES = Array.from({ length: 60 }, (_, number) => `${number}`)

it.each([0, 1, 5, 20])('closed %i ms after they were asked for, none is left', async (afterMs) => {
  const root = await createTempFolder('watches')
  for (const name of NAMES) mkdirSync(join(root, name))
  const before = standing()
  const watches = createDirectoryWatches({ root, onHint: () => {}, onError: () => {} })
  const adding = watches.add(['', ...NAMES])
  await sleep(afterMs)
  await watches.close()
  await adding
  await watches.add(NAMES)
  expect([...watches.directories()]).toEqual([])
  await until(() => standing() === before, { what: 'the last watch to go' })
})

/** Watches of this process as Node holds them: what is not given back keeps its whole mirror alive. */
const standing = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('FSEvent')).length
