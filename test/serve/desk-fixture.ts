// A desk on a folder of its own, with a manifest in memory; what a test does not name does nothing.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { measureCapacity } from '../../src/plan/capacity.ts'
import { createAcceptance } from '../../src/references/acceptance.ts'
import { createLocalDesk, type LocalDeskDeps } from '../../src/serve/local-desk.ts'
import type { Circumstances } from '../../src/serve/prospect.ts'
import type { LiveFacts } from '../../src/serve/status.ts'
import { createArrivals } from '../../src/support/arrivals.ts'
import { createEvents } from '../../src/support/events.ts'
import { NOW_MS, THREE_DAYS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

export async function createDeskFixture(wish: Partial<LocalDeskDeps> = {}) {
  const folder = await createTempFolder('folder')
  const manifest = createMemoryManifest()
  const clock = createFakeClock()
  const events = createEvents()
  const arrivals = createArrivals()
  const acceptance = createAcceptance({
    manifest,
    clock,
    emit: events.emit,
    requestLanding: () => {},
  })
  const desk = createLocalDesk({
    manifest,
    setUp: { corpId: 'ww-test', folder, state: '/nowhere', notAvailableYet: [] },
    clock: { ...clock, skewMs: () => 0 },
    events,
    capacity: async () =>
      measureCapacity(
        { count: 0, sizeBytes: 0 },
        { callsPerHour: 75_000, bytesPerSecond: undefined },
        THREE_DAYS,
      ),
    lifetimeMs: THREE_DAYS.lifetimeMs,
    circumstances: async () => calm(),
    onVainLookUp: () => {},
    live: async () => LIVE,
    preview: async () => [],
    mirror: () => Promise.reject(new Error('no pass was expected')),
    missing: async () => new Set(),
    arrivals,
    accept: acceptance.accept,
    circuitError: () => undefined,
    queue: { withdraw: () => {}, whenFree: async () => {} },
    deleteFile: (path) => rm(join(folder, path), { force: true }),
    ...wish,
  })
  return { desk, folder, manifest, clock, events, arrivals }
}

/** A daemon that has nothing to do. */
export const LIVE: LiveFacts = {
  startedAtMs: NOW_MS,
  pid: 1,
  missing: 0,
  queue: { waiting: 0, in_flight: [] },
  circuit: { kind: 'closed' },
  doubt: null,
  troubles: [],
  renewals: { pace: 0, pressure: 0, waiting: 0, waiting_dead: 0 },
}

/** A daemon to which nothing has happened, and a file that is not there. */
export const calm = (wish: Partial<Circumstances> = {}): Circumstances => ({
  file: 'gone',
  doubt: undefined,
  circuit: undefined,
  place: 'nowhere',
  queue: { waiting: 0, takesMs: 0 },
  lastError: undefined,
  retriedWithinMs: 20_000,
  ...wish,
})
