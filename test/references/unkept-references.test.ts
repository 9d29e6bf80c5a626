import { expect, it } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { type Closers, createEngine } from '../../src/engine.ts'
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import { letGoOfReferences } from '../../src/references/unkept-references.ts'
import { findLateRenewals } from '../../src/serve/late-renewals.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createEvents } from '../../src/support/events.ts'
import { anEntry, HOUR_MS, NOW_MS, THREE_DAYS } from '../helpers/builders.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

it('neither late nor dead nor work to come is a reference that the settings no longer renew', async () => {
  const manifest = createMemoryManifest()
  const file = anEntry({ path: 'file.jpg', ageHours: 60 })
  const references = Array.from({ length: 1001 }, (_, number) =>
    anEntry({ path: `reference ${number}.jpg`, ageHours: 60, origin: 'reference' }),
  )
  await manifest.commit([file, ...references].map((entry) => ({ kind: 'put-entry', entry })))
  const late = async (atMs: number) => {
    const circumstances = async () => undefined
    const deps = { manifest, lifetimeMs: THREE_DAYS.lifetimeMs, circumstances }
    return (await findLateRenewals(deps, atMs)).count
  }
  expect([await late(NOW_MS), await late(NOW_MS + 240 * HOUR_MS)]).toEqual([1002, 1002])
  await letGoOfReferences(manifest)
  expect([await late(NOW_MS), await late(NOW_MS + 240 * HOUR_MS)]).toEqual([1, 1])
  expect((await manifest.workload()).reduce((sum, { count }) => sum + count, 0)).toBe(1)
  expect(await manifest.findEntry(file.path)).toEqual(file)
  const [first] = references
  expect(first && (await manifest.findEntry(first.path))).toEqual({
    ...first,
    renewAtMs: undefined,
  })
})

it.each([
  [true, 1],
  [false, 0],
])('the engine begins with that when `references.renew` is %s', async (renew, count) => {
  const folder = await createTempFolder('media')
  const state = await createTempFolder('state')
  const corpId = 'ww0123456789abcdef'
  const shared = { clock: systemClock, command: 'test' }
  const before = await openLowdbManifest({
    ...shared,
    directory: state,
    corpId,
    emit: () => {},
    lock: 'exclusive',
  })
  await before.commit([{ kind: 'put-entry', entry: anEntry({ origin: 'reference' }) }])
  await before.close()
  const text = `
wecom: { corpId: ${corpId}, secret: not-a-secret, baseUrl: "http://127.0.0.1:9" }
folder: { path: ${folder} }
state: ${state}
references: { renew: ${renew} }
`
  const config = parseConfig({ text, file: '/etc/mirror/config.yaml', shownAs: 'config.yaml' }, {})
  const onBug = (error: unknown) => {
    throw error
  }
  const deps = { env: {}, random: Math.random, events: createEvents(), isWatched: false }
  const closers: Closers = []
  const { manifest } = await createEngine(config, { ...shared, ...deps, onBug }, closers)
  expect(await manifest.findDue({ untilMs: Infinity }, 10)).toHaveLength(count)
  for (const close of closers.reverse()) await close()
})
