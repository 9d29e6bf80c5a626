// The real program while its folder is unmounted, replaced or closed, or the system lets it watch no more: nothing is given up, and
// what happened meanwhile is found. Mounts and limits are made in a namespace, for the program alone.
import { execFile, spawnSync } from 'node:child_process'
import { chmod, chown, cp, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, type Daemon, type LogLine, ofPath, type Site } from '../helpers/program.ts'
import { aJpg, aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const exec = promisify(execFile)
const MARKER = '.wecom-media-mirror'
const live = () => withSimulator({ clock: systemClock })

interface Status {
  doubt: { because: string } | null
  media: { total: number; missing: number }
}

/** Two more passes that may act on what is missing have been planned. */
async function twoTicks({ saw, lines }: Daemon) {
  for (let tick = 0; tick < 2; tick++) {
    const seen = new Set(lines)
    await saw('pass-planned', (line) => !seen.has(line) && `${line.because}`.includes('restore'))
  }
}

async function untilStatus(site: Site, isSo: (status: Status) => boolean): Promise<Status> {
  for (let look = 0; look < 30; look++) {
    const status = await site.ask<Status>('status')
    if (isSo(status)) return status
  }
  throw new Error(`not so: ${(await site.run('status')).stdout}`)
}

const forgets = { folder: { onDelete: 'forget', rescan: '1s' } }

const canUnshare = (flags: string, script: string) =>
  spawnSync('unshare', [flags, 'sh', '-c', script]).status === 0

describe.skipIf(!canUnshare('-Urm', 'mount -t tmpfs none /mnt'))('a mounted folder', () => {
  /** A tmpfs in the program's own namespace, filled from `source`. */
  async function aMountedSite(count: number) {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, forgets)
    const source = `${site.folder}-source`
    await mkdir(source)
    for (let number = 0; number < count; number++)
      await writeFile(join(source, `${number}.png`), aPng(100 + number))
    const mount = `mount -t tmpfs none '${site.folder}' && cp -a '${source}/.' '${site.folder}'`
    site.runUnder('unshare', '-Urm', 'sh', '-c', `${mount} && exec "$@"`, 'sh')
    const daemon = await site.startDaemon()
    for (let number = 0; number < count; number++)
      await daemon.saw('uploaded', ofPath(`${number}.png`))
    // What only looks from here on needs no mount of its own.
    site.runUnder()
    const inside = (script: string) =>
      exec('nsenter', [
        '-t',
        `${daemon.pid}`,
        '-U',
        '-m',
        '--preserve-credentials',
        'sh',
        '-c',
        script,
      ])
    /** The folder as the program sees it. */
    const seen = `/proc/${daemon.pid}/root${site.folder}`
    return { wecom, site, daemon, mount, inside, seen, source }
  }

  it('is unmounted: nothing is forgotten; mounted anew, with other inodes, nothing is uploaded again and what is new is found', async () => {
    const { wecom, site, daemon, mount, inside, seen, source } = await aMountedSite(3)
    await cp(join(seen, MARKER), join(source, MARKER))
    await inside(`umount '${site.folder}'`)
    expect((await daemon.saw('folder-doubted')).message).toContain('lost its marker')
    await twoTicks(daemon)
    expect((await site.run('id', '0.png', '2.png')).code).toBe(0)
    await inside(mount)
    await daemon.saw('folder-believed')
    await writeFile(join(seen, 'new.jpg'), aJpg())
    await daemon.saw('uploaded', ofPath('new.jpg'))
    await twoTicks(daemon)
    await daemon.stop()
    expect(Object.keys((await site.document()).media)).toEqual([
      '0.png',
      '1.png',
      '2.png',
      'new.jpg',
    ])
    expect(wecom.controls.counts()).toMatchObject({ upload: 4 })
  })

  it('is covered by an empty one that has a marker as well: that waits for a word, until the files are back', async () => {
    const { wecom, site, daemon, inside } = await aMountedSite(21)
    await inside(`mount -t tmpfs none '${site.folder}' && touch '${site.folder}/${MARKER}'`)
    const { doubt } = await untilStatus(site, (status) => status.doubt !== null)
    expect(doubt?.because).toContain('21 files are gone')
    await twoTicks(daemon)
    await inside(`umount '${site.folder}'`)
    await untilStatus(site, (status) => status.doubt === null && status.media.missing === 0)
    await twoTicks(daemon)
    await daemon.stop()
    expect(Object.keys((await site.document()).media)).toHaveLength(21)
    expect(wecom.controls.counts()).toMatchObject({ upload: 21 })
  })
})

