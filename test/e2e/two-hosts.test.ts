// Two real daemons on one WeCom, each given the other's manifest: they come to the same folder, and one upload serves both.
import { randomInt } from 'node:crypto'
import { rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { killTwoHosts } from '../crash/two-hosts.ts'
import { carryManifest, contentOf, converge, idsOf } from '../helpers/hosts.ts'
import { createSite } from '../helpers/program.ts'
import { aJpg, aPdf, aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

it('two hosts come to one folder, apart and together again, with one upload for each content', async () => {
  const wecom = await withSimulator({ clock: systemClock })
  const [a, b] = [await createSite(wecom.baseUrl), await createSite(wecom.baseUrl)]
  /** What B sees of A: a copy that somebody brings, or does not. */
  const carried = join(b.state, '..', 'a-manifest.json')
  let isApart = false
  const carrying = setInterval(() => {
    if (!isApart) carryManifest(a, carried).catch(() => {})
  }, 300)
  onTestFinished(() => clearInterval(carrying))
  await a.write('a.jpg', aJpg())
  await a.write('deep/b.pdf', aPdf())
  await b.write('c.png', aPng())
  await a.configure({ references: { files: [join(b.state, 'manifest.json')] } })
  await b.configure({ references: { files: [carried] } })
  const [daemonA, daemonB] = await Promise.all([a.startDaemon(), b.startDaemon()])
  await converge([a, b], (content) => Object.keys(content).length === 3)
  expect(wecom.controls.counts()).toMatchObject({ upload: 3, get: 3 })

  // Apart: B hears nothing of A any more, A sees what B does; both change the same file, each another one as well.
  isApart = true
  await daemonA.stop()
  await a.write('a.jpg', aJpg(1000))
  await a.write('only-a.png', aPng(200))
  await b.write('a.jpg', aJpg(2000))
  await utimes(join(b.folder, 'a.jpg'), 2_000_000_000, 2_000_000_000)
  await daemonB.saw('uploaded', (line) => JSON.stringify(line.entry).includes('a.jpg'))
  await rename(join(b.folder, 'deep/b.pdf'), join(b.folder, 'deep/renamed.pdf'))
  await daemonB.saw('renamed')

  // Together again.
  const again = await a.startDaemon()
  isApart = false
  const is = aJpg(2000).toString('base64')
  // Renames are not carried over: the old name stays where it was, and does not come back where it was given up.
  const merged = await converge(
    [a, b],
    (content) => content['a.jpg'] === is && Object.keys(content).length === 5,
    'deep/b.pdf',
  )
  const conflict = Object.keys(merged).find((path) => path.includes('conflict')) ?? ''
  expect(merged[conflict]).toBe(aJpg(1000).toString('base64'))
  expect(Object.keys(merged).sort()).toEqual(
    [conflict, 'a.jpg', 'c.png', 'deep/renamed.pdf', 'only-a.png'].sort(),
  )
  expect(Object.keys(await contentOf(b))).not.toContain('deep/b.pdf')
  expect(Object.keys(await contentOf(a))).toContain('deep/b.pdf')
  await Promise.all([again.stop(), daemonB.stop()])
  // Six contents were ever there, and six uploads made.
  expect(wecom.controls.counts()).toMatchObject({ upload: 6 })
  const [inA, inB] = [await idsOf(a), await idsOf(b)]
  for (const [path, id] of Object.entries(inB)) expect(inA[path], path).toBe(id)
}, 90_000)

it('lands what a list names, tells what it cannot have, and keeps what it has', async () => {
  const wecom = await withSimulator({ clock: systemClock })
  const site = await createSite(wecom.baseUrl)
  const peer = await createSite(wecom.baseUrl)
  await peer.write('x.pdf', aPdf())
  expect((await peer.run('sync')).code).toBe(0)
  const { 'x.pdf': id } = await idsOf(peer)
  const list = join(site.state, '..', 'list.yaml')
  await writeFile(list, `- { media_id: ${id}, path: in/x.pdf }\n- { media_id: no-such-id }\n- {}\n`)
  await site.configure({ references: { files: [list] } })
  const sync = await site.run('sync')
  expect(sync.code).toBe(1)
  expect(await contentOf(site)).toEqual({ 'in/x.pdf': aPdf().toString('base64') })
  const references = await site.ask<{ media_id: string; state: string }[]>('list', '--references')
  expect(references).toMatchObject([
    { media_id: 'no-such-id', state: 'lost' },
    { media_id: id, state: 'landed', landed_path: 'in/x.pdf' },
  ])
}, 60_000)

it('two hosts killed at random come to the same, and lose nothing that anybody wrote', async () => {
  const seed = randomInt(2 ** 31)
  const { written, files, conflicts, contents, uploads } = await killTwoHosts(seed, 3).catch(
    (error: unknown) => {
      throw new Error(`seed ${seed}: ${error}`, { cause: error })
    },
  )
  console.log({ seed, written, files, conflicts, contents, uploads })
  expect(uploads / contents, `seed ${seed}`).toBeLessThanOrEqual(1.2)
}, 180_000)
