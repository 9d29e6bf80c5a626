// What goes wrong in the folder, at WeCom and on the way to it: the real program stays up, says so, and makes it good.
import { appendFile, chmod, chown, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, ofPath, type Site } from '../helpers/program.ts'
import { aJpg, aPng } from '../helpers/samples.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const live = (options = {}) => withSimulator({ clock: systemClock, ...options })
const RENEWING = { renewal: { lifetime: '8s', before: '7s', spread: '0s' } }

interface Status {
  problems: { path: string; code: string; message: string }[]
  circuit: {
    state: string
    because: { message: string; hint: string; errcode: number } | null
    from_ip: string | null
  }
  media: { alive: number }
}

describe('in the folder', () => {
  it('names what is wrong with empty, tiny and oversize files, and mirrors everything else', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('empty.txt', '')
    await site.write('tiny.txt', '12345')
    await site.write('huge.bin', Buffer.alloc(20 * 2 ** 20 + 1))
    await site.write('good.jpg', aJpg())
    const daemon = await site.startDaemon()
    for (const path of ['empty.txt', 'tiny.txt', 'huge.bin'])
      await daemon.saw('problem-found', ofPath(path))
    await daemon.saw('uploaded', ofPath('good.jpg'))
    const { problems } = await site.ask<Status>('status')
    expect(problems.map(({ path, code, message }) => [path, code, message])).toEqual([
      ['empty.txt', 'MEDIA_UNACCEPTABLE', 'cannot upload `empty.txt`: it is empty'],
      [
        'huge.bin',
        'MEDIA_UNACCEPTABLE',
        'cannot upload `huge.bin`: 20971521 bytes exceeds 20 MB (20971520 bytes) for file',
      ],
      [
        'tiny.txt',
        'MEDIA_UNACCEPTABLE',
        'cannot upload `tiny.txt`: 5 bytes is less than the 6 that WeCom takes',
      ],
    ])
    await site.write('empty.txt', 'no longer empty')
    await daemon.saw('uploaded', ofPath('empty.txt'))
    await rm(join(site.folder, 'tiny.txt'))
    await daemon.saw('problem-solved', ofPath('tiny.txt'))
    await daemon.stop()
    expect(Object.keys((await site.document()).problems)).toEqual(['huge.bin'])
    expect(wecom.controls.counts()).toMatchObject({ upload: 2 })
  })

  it('reports a name that is not UTF-8, and mirrors the file once it has another name', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await writeFile(
      Buffer.concat([Buffer.from(`${site.folder}/caf`), Buffer.of(0xe9), Buffer.from('.jpg')]),
      aJpg(),
    )
    const daemon = await site.startDaemon()
    expect((await daemon.saw('problem-found')).problem).toMatchObject({
      code: 'NAME_NOT_UTF8',
      path: 'caf\\xE9.jpg',
    })
    await daemon.stop()
  })

  it('reports a file that it may not read, and uploads it when it may', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('secret.jpg', aJpg())
    await site.write('open.jpg', aPng())
    await chmod(join(site.folder, 'secret.jpg'), 0)
    await handOver(site)
    const daemon = await site.startDaemon()
    expect((await daemon.saw('problem-found', ofPath('secret.jpg'))).message).toContain(
      'permission denied',
    )
    await daemon.saw('uploaded', ofPath('open.jpg'))
    await chmod(join(site.folder, 'secret.jpg'), 0o644)
    await daemon.saw('uploaded', ofPath('secret.jpg'))
    await daemon.stop()
  })

  it('waits with a file that is still being written', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, { folder: { settle: '400ms' } })
    const daemon = await site.startDaemon()
    const file = join(site.folder, 'growing.bin')
    for (let part = 0; part < 12; part++) {
      await appendFile(file, Buffer.alloc(100_000, part))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await daemon.saw('uploaded')
    await daemon.stop()
    expect(wecom.controls.media().map((medium) => medium.sizeBytes)).toEqual([1_200_000])
  })

  it('sends a file again that changed while it was sent', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const slow = wecom.controls.addFault({
      when: { api: 'upload' },
      fault: { kind: 'delay', ms: 700 },
    })
    await site.write('a.bin', Buffer.alloc(3_000_000, 1))
    const daemon = await site.startDaemon()
    await until(() => (wecom.controls.counts().upload ?? 0) > 0)
    await site.write('a.bin', Buffer.alloc(2_000_000, 2))
    slow()
    const { entry } = await daemon.saw('uploaded')
    expect(entry).toMatchObject({ sizeBytes: 2_000_000 })
    await daemon.stop()
  })

  it('does not believe a folder that lost its marker: nothing is restored or forgotten until it is back', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, { folder: { onDelete: 'forget' } })
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    await rm(join(site.folder, '.wecom-media-mirror'))
    await rm(join(site.folder, 'a.jpg'))
    await daemon.saw('folder-doubted')
    expect((await site.run('status')).stdout).toContain('the folder is not believed')
    expect((await site.run('id', 'a.jpg')).code).toBe(0)
    await writeFile(join(site.folder, '.wecom-media-mirror'), '')
    await daemon.saw('folder-believed')
    await daemon.saw('forgotten')
    await daemon.stop()
  })
})

