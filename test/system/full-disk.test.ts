// The real program on disks that are full: a small file system in a mount namespace of its own. Needs root, or user namespaces.
import { execFile } from 'node:child_process'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, type Daemon, ofPath, type Site } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const exec = promisify(execFile)
/** It is asked ever more rarely whether there is room, up to twice a minute; the document is tried again once a minute. */
vi.setConfig({ testTimeout: 200_000 })
const live = () => withSimulator({ clock: systemClock })

interface Status {
  media: { alive: number; total: number }
  problems: { path: string }[]
  troubles: { of: string; message: string; hint: string }[]
}

/** From now on the site's directory is a file system of this size, as the daemon sees it. */
function shrink(site: Site, directory: string, size: string) {
  const script = 'mkdir -p "$0" && mount -t tmpfs -o size="$1" tmpfs "$0" && shift && exec "$@"'
  site.runUnder(
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, directory, size],
  )
}

/** What a daemon sees, as paths of ours; and commands that see the same. */
function insideOf(site: Site, daemon: Daemon) {
  const enter = ['--target', String(daemon.pid), '--mount']
  site.runUnder('nsenter', ...enter)
  const at = (path: string) => join(`/proc/${daemon.pid}/root`, path)
  return {
    at,
    /** To the last byte. */
    async fill(directory: string) {
      await writeFile(at(join(directory, '.filler')), Buffer.alloc(2 ** 26)).catch(() => undefined)
    },
    free: (directory: string) => rm(at(join(directory, '.filler'))),
    remount: (directory: string, mode: 'ro' | 'rw') =>
      exec('nsenter', [...enter, 'mount', '-o', `remount,${mode}`, directory]),
  }
}

const count = (daemon: Daemon, event: string, of?: string) =>
  daemon.lines.filter((line) => line.event === event && (of === undefined || line.of === of)).length

describe('a full disk of the state directory', () => {
  it('stops all calls, is told once, shows in the status, and costs nothing when it is over', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('before.png', aPng(101))
    shrink(site, site.state, '512k')
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded', ofPath('before.png'))
    const inside = insideOf(site, daemon)
    await inside.fill(site.state)
    const names = Array.from({ length: 40 }, (_, number) => `${number}.png`)
    for (const [number, name] of names.entries()) await site.write(name, aPng(110 + number))
    await daemon.saw('disk-failed', (line) => line.of === 'state')
    // A few fitted into the last block of the journal.
    const came = (event: string, name: string) =>
      daemon.lines.some((line) => line.event === event && ofPath(name)(line))
    const isOver = (name: string) => came('uploaded', name) || came('step-postponed', name)
    await until(() => names.every(isOver), { what: 'the end of every step' })
    const waiting = names.filter((name) => !came('uploaded', name))
    const calls = wecom.controls.counts().upload
    expect(calls).toBeLessThan(names.length)

    const status = await site.ask<Status>('status')
    expect(status.media.alive).toBe(1 + names.length - waiting.length)
    expect(status.troubles.map(({ of }) => of)).toContain('state')
    expect(status.troubles.at(-1)?.hint).toContain('free space')
    expect((await site.run('id', 'before.png')).code).toBe(0)
    const asked = await site.run('id', waiting[0] ?? '')
    expect([asked.code, asked.stderr]).toEqual([3, expect.stringContaining('no space is left')])
    expect(count(daemon, 'disk-failed')).toBe(1)
    expect(
      daemon.lines.filter(({ level, event }) => level === 'warn' && event === 'step-postponed'),
    ).toEqual([])

    expect(wecom.controls.counts().upload).toBe(calls)

    await inside.free(site.state)
    await daemon.saw('disk-recovered', undefined, 40_000)
    for (const name of names) await daemon.saw('uploaded', ofPath(name))
    // Not one more than there are files: what came in when the disk failed was kept until it could be recorded.
    expect(wecom.controls.counts().upload).toBe(1 + names.length)
    await daemon.saw('document-written', (line) => line.failedForMs !== undefined, 70_000)
    expect((await site.ask<Status>('status')).troubles).toEqual([])
    expect((await daemon.stop()).code).toBe(0)
  })

  it('does not keep a daemon from starting, nor from ending', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('a.png', aPng(101))
    const script = `mkdir -p "$0" && mount -t tmpfs -o size=256k tmpfs "$0" && "$@"; head -c 1M /dev/zero >"$0/.filler" 2>/dev/null; echo '{"event":"second","level":"info","message":""}'; exec "$@"`
    site.runUnder(
      ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, site.state],
    )
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded', ofPath('a.png'))
    // Of the first of the two: the shell waits for it.
    const { stdout } = await exec('pgrep', ['-P', String(daemon.pid)])
    process.kill(Number(stdout), 'SIGKILL')
    await daemon.saw('second')
    const isSecond = (event: string) => () => count(daemon, event) === 2
    await daemon.saw('ready', isSecond('ready'))
    await site.write('b.png', aPng(102))
    await daemon.saw('disk-failed')
    expect((await daemon.stop()).code).toBe(0)
  })
})

