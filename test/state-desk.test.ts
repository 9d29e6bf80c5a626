// Those who look at a state while no daemon runs go by the service's clock all the same, as the last daemon knew it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseConfig } from '../src/config/load.ts'
import { openLowdbManifest } from '../src/manifest/lowdb-manifest.ts'
import { openStateDesk } from '../src/state-desk.ts'
import { anEntry, HOUR_MS, NOW_MS } from './helpers/builders.ts'
import { createFakeClock } from './helpers/fake-clock.ts'
import { createTempFolder } from './helpers/temp-folder.ts'

/** A state with one medium that dies in two hours; `clock` is what stands in `clock.json`. */
async function aDesk(clock?: { skew_ms: number; at: string }) {
  const [folder, state] = [await createTempFolder('folder'), await createTempFolder('state')]
  const text = JSON.stringify({
    wecom: { corpId: 'ww-test', secret: 'secret' },
    folder: { path: folder },
    state,
  })
  const config = parseConfig({ text, file: join(state, '../config.yaml'), shownAs: 'test' }, {})
  const manifest = await openLowdbManifest({
    directory: state,
    corpId: 'ww-test',
    clock: createFakeClock(NOW_MS),
    emit: () => {},
    lock: 'exclusive',
    command: 'test',
  })
  await manifest.commit([{ kind: 'put-entry', entry: anEntry({ ageHours: 70 }) }])
  await manifest.close()
  if (clock) await writeFile(join(state, 'clock.json'), JSON.stringify(clock))
  return openStateDesk(config, createFakeClock(NOW_MS))
}
const iso = (atMs: number) => new Date(atMs).toISOString()

it('what lives by this machine and by the service is handed out', async () => {
  const desk = await aDesk({ skew_ms: 0, at: iso(NOW_MS - HOUR_MS) })
  expect(await desk.lookUp('a.jpg')).toMatchObject({
    kind: 'live',
    media: { safe_for_ms: 2 * HOUR_MS - 5_000 },
  })
})

it.each([
  ['was three hours ahead', { skew_ms: 3 * HOUR_MS, at: iso(NOW_MS - HOUR_MS) }],
  ['has reached a later time already', { skew_ms: 0, at: iso(NOW_MS + 3 * HOUR_MS) }],
])('what is dead to a service that %s is not', async (_, clock) => {
  const desk = await aDesk(clock)
  expect(await desk.lookUp('a.jpg')).toMatchObject({
    kind: 'not-live',
    because: expect.stringContaining('no daemon is running'),
    expected_back_at: null,
  })
  expect(await desk.list()).toMatchObject([{ alive: false, media_id: null }])
  expect((await desk.status()).media).toMatchObject({ alive: 0, expired: 1 })
})

it('the status tells capacity and what is late without a daemon, too', async () => {
  const { capacity, late, problems, renewals } = await (await aDesk()).status()
  expect(capacity).toMatchObject({ media: { count: 1 }, fits: 'yes', advice: null })
  expect(late).toMatchObject({ count: 1, expired: 0 })
  expect(problems).toMatchObject([{ code: 'RENEWAL_LATE', path: 'a.jpg' }])
  expect(renewals).toBeNull()
})
