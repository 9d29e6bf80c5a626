// Another process swaps a directory of the folder for a link to outside, and back, without pause, while the real program uploads, restores
// and deletes in it: nothing of what lies outside is uploaded, written over or removed.
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { swapForLink } from '../helpers/link-swapper.ts'
import { createSite, ofPath } from '../helpers/program.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const CANARY = 'what lies outside of the folder'
const ROUNDS = 15

it('neither uploads, overwrites nor deletes what a swapped-in link leads to', async () => {
  const wecom = await withSimulator({ clock: systemClock })
  const site = await createSite(wecom.baseUrl, { folder: { settle: '0s' } })
  const outside = join(dirname(site.folder), 'outside')
  await mkdir(outside)
  const names = Array.from({ length: ROUNDS }, (_, number) => `${number}.txt`)
  for (const name of names) await writeFile(join(outside, name), `${CANARY} ${name}`)
  await site.write('d/0.txt', 'inside 0')
  const daemon = await site.startDaemon()
  await daemon.saw('uploaded')

  // Through the directory itself, wherever the attacker has put it.
  const directory = await open(join(site.folder, 'd'))
  const inside = (name: string) => `/proc/self/fd/${directory.fd}/${name}`
  const stopSwapping = await swapForLink(join(site.folder, 'd'), outside)
  for (const name of names) {
    await writeFile(inside(name), `inside ${name}`)
    await new Promise((resolve) => setTimeout(resolve, 40))
    await rm(inside(name), { force: true })
    // Wakes the daemon where the watch lost the directory.
    await site.write(`beside-${name}`, `beside ${name}`)
  }
  expect(
    (await site.run('forget', '--delete', 'd/0.txt', 'd/1.txt', 'd/2.txt')).stderr,
  ).not.toContain('bug')
  await stopSwapping()
  await directory.close()

  await site.write('d/last.txt', 'the attack is over')
  await daemon.saw('uploaded', ofPath('d/last.txt'))
  expect((await daemon.stop()).code).toBe(0)
  for (const name of names)
    expect(await readFile(join(outside, name), 'utf8')).toBe(`${CANARY} ${name}`)
  expect((await readdir(outside)).sort()).toEqual(names.sort())
  const stored = (await readdir(wecom.directory)).filter((name) => name.endsWith('.bin'))
  expect(stored.length).toBeGreaterThan(ROUNDS)
  for (const name of stored)
    expect(await readFile(join(wecom.directory, name), 'utf8')).not.toContain(CANARY)
}, 60_000)