describe('a disk of the folder that takes nothing', () => {
  it('stops downloads and nothing else, and is over by itself', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const elsewhere = await createSite(wecom.baseUrl)
    const names = Array.from({ length: 4 }, (_, number) => `${number}.bin`)
    for (const [number, name] of names.entries())
      await elsewhere.write(name, Buffer.alloc(200_000, number + 1))
    await elsewhere.run('sync')
    const ids = Object.values((await elsewhere.document()).media).map((entry) =>
      String(entry.media_id),
    )

    shrink(site, site.folder, '4m')
    const daemon = await site.startDaemon()
    const inside = insideOf(site, daemon)
    // As the kernel does after a fault of the disk.
    await inside.remount(site.folder, 'ro')
    const [first = '', ...others] = ids
    const pulled = await site.run('pull', first, '--json')
    expect(JSON.parse(pulled.stdout)).toMatchObject({ kind: 'accepted' })
    expect(pulled.stdout).toContain('read-only')
    const calls = wecom.controls.counts().get
    await Promise.all(others.map((id) => site.run('pull', id)))
    expect(wecom.controls.counts().get).toBe(calls)
    expect(count(daemon, 'disk-failed')).toBe(1)
    const { troubles, problems } = await site.ask<Status>('status')
    expect(troubles).toMatchObject([{ of: 'folder' }])
    expect(problems).toEqual([])
    await inside.remount(site.folder, 'rw')
    await daemon.saw('disk-recovered', undefined, 40_000)
    for (const id of ids)
      await daemon.saw('landed', (line) => (line.entry as { mediaId: string }).mediaId === id)
    await daemon.stop()
  })
})

describe('too many open files', () => {
  it('stops transfers and nothing else, is no fault of any file, and is over by itself', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('before.png', aPng(101))
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded', ofPath('before.png'))
    const limit = (files: string) =>
      exec('prlimit', ['--pid', String(daemon.pid), `--nofile=${files}`])
    // No number above those that are open is free.
    const open = (await readdir(`/proc/${daemon.pid}/fd`)).map(Number)
    await limit(`${open.findLast((fd, at) => fd === at) ?? 0}:1024`)
    await site.write('during.png', aPng(102))
    await daemon.saw('disk-failed', (line) => line.of === 'handles' || line.of === 'state')
    // Whoever asks meanwhile may find no open door; the daemon stands.
    await site.run('status')
    await limit('1024:1024')
    await daemon.saw('disk-recovered', undefined, 40_000)
    await daemon.saw('uploaded', ofPath('during.png'), 40_000)
    expect((await site.ask<Status>('status')).problems).toEqual([])
    expect((await stat(join(site.state, 'manifest.json'))).size).toBeGreaterThan(0)
    expect((await daemon.stop()).code).toBe(0)
  })
})