describe('a folder that is not mounted', () => {
  it.each(['with a daemon', 'without a daemon'])(
    'gets nothing written, and nothing forgotten, %s',
    async (mode) => {
      const wecom = await live()
      const site = await createSite(wecom.baseUrl)
      await site.write('a.jpg', aJpg())
      expect((await site.run('sync')).code).toBe(0)
      const daemon = mode === 'with a daemon' ? await site.startDaemon() : undefined
      for (const name of ['a.jpg', '.wecom-media-mirror']) await rm(join(site.folder, name))
      await daemon?.saw('folder-doubted')
      const id = await wecom.controls.addMedia({
        kind: 'image',
        wireName: 'b.png',
        content: aPng(),
      })
      const pull = await site.run('pull', id)
      expect(pull.code).toBe(78)
      expect(pull.stderr).toContain('has lost its marker')
      const forget = await site.run('forget', '--vanished')
      expect(forget.code).toBe(78)
      expect(forget.stderr).toContain('has lost its marker')
      const sync = await site.run('sync')
      expect(sync.code).toBe(78)
      expect(sync.stdout).toContain('has lost its marker')
      expect(sync.stdout).not.toContain('nothing to do')
      expect((await site.run('id', 'a.jpg')).code).toBe(0)
      await writeFile(join(site.folder, '.wecom-media-mirror'), '')
      if (daemon) await daemon.saw('landed')
      else expect(await site.ask('sync')).toMatchObject({ landed: 1, restored: 1 })
      await daemon?.stop()
    },
  )
})

