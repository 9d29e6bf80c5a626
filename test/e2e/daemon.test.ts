// The whole program as a child process against the simulator on a socket.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, ofPath } from '../helpers/program.ts'
import { aJpg, anAmr, anMp4, aPdf, aPng } from '../helpers/samples.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const live = () => withSimulator({ clock: systemClock })
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('the daemon', () => {
  it('uploads a first file of each kind, names as they are, and every id it writes is one that WeCom knows', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const media = {
      'a.jpg': [aJpg(), 'image'],
      'dir/b.png': [aPng(), 'image'],
      '语音 1.amr': [anAmr({ seconds: 3 }), 'voice'],
      'v.mp4': [anMp4(), 'video'],
      '报价 "终稿"\n✓.pdf': [aPdf(), 'file'],
    } as const
    for (const [path, [content]] of Object.entries(media)) await site.write(path, content)
    const daemon = await site.startDaemon()
    for (const path of Object.keys(media)) await daemon.saw('uploaded', ofPath(path))
    expect((await daemon.stop()).code).toBe(0)

    const document = await site.document()
    expect(Object.keys(document.media).sort()).toEqual(Object.keys(media).sort())
    const known = new Map(wecom.controls.media().map((medium) => [medium.mediaId, medium]))
    for (const [path, [content, kind]] of Object.entries(media)) {
      const entry = document.media[path] as Record<string, string>
      expect(entry).toMatchObject({
        type: kind,
        sha256: sha256(content),
        size: content.length,
        origin: 'folder',
      })
      expect(known.get(entry.media_id as never)).toMatchObject({ kind, sha256: sha256(content) })
      expect(Date.parse(entry.expires_at as string) - Date.parse(entry.created_at as string)).toBe(
        3 * 86_400_000,
      )
    }
  })

  it('sees what happens in the folder: a change, a rename, a new file while it runs', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const daemon = await site.startDaemon()
    await site.write('price.png', aPng())
    const first = await daemon.saw('uploaded', ofPath('price.png'))
    await site.write('price.png', aPng(5000))
    const second = await daemon.saw(
      'uploaded',
      (line) => ofPath('price.png')(line) && line.because === 'changed',
    )
    expect((second.entry as { mediaId: string }).mediaId).not.toBe(
      (first.entry as { mediaId: string }).mediaId,
    )

    await mkdir(join(site.folder, 'old'))
    await rename(join(site.folder, 'price.png'), join(site.folder, 'old', '价格.png'))
    const renamed = await daemon.saw('renamed')
    expect(renamed).toMatchObject({
      from: 'price.png',
      entry: { path: 'old/价格.png', mediaId: (second.entry as { mediaId: string }).mediaId },
    })
    expect(wecom.controls.counts()).toMatchObject({ upload: 2 })
    await daemon.stop()
    expect(Object.keys((await site.document()).media)).toEqual(['old/价格.png'])
  })

  it('shares one upload between paths with the same bytes', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    for (const path of ['a.png', 'b.png', 'c/d.png']) await site.write(path, aPng())
    const daemon = await site.startDaemon()
    for (const path of ['a.png', 'b.png', 'c/d.png'])
      await Promise.race([daemon.saw('uploaded', ofPath(path)), daemon.saw('shared', ofPath(path))])
    await daemon.stop()
    expect(wecom.controls.counts()).toMatchObject({ upload: 1 })
    const ids = Object.values((await site.document()).media).map((entry) => entry.media_id)
    expect(new Set(ids).size).toBe(1)
  })

  it('uploads nothing and reads nothing again after a restart', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    await daemon.stop()
    wecom.controls.clearCalls()
    const again = await site.startDaemon()
    await again.stop()
    expect(wecom.controls.calls()).toEqual([])
    expect(again.lines.filter((line) => line.event === 'unchanged')).toEqual([])
  })

  it('reads a file again that was only touched, and uploads nothing', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    await utimes(join(site.folder, 'a.jpg'), new Date(), new Date(Date.now() - 60_000))
    await daemon.saw('unchanged')
    await daemon.stop()
    expect(wecom.controls.counts()).toMatchObject({ upload: 1 })
  })

  it('renews across a lifetime: at every moment the document holds an id that WeCom accepts', async () => {
    const lifetimeMs = 4_000
    const wecom = await withSimulator({ clock: systemClock, mediaLifetimeMs: lifetimeMs })
    const site = await createSite(wecom.baseUrl, {
      renewal: { lifetime: '4s', before: '2s', spread: '0s' },
    })
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    const ids = new Set<string>()
    const endAtMs = Date.now() + 2.5 * lifetimeMs
    while (Date.now() < endAtMs) {
      const { code, stdout } = await site.run('id', 'a.jpg')
      expect(code).toBe(0)
      const id = stdout.trim()
      expect(wecom.controls.media().map((medium) => medium.mediaId)).toContain(id)
      ids.add(id)
    }
    await daemon.stop()
    expect(ids.size).toBeGreaterThanOrEqual(4)
  }, 30_000)

  it('restores a deleted file whole and as old as it was, under the same id', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const content = anMp4(3_000_000)
    await site.write('dir/v.mp4', content)
    const past = new Date(Date.now() - 3_600_000)
    await utimes(join(site.folder, 'dir/v.mp4'), past, past)
    const daemon = await site.startDaemon()
    const uploaded = await daemon.saw('uploaded')
    await rm(join(site.folder, 'dir'), { recursive: true })
    await daemon.saw('restored')
    expect(sha256(await readFile(join(site.folder, 'dir/v.mp4')))).toBe(sha256(content))
    expect((await stat(join(site.folder, 'dir/v.mp4'))).mtime.getTime()).toBeCloseTo(
      past.getTime(),
      -1,
    )
    await daemon.stop()
    expect(wecom.controls.counts()).toMatchObject({ upload: 1 })
    const { mediaId } = uploaded.entry as { mediaId: string }
    expect((await site.document()).media['dir/v.mp4']).toMatchObject({ media_id: mediaId })
  })

  it('forgets a deleted file when told to', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, { folder: { onDelete: 'forget' } })
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    await rm(join(site.folder, 'a.jpg'))
    await daemon.saw('forgotten')
    await daemon.stop()
    expect((await site.document()).media).toEqual({})
    expect(wecom.controls.counts().get ?? 0).toBe(0)
  })

  it('reports as lost what is gone on both sides', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    const { entry } = await daemon.saw('uploaded')
    await wecom.controls.killMedia((entry as { mediaId: string }).mediaId)
    await rm(join(site.folder, 'a.jpg'))
    await daemon.saw('lost')
    expect((await site.run('id', 'a.jpg')).code).toBe(3)
    await daemon.stop()
    expect((await site.document()).problems['a.jpg']).toMatchObject({ code: 'MEDIA_LOST' })
  })

  it('stops cleanly in mid-transfer, and the next run brings it to its end', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const stalled = wecom.controls.addFault({ when: { api: 'upload' }, fault: { kind: 'stall' } })
    await site.write('big.bin', Buffer.alloc(6_000_000, 1))
    const daemon = await site.startDaemon()
    await until(() => wecom.controls.calls().some((call) => call.api === 'upload'))
    const beganMs = Date.now()
    const { code } = await daemon.stop()
    expect(code).toBe(0)
    expect(Date.now() - beganMs).toBeLessThan(3000)
    expect((await site.document()).media).toEqual({})
    stalled()
    const again = await site.startDaemon()
    await again.saw('uploaded', ofPath('big.bin'))
    expect((await again.stop()).code).toBe(0)
  })

  it('reads its configuration again on SIGHUP, and keeps the old one when the new is bad', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const daemon = await site.startDaemon()
    await site.configure({ folder: { settle: 'soon' } })
    daemon.signal('SIGHUP')
    const refused = await daemon.saw('config-refused')
    expect(refused.message).toContain('settle')
    await site.configure({ folder: { ignore: ['*.png'] } })
    daemon.signal('SIGHUP')
    await daemon.saw('config-reloaded')
    await site.write('a.png', aPng())
    await site.write('b.jpg', aJpg())
    await daemon.saw('uploaded', ofPath('b.jpg'))
    await daemon.stop()
    expect(Object.keys((await site.document()).media)).toEqual(['b.jpg'])
  })

  it('does not leave its manifest behind for another state directory on SIGHUP', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    await site.configure({ state: `${site.state}-other` })
    daemon.signal('SIGHUP')
    const refused = await daemon.saw('config-refused')
    expect(refused.message).toContain('Stop the daemon, move the state directory there')
    expect((await daemon.stop()).code).toBe(0)
    expect(existsSync(`${site.state}-other`)).toBe(false)
  })

  it('reloads after its start when it is told to while it starts', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const daemon = await site.startDaemon('started')
    daemon.signal('SIGHUP')
    await daemon.saw('config-reloaded')
    expect((await daemon.stop()).code).toBe(0)
  })

  it('goes on as before when it is told to reload while its folder is away', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const daemon = await site.startDaemon()
    await rename(site.folder, `${site.folder}-away`)
    daemon.signal('SIGHUP')
    await daemon.saw('config-refused')
    await rename(`${site.folder}-away`, site.folder)
    await site.write('a.jpg', aJpg())
    await daemon.saw('uploaded')
    expect((await daemon.stop()).code).toBe(0)
  })

  it('is alone on its state directory: a second one says who holds it, and ends with 78', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const daemon = await site.startDaemon()
    const second = await site.run('run')
    expect(second.code).toBe(78)
    expect(second.stderr).toMatch(/in use by process \d+/)
    await daemon.stop()
  })
})
