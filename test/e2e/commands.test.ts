// The command line as scripts and people drive it, with a daemon and without one.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { anEntry, HOUR_MS } from '../helpers/builders.ts'
import { createSite } from '../helpers/program.ts'
import { aJpg, aPdf, aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { openState } from '../references/peer-state.ts'

const live = () => withSimulator({ clock: systemClock })

interface Entry {
  path: string
  media_id: string
  type: string
  alive: boolean
}

describe.each(['without a daemon', 'with a daemon'])('commands %s', (mode) => {
  const aSite = async (settings = {}) => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl, settings)
    const daemon = mode === 'with a daemon' ? await site.startDaemon() : undefined
    return { wecom, site, daemon }
  }

  it('sync brings everything up, plan then has nothing to do, list and id know it', async () => {
    const { wecom, site } = await aSite()
    await site.write('a.jpg', aJpg())
    await site.write('文件/价目表.pdf', aPdf())
    const sync = await site.run('sync')
    expect(sync).toMatchObject({ code: 0 })
    expect(await site.ask('plan')).toEqual([])
    const list = await site.ask<Entry[]>('list')
    expect(list.map(({ path, type, alive }) => [path, type, alive])).toEqual([
      ['a.jpg', 'image', true],
      ['文件/价目表.pdf', 'file', true],
    ])
    const { stdout, code } = await site.run(
      'id',
      'a.jpg',
      './文件/价目表.pdf',
      join(site.folder, 'a.jpg'),
    )
    expect(code).toBe(0)
    const [image, file] = list.map(({ media_id }) => media_id)
    expect(stdout).toBe(`${image}\n${file}\n${image}\n`)
    expect(
      wecom.controls
        .media()
        .map(({ mediaId }) => mediaId)
        .sort(),
    ).toEqual([image, file].sort())
    expect((await site.run('list', '*.pdf')).stdout).toMatch(
      /^文件\/价目表.pdf {2}file {2}\S+ {2}3 d\n$/,
    )
  })

  it('id fails with 3 for what has no live id, says why, and prints the others', async () => {
    const { site } = await aSite()
    await site.write('a.jpg', aJpg())
    await site.write('tiny.txt', 'abc')
    await site.run('sync')
    const { code, stdout, stderr } = await site.run(
      'id',
      'a.jpg',
      'tiny.txt',
      'nowhere.jpg',
      '../a.jpg',
    )
    expect(code).toBe(3)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain(
      '`tiny.txt`: cannot upload `tiny.txt`: 3 bytes is less than the 6 that WeCom takes',
    )
    expect(stderr).toContain('`nowhere.jpg`')
    expect(stderr).toContain('`../a.jpg`: it is no path inside the folder')
  })

  it('sync ends with 1 when some media have problems, and status names them', async () => {
    const { site } = await aSite()
    await site.write('empty.png', '')
    await site.write('a.png', aPng())
    const { code, stdout } = await site.run('sync')
    expect(code).toBe(1)
    expect(stdout).toContain('1 with problems')
    const status = await site.run('status')
    expect(status.code).toBe(0)
    expect(status.stdout).toContain('1 alive of 1')
    expect(status.stdout).toContain('cannot upload `empty.png`: it is empty')
  })

  it('pull lands a medium that somebody else uploaded, where it was asked for and in the inbox', async () => {
    const { wecom, site } = await aSite()
    const content = aPdf()
    const id = await wecom.controls.addMedia({ kind: 'file', wireName: '合同.pdf', content })
    const wanted = await site.run('pull', id, '--to', 'contracts/one.pdf')
    expect(wanted).toMatchObject({ code: 0, stdout: 'contracts/one.pdf\n' })
    expect((await readFile(join(site.folder, 'contracts/one.pdf'))).equals(content)).toBe(true)
    const second = await wecom.controls.addMedia({
      kind: 'image',
      wireName: '照片.png',
      content: aPng(),
    })
    const { stdout } = await site.run('pull', second)
    expect(stdout).toMatch(/^inbox\/\d{4}-\d\d-\d\d\/照片\.png\n$/)
    await site.run('sync')
    expect(wecom.controls.counts().upload ?? 0).toBe(0)
    // Of unknown age: it may die at any moment, so it is not handed out.
    expect((await site.run('id', 'contracts/one.pdf')).code).toBe(3)
  })

  it('pull never overwrites: the newcomer gets a number', async () => {
    const { wecom, site } = await aSite()
    await site.write('x.png', aPng(100))
    await site.run('sync')
    const id = await wecom.controls.addMedia({
      kind: 'image',
      wireName: 'x.png',
      content: aPng(200),
    })
    expect((await site.run('pull', id, '--to', 'x.png')).stdout).toBe('x (2).png\n')
    expect((await readFile(join(site.folder, 'x.png'))).length).toBe(100)
  })

  it('pull of a dead id ends with 1 and says so; of nonsense with 2', async () => {
    const { site } = await aSite()
    const dead = await site.run('pull', 'dead-id')
    expect(dead.code).toBe(1)
    expect(dead.stderr).toContain('WeCom does not know it')
    const listed = await site.ask<{ state: string; message: string }[]>('list', '--references')
    expect(listed).toMatchObject([
      { media_id: 'dead-id', state: 'lost', message: dead.stderr.trim() },
    ])
    expect((await site.run('forget', 'dead-id')).stdout).toBe('forgot dead-id\n')
    expect((await site.run('pull', 'with space')).code).toBe(2)
    expect((await site.run('pull', 'some-id', '--to', '../out')).code).toBe(2)
  })

  it('forget drops for good: the file stays and is not uploaded again until it changes', async () => {
    const { wecom, site } = await aSite()
    await site.write('a.jpg', aJpg())
    await site.write('b.png', aPng())
    await site.run('sync')
    expect(await site.run('forget', 'a.jpg', 'unknown.jpg')).toMatchObject({
      code: 1,
      stdout: 'forgot a.jpg\n',
    })
    expect((await site.run('sync')).code).toBe(0)
    expect((await site.ask<Entry[]>('list')).map(({ path }) => path)).toEqual(['b.png'])
    expect(wecom.controls.counts()).toMatchObject({ upload: 2 })
    await site.write('a.jpg', aJpg(5000))
    await site.run('sync')
    expect(wecom.controls.counts()).toMatchObject({ upload: 3 })
    expect((await site.run('forget', 'b.png', '--delete')).stdout).toContain('deleted the file')
    await expect(readFile(join(site.folder, 'b.png'))).rejects.toThrow('ENOENT')
    expect((await site.run('sync')).code).toBe(0)
    expect((await site.ask<Entry[]>('list')).map(({ path }) => path)).toEqual(['a.jpg'])
  })

  it('waits for a word when most files vanish at once, and takes it', async () => {
    const { wecom, site } = await aSite()
    for (let number = 0; number < 25; number++)
      await site.write(`${number}.png`, aPng(100 + number))
    await site.run('sync')
    for (let number = 0; number < 24; number++) await rm(join(site.folder, `${number}.png`))
    const sync = await site.run('sync')
    expect(sync.code).toBe(78)
    expect(sync.stdout).toContain('forget --vanished')
    expect(wecom.controls.counts().get ?? 0).toBe(0)
    expect(await site.run('forget', '--vanished')).toMatchObject({ code: 0 })
    expect((await site.ask<Entry[]>('list')).map(({ path }) => path)).toEqual(['24.png'])
  })

  it.each(['restore', 'forget'])(
    "fetches all of them back at a person's word (onDelete: %s)",
    async (onDelete) => {
      const { wecom, site } = await aSite({ folder: { onDelete } })
      for (let number = 0; number < 21; number++)
        await site.write(`d/${number}.png`, aPng(100 + number))
      await site.run('sync')
      await rm(join(site.folder, 'd'), { recursive: true })
      const sync = await site.run('sync')
      expect(sync.code).toBe(78)
      expect(sync.stdout).toContain('sync --restore-vanished')
      const restored = await site.ask('sync', '--restore-vanished')
      expect(restored).toMatchObject({ restored: 21, forgotten: 0, stopped_by: null })
      expect((await readFile(join(site.folder, 'd/20.png'))).length).toBe(120)
      // A daemon may have looked while a file still had its temporary name as well, and looks again.
      await expect.poll(() => site.ask('plan'), { timeout: 10_000 }).toEqual([])
      expect(wecom.controls.counts()).toMatchObject({ upload: 21 })
    },
  )

  it('status as JSON has what a monitor needs', async () => {
    const { site, daemon } = await aSite()
    await site.write('a.jpg', aJpg())
    await site.run('sync')
    const status = await site.ask<Record<string, unknown>>('status')
    expect(status).toMatchObject({
      corp_id: 'ww-test',
      folder: site.folder,
      state: site.state,
      media: { total: 1, alive: 1, due: 0, expired: 0, unkept: 0, missing: daemon ? 0 : null },
      problems: [],
      daemon: { running: daemon !== undefined },
      circuit: { state: daemon ? 'closed' : 'unknown' },
    })
    expect(status.next_renewals).toHaveLength(1)
  })
})