describe('a folder', () => {
  it('that may not be read any more is doubted, and believed when it may again', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, forgets)
    await site.write('a.jpg', aJpg())
    if (process.getuid?.() === 0) {
      // To root nothing is closed.
      await site.runAs(65_534)
      for (const path of ['', 'a.jpg']) await chown(join(site.folder, path), 65_534, 65_534)
    }
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    await chmod(site.folder, 0)
    expect((await daemon.saw('folder-doubted')).message).toContain('cannot be read')
    await twoTicks(daemon)
    await chmod(site.folder, 0o755)
    await daemon.saw('folder-believed')
    await site.write('b.png', aPng())
    await daemon.saw('uploaded', ofPath('b.png'))
    await daemon.stop()
    expect(Object.keys((await site.document()).media)).toEqual(['a.jpg', 'b.png'])
    expect(wecom.controls.counts()).toMatchObject({ upload: 2 })
  })

  it('most of whose files vanish waits for a word, also over a restart, until they are back', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, forgets)
    for (let number = 0; number < 24; number++)
      await site.write(`d/${number}.png`, aPng(100 + number))
    await site.write('kept.jpg', aJpg())
    const first = await site.startDaemon()
    for (let number = 0; number < 24; number++)
      await first.saw('uploaded', ofPath(`d/${number}.png`))
    await rename(join(site.folder, 'd'), `${site.folder}-aside`)
    await untilStatus(site, (status) => status.doubt !== null)
    await first.stop()
    const second = await site.startDaemon()
    await twoTicks(second)
    expect((await site.ask<Status>('status')).doubt?.because).toContain('24 files are gone')
    await rename(`${site.folder}-aside`, join(site.folder, 'd'))
    await untilStatus(site, (status) => status.doubt === null)
    await twoTicks(second)
    await second.stop()
    expect(Object.keys((await site.document()).media)).toHaveLength(25)
    expect(wecom.controls.counts()).toMatchObject({ upload: 25 })
  }, 40_000)

  it('whose directories are all renamed, as by another branch of git, keeps every id and uploads nothing', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, forgets)
    for (let number = 0; number < 30; number++)
      await site.write(`${number % 3}/deep/${number}.png`, aPng(100 + number))
    const daemon = await site.startDaemon()
    const before: string[] = []
    for (let number = 0; number < 30; number++)
      before.push(idIn(await daemon.saw('uploaded', ofPath(`${number % 3}/deep/${number}.png`))))
    for (const name of ['0', '1', '2'])
      await rename(join(site.folder, name), join(site.folder, `renamed-${name}`))
    const after: string[] = []
    for (let number = 0; number < 30; number++)
      after.push(
        idIn(await daemon.saw('renamed', ofPath(`renamed-${number % 3}/deep/${number}.png`))),
      )
    expect(after).toEqual(before)
    await twoTicks(daemon)
    await daemon.stop()
    expect(daemon.lines.filter(({ event }) => event === 'folder-doubted')).toEqual([])
    expect(wecom.controls.counts()).toMatchObject({ upload: 30 })
    const paths = Object.keys((await site.document()).media)
    expect(paths.every((path) => path.startsWith('renamed-'))).toBe(true)
    expect(paths).toHaveLength(30)
  })
})

const idIn = ({ entry }: LogLine) => (entry as { mediaId: string }).mediaId

describe.skipIf(!canUnshare('-Ur', 'echo 100 > /proc/sys/user/max_inotify_watches'))(
  'where the system lets it watch no more',
  () => {
    it.each([
      ['echo 10 > /proc/sys/user/max_inotify_watches', 'fs.inotify.max_user_watches'],
      ['echo 0 > /proc/sys/user/max_inotify_instances', 'fs.inotify.max_user_instances'],
    ])('(%s) the program says so, and scans go on', async (limit, setting) => {
      const wecom = await live()
      const site = await createSite(wecom.baseUrl, { folder: { rescan: '1s' } })
      for (let number = 0; number < 30; number++) await site.write(`${number}/a.jpg`, aJpg())
      site.runUnder('unshare', '-Ur', 'sh', '-c', `${limit} && exec "$@"`, 'sh')
      const daemon = await site.startDaemon()
      const told = await daemon.saw('watch-degraded')
      expect(told.level).toBe('warn')
      expect(`${told.message} ${told.hint}`).toContain(setting)
      for (let number = 0; number < 30; number++) await site.write(`${number}/b.png`, aPng())
      for (let number = 0; number < 30; number++)
        await Promise.race(
          ['uploaded', 'shared'].map((event) => daemon.saw(event, ofPath(`${number}/b.png`))),
        )
      await rm(join(site.folder, '7/a.jpg'))
      await daemon.saw('restored', ofPath('7/a.jpg'))
      expect(daemon.lines.filter(({ event }) => event === 'watch-degraded')).toHaveLength(1)
      expect((await daemon.stop()).code).toBe(0)
    })
  },
)
