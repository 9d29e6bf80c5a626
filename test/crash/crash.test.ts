// The real program, killed: what it has promised holds after every restart. The long form is test/long/crash.test.ts.
import { randomInt } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createTempName } from '../../src/media/temp-name.ts'
import { systemClock } from '../../src/support/clock.ts'
import { contentOf } from '../helpers/hosts.ts'
import { createSite } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { planDeaths } from './deaths.ts'
import { crash, DYING } from './rounds.ts'
import { findTemporaries } from './verdict.ts'

it('keeps every promise through twenty-five deaths, one at each labelled point', async () => {
  const seed = randomInt(2 ** 31)
  const { missed, contents, uploads, ids, tellings, repeated } = await crash(seed, (chance) =>
    planDeaths(25, chance),
  )
  console.log(
    `seed ${seed}: ${contents} contents in ${uploads} uploads, ${ids} ids handed out, ${tellings} tellings, ${repeated} of them again`,
  )
  const what = `seed ${seed}`
  expect(missed, what).toEqual([])
  expect(ids, what).toBeGreaterThan(25)
  expect(tellings, what).toBeGreaterThan(ids)
  expect(uploads / contents, what).toBeLessThanOrEqual(1.1)
}, 300_000)

it('begins with nothing that was left unfinished, wherever it lies', async () => {
  const { baseUrl } = await withSimulator({ clock: systemClock })
  const site = await createSite(baseUrl)
  await site.run('sync')
  for (const name of ['manifest.json.tmp', 'manifest.previous.json.tmp', 'calls.json.new'])
    await writeFile(join(site.state, name), '{')
  await site.write(createTempName('0123'), aPng())
  expect(await findTemporaries(site)).toHaveLength(4)
  // Nothing to upload, nothing to record: none of them is finished by the way.
  const daemon = await site.startDaemon()
  expect(await findTemporaries(site)).toEqual([])
  await daemon.stop()
})

it('brings a landing to its end in one pass that a death cut off after the file was in its place', async () => {
  const { baseUrl, controls } = await withSimulator({ clock: systemClock })
  const site = await createSite(baseUrl)
  const daemon = site.launch([DYING, 'renamed, landing not recorded as done'])
  await daemon.saw('ready')
  daemon.signal('SIGUSR2')
  const mediaId = await controls.addMedia({ kind: 'image', wireName: 'a.png', content: aPng() })
  expect((await site.run('pull', mediaId, '--to', 'asked for/a.png')).code).toBe(69)
  expect((await daemon.ended()).code).toBe(null)

  expect((await site.run('sync')).stdout).toContain('1 landed')
  expect((await site.run('pull', mediaId)).stdout).toBe('asked for/a.png\n')
  expect(await readdir(join(site.folder, 'asked for'))).toEqual(['a.png'])
  expect(controls.counts().upload).toBe(0)
})

it('brings what another host has, also where a death came between its entry and its file', async () => {
  const { baseUrl } = await withSimulator({ clock: systemClock })
  const [site, other] = [await createSite(baseUrl), await createSite(baseUrl)]
  await site.configure({
    folder: { onDelete: 'forget' },
    references: { files: [join(other.state, 'manifest.json')] },
  })
  const daemon = site.launch([DYING, 'landing recorded, not renamed'])
  await daemon.saw('ready')
  daemon.signal('SIGUSR2')
  await other.write('a.png', aPng())
  expect((await other.run('sync')).code).toBe(0)
  expect((await daemon.ended()).code).toBe(null)

  // The first pass finds an entry without a file, which is not for a deletion.
  for (const _ of [1, 2]) expect((await site.run('sync')).code).toBe(0)
  expect(await contentOf(site)).toEqual(await contentOf(other))
})