describe('usage', () => {
  it.each([[['frobnicate']], [['id']], [['sync', '--bogus']], [['forget']]])(
    '%j ends with 2',
    async (args) => {
      const site = await createSite('simulator')
      const { code, stderr } = await site.run(...args)
      expect(code).toBe(2)
      expect(stderr).not.toBe('')
    },
  )

  it.each([[['--help']], [['--version']], [['sync', '--help']]])('%j ends with 0', async (args) => {
    const site = await createSite('simulator')
    expect((await site.run(...args)).code).toBe(0)
  })

  it('a configuration with several mistakes is told whole, with 78, whatever the command', async () => {
    const site = await createSite('simulator')
    await site.configure({ folder: { setle: '1s', onDelete: 'burn' }, wecom: { corpId: '' } })
    for (const command of ['run', 'sync', 'plan', 'status', 'list']) {
      const { code, stderr } = await site.run(command)
      expect(code).toBe(78)
      expect(stderr).toMatch(/config\.yaml:\d+:\d+: .*setle.*`settle`/)
      expect(stderr).toContain('onDelete')
      expect(stderr).toContain('corpId')
    }
  })

  it('a folder that is missing, and a state inside the folder, end with 78', async () => {
    const site = await createSite('simulator')
    await site.configure({ folder: { path: join(site.folder, 'missing') } })
    expect(await site.run('run')).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('does not exist'),
    })
    await site.configure({ state: join(site.folder, 'state') })
    const inside = await site.run('run')
    expect(inside.code).toBe(78)
    expect(inside.stderr).toContain('inside')
  })

  it('a secret that cannot be read ends plan with 78 as well', async () => {
    const site = await createSite('simulator')
    await site.configure({ wecom: { secret: { file: '/nonexistent/secret' } } })
    const { code, stderr } = await site.run('plan')
    expect(code).toBe(78)
    expect(stderr).toContain('/nonexistent/secret')
  })

  it('simulate on a port that is taken says so, with 78', async () => {
    const wecom = await live()
    const site = await createSite('simulator')
    const { code, stderr } = await site.run('simulate', '--port', new URL(wecom.baseUrl).port)
    expect(code).toBe(78)
    expect(stderr).toContain('something listens there already')
  })

  it('plan leaves no trace', async () => {
    const site = await createSite('http://127.0.0.1:9')
    await site.write('a.jpg', aJpg())
    await site.run('sync', '--help')
    const steps = await site.ask<{ step: string; path: string }[]>('plan')
    expect(steps).toMatchObject([{ step: 'upload', path: 'a.jpg' }])
    await expect(readFile(join(site.state, 'manifest.json'))).rejects.toThrow('ENOENT')
    await expect(readFile(join(site.folder, '.wecom-media-mirror'))).rejects.toThrow('ENOENT')
  })

  it('plan tells without a daemon, too, what lists and other hosts ask for, and remembers none of it', async () => {
    const site = await createSite('http://127.0.0.1:9')
    const list = join(site.state, '../list.ndjson')
    const peer = join(site.state, '../peer.json')
    await site.configure({ references: { files: [list, peer] } })
    await writeFile(list, '{"media_id":"id-1","path":"in/a.jpg"}\n{"media_id":"id-2"}\n')
    const nowMs = Date.now()
    const life = { createdAtMs: nowMs, expiresAtMs: nowMs + 72 * HOUR_MS }
    await writeFile(peer, await openState([anEntry({ path: 'theirs.jpg', ...life })]))
    const planned = async () =>
      (await site.ask<{ step: string; path: string | null; media_id: string }[]>('plan'))
        .map(({ step, path, media_id }) => `${step} ${path ?? media_id}`)
        .sort()
    expect(await planned()).toEqual(['land id-2', 'land in/a.jpg', 'take theirs.jpg'])
    expect(await planned()).toHaveLength(3)
    await expect(readFile(join(site.state, 'manifest.json'))).rejects.toThrow('ENOENT')
  })

  it('works against the built-in simulator in process', async () => {
    const site = await createSite('simulator')
    await site.write('a.jpg', aJpg())
    expect((await site.run('sync')).code).toBe(0)
    await rm(join(site.folder, 'a.jpg'))
    expect(await site.ask('sync')).toMatchObject({ restored: 1, failed: [] })
  })
})

describe('what lands', () => {
  it('is seen by the folder, whatever it was called', async () => {
    const wecom = await live()
    const site = await createSite(wecom.baseUrl)
    const id = await wecom.controls.addMedia({
      kind: 'file',
      wireName: 'draft.tmp',
      content: aPdf(),
    })
    const { stdout } = await site.run('pull', id)
    expect(stdout).toMatch(/draft\.tmp\.file\n$/)
    expect(await site.ask('plan')).toEqual([])
  })
})
