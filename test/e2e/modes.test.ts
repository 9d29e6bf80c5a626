// Who may read what the real program writes, whatever the umask: the state is its own, the document is for whom the configuration
// says, and what it downloads is like any other file.
import { existsSync } from 'node:fs'
import { chmod, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite } from '../helpers/program.ts'
import { aJpg } from '../helpers/samples.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const modeOf = async (path: string) => `0${((await stat(path)).mode & 0o777).toString(8)}`

/** Looks again where a journal made way for the next one meanwhile. */
async function modesIn(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).sort()
  try {
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await modeOf(join(directory, name))])),
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return modesIn(directory)
  }
}

/** A daemon with two generations, a journal and everything else it writes. */
async function runOne(umask: number, settings = {}) {
  const wecom = await withSimulator({ clock: systemClock })
  const site = await createSite(wecom.baseUrl, settings)
  const before = process.umask(umask)
  onTestFinished(() => void process.umask(before))
  const begin = async () => {
    await site.write('d/a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    await rm(join(site.folder, 'd'), { recursive: true })
    await daemon.saw('restored')
    await until(() => existsSync(join(site.state, 'manifest.previous.json')))
    return daemon
  }
  return { site, begin }
}

it.each([0o000, 0o077])(
  'under umask %o the state is closed to others, and the document open to the group',
  async (umask) => {
    const { site, begin } = await runOne(umask)
    const daemon = await begin()
    const {
      'manifest.json': document,
      'manifest.previous.json': previous,
      ...rest
    } = await modesIn(site.state)
    expect([document, previous, await modeOf(site.state)]).toEqual(['0640', '0640', '0750'])
    expect(Object.keys(rest)).toEqual(
      expect.arrayContaining(['daemon.sock', 'lock', 'lock.json', 'calls.json']),
    )
    expect(Object.keys(rest).some((name) => name.startsWith('manifest.journal.'))).toBe(true)
    expect(rest).toEqual(Object.fromEntries(Object.keys(rest).map((name) => [name, '0600'])))
    const ordinary = (bits: number) => `0${(bits & ~umask).toString(8)}`
    expect(await modeOf(join(site.folder, 'd'))).toBe(ordinary(0o777))
    expect(await modeOf(join(site.folder, 'd/a.jpg'))).toBe(ordinary(0o666))
    await daemon.stop()
  },
  60_000,
)

it('a document for the daemon alone lies in a directory for it alone; one that was there stays as it is', async () => {
  const { site } = await runOne(0o000, { manifest: { mode: '0600' } })
  await site.run('sync')
  expect((await modesIn(site.state))['manifest.json']).toBe('0600')
  expect(await modeOf(site.state)).toBe('0700')
  await chmod(site.state, 0o710)
  await site.configure({ manifest: { mode: '0644' } })
  await site.write('a.jpg', aJpg())
  await site.run('sync')
  expect((await modesIn(site.state))['manifest.json']).toBe('0644')
  expect(await modeOf(site.state)).toBe('0710')
}, 60_000)
