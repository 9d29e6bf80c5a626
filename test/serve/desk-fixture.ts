// A desk on a folder of its own, with a manifest in memory; what a test does not name does nothing.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createLocalDesk, type LocalDeskDeps } from '../../src/serve/local-desk.ts'
import { createEvents } from '../../src/support/events.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

export async function createDeskFixture(wish: Partial<LocalDeskDeps> = {}) {
  const folder = await createTempFolder('folder')
  const manifest = createMemoryManifest()
  const clock = createFakeClock()
  const events = createEvents()
  const desk = createLocalDesk({
    manifest,
    setUp: { corpId: 'ww-test', folder, state: '/nowhere', notAvailableYet: [] },
    clock,
    events,
    live: async () => ({
      startedAtMs: clock.nowMs(),
      pid: 1,
      missing: 0,
      queue: { waiting: 0, in_flight: [] },
      circuit: { kind: 'closed' },
      doubt: null,
      clockSkewMs: 0,
    }),
    preview: async () => [],
    mirror: () => Promise.reject(new Error('no pass was expected')),
    missing: async () => new Set(),
    requestLanding: () => {},
    circuitError: () => undefined,
    queue: { withdraw: () => {}, whenFree: async () => {} },
    deleteFile: (path) => rm(join(folder, path), { force: true }),
    ...wish,
  })
  return { desk, folder, manifest, clock, events }
}