describe('at WeCom', () => {
  it('a wrong secret opens the circuit: the daemon stays up, says which setting is wrong, and does not loop on gettoken', async () => {
    const wecom = await live({ credentials: [{ corpId: 'ww-test', secret: 'the right one' }] })
    const site = await createSite(wecom.baseUrl)
    for (let number = 0; number < 20; number++)
      await site.write(`${number}.png`, aPng(100 + number))
    const daemon = await site.startDaemon()
    await daemon.saw('circuit-opened')
    // Several ticks and an extra wish later there is still that one call.
    await site.run('sync')
    expect((await site.run('sync')).code).toBe(77)
    const { circuit } = await site.ask<Status>('status')
    expect(circuit).toMatchObject({
      state: 'open',
      because: { errcode: 40001 },
      from_ip: '127.0.0.1',
    })
    expect(circuit.because?.hint).toContain('wecom.secret')
    expect(wecom.controls.counts()).toMatchObject({ gettoken: 1 })
    expect((await daemon.stop()).code).toBe(0)
  })

  it('an address that is not trusted is told, with the address', async () => {
    const wecom = await live({ trustedIps: ['10.0.0.1'] })
    const site = await createSite(wecom.baseUrl)
    await site.write('a.jpg', aJpg())
    const sync = await site.run('sync')
    expect(sync.code).toBe(77)
    expect(sync.stdout + sync.stderr).toContain('127.0.0.1')
    expect(sync.stdout + sync.stderr).toContain('企业可信IP')
  })

  const troubles = [
    ['HTML of a gateway', { kind: 'gateway-page', status: 502 }],
    ['half a JSON', { kind: 'half-json' }],
    ['nothing', { kind: 'empty' }],
    ['a reset before the store', { kind: 'reset', at: 'before-store' }],
    ['a reset after the store', { kind: 'reset', at: 'after-store' }],
    ['system busy', { kind: 'errcode', errcode: -1 }],
  ] as const
  it.each(troubles)(
    '%s at a renewal: retried in bounds, the old id stays, and it is made good afterwards',
    async (_, fault) => {
      const wecom = await live({ mediaLifetimeMs: 8000 })
      const site = await createSite(wecom.baseUrl, RENEWING)
      await site.write('a.jpg', aJpg())
      const daemon = await site.startDaemon()
      const uploaded = await daemon.saw('uploaded')
      const { mediaId } = uploaded.entry as { mediaId: string }
      const over = wecom.controls.addFault({ when: { api: 'upload' }, fault })
      await daemon.saw('step-postponed')
      expect((await site.run('id', 'a.jpg')).stdout.trim()).toBe(mediaId)
      // Three attempts a step; after the third step in a row the circuit opens, and one probe at a time goes out.
      expect(wecom.controls.counts().upload).toBeLessThanOrEqual(1 + 3 * 3 + 2 * 3)
      over()
      await daemon.saw('renewed')
      await daemon.stop()
    },
  )

  it('a token that dies early is replaced once for all who wait', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    await site.write('a.png', aPng(100))
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    wecom.controls.revokeTokens()
    for (let number = 0; number < 8; number++) await site.write(`${number}.png`, aPng(200 + number))
    for (let number = 0; number < 8; number++) await daemon.saw('uploaded', ofPath(`${number}.png`))
    expect(wecom.controls.counts()).toMatchObject({ gettoken: 2 })
    await daemon.stop()
  })

  it("what WeCom refuses of one file is that file's problem alone", async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, { folder: { downgrade: false } })
    wecom.controls.addFault({
      when: { api: 'upload', nth: 1 },
      fault: { kind: 'errcode', errcode: 40006 },
    })
    await site.write('a.png', aPng(100))
    const daemon = await site.startDaemon()
    const { problem } = await daemon.saw('problem-found')
    expect(problem).toMatchObject({ code: 'MEDIA_REFUSED', path: 'a.png' })
    await site.write('b.png', aPng(200))
    await daemon.saw('uploaded', ofPath('b.png'))
    await daemon.stop()
  })

  it('down at start: the daemon starts, serves what it knows, and catches up', async () => {
    const first = await live()
    const site = await createSite(first.baseUrl)
    await site.write('a.jpg', aJpg())
    expect((await site.run('sync')).code).toBe(0)
    await first.simulator.stop()
    await site.write('b.png', aPng())
    const daemon = await site.startDaemon()
    await daemon.saw('step-postponed')
    expect((await site.run('id', 'a.jpg')).code).toBe(0)
    await first.simulator.start({ port: Number(new URL(first.baseUrl).port) })
    await daemon.saw('uploaded', ofPath('b.png'))
    await daemon.stop()
  })

  it('a file dropped in while WeCom is away is told, and tried again long before the next tick', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, {
      renewal: { schedule: '0 0 1 1 *' },
      restore: { schedule: '0 0 1 1 *' },
    })
    const daemon = await site.startDaemon()
    await wecom.simulator.stop()
    await site.write('a.jpg', aJpg())
    expect(await daemon.saw('step-postponed')).toMatchObject({ level: 'warn' })
    await wecom.simulator.start({ port: Number(new URL(wecom.baseUrl).port) })
    await daemon.saw('uploaded', ofPath('a.jpg'), 25_000)
    await daemon.stop()
  }, 40_000)

  it('out of reach: sync ends with 69', async () => {
    const site = await createSite('http://127.0.0.1:9')
    await site.write('a.jpg', aJpg())
    const { code, stdout, stderr } = await site.run('sync')
    expect(code).toBe(69)
    expect(stdout + stderr).toContain('127.0.0.1:9')
  })
})

describe('secrets', () => {
  it('appear in no line of the log, no answer, no document', async () => {
    const wecom = await live({ trustedIps: ['10.0.0.1'] })
    const site = await createSite(wecom.baseUrl)
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('circuit-opened')
    wecom.controls.change({ trustedIps: ['127.0.0.1'] })
    const status = await site.run('status', '--json')
    const { stdout, stderr } = await daemon.stop()
    const said = [stdout, stderr, status.stdout, JSON.stringify(await site.document())].join('\n')
    expect(said).not.toContain('canary-secret')
    expect(said).not.toMatch(/access_token=/)
  })
})

/** As root nothing is unreadable: the site goes to another user, and the program runs as that one. */
async function handOver(site: Site): Promise<void> {
  if (process.getuid?.() !== 0) return
  await site.runAs(65534)
  for (const path of ['', 'secret.jpg', 'open.jpg'])
    await chown(join(site.folder, path), 65534, 65534)
}
