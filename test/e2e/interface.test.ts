// The daemon behind its local interface: whatever is asked, and however badly, it answers and goes on.
import { once } from 'node:events'
import { chmod, mkdir, rm, symlink } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, type Daemon } from '../helpers/program.ts'
import { aJpg, aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const live = () => withSimulator({ clock: systemClock })

/** It ends at a word and not before: 0 is what only a clean stop gives. */
const expectAlive = async (daemon: Daemon) => {
  const { code, stderr } = await daemon.stop()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
}

describe('the daemon goes on', () => {
  it('after a pull while the circuit is open', async () => {
    const wecom = await live()
    wecom.controls.addFault({
      when: { api: 'gettoken' },
      fault: { kind: 'errcode', errcode: 40001 },
    })
    const site = await createSite(wecom.baseUrl)
    await site.write('a.png', aPng())
    const daemon = await site.startDaemon()
    await daemon.saw('circuit-opened')
    const { code, stderr } = await site.run('pull', 'some-id')
    expect(code).toBe(77)
    expect(stderr).toContain('accepted, and fetched as soon as that can be done')
    expect((await site.run('status')).code).toBe(0)
    await expectAlive(daemon)
  })
  it('after globs and requests that cannot be', async () => {
    const site = await createSite((await live()).baseUrl)
    const daemon = await site.startDaemon()
    for (const glob of ['', '/']) {
      const { code, stderr } = await site.run('list', glob)
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `cannot list \`${glob}\`: it is no glob; leave it out for everything\n`,
      })
    }
    const socket = createConnection(join(site.state, 'daemon.sock'))
    socket.write('GET // HTTP/1.1\r\nHost: x\r\n\r\n')
    const [reply] = await once(socket, 'data')
    expect(String(reply)).toContain('400 Bad Request')
    socket.destroy()
    await expectAlive(daemon)
  })

  it('after forget --delete where a directory took the name, and says why the name is there still', async () => {
    const site = await createSite((await live()).baseUrl)
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    daemon.signal('SIGSTOP')
    await rm(join(site.folder, 'a.jpg'))
    await mkdir(join(site.folder, 'a.jpg'))
    daemon.signal('SIGCONT')
    const { code, stderr } = await site.run('forget', 'a.jpg', '--delete')
    expect(code).toBe(1)
    expect(stderr).toMatch(/`a\.jpg`: it is forgotten, and its file could not be deleted: .*EISDIR/)
    expect(await site.ask('list')).toEqual([])
    await expectAlive(daemon)
  })
})

describe('commands and a daemon that they cannot ask', () => {
  it('of another user end with 78 and say whom to be', async () => {
    const site = await createSite((await live()).baseUrl)
    const daemon = await site.startDaemon()
    if (process.getuid?.() === 0) await site.runAs(65534)
    else await chmod(site.state, 0)
    for (const command of [['status'], ['id', 'a.jpg'], ['sync'], ['plan']]) {
      const { code, stderr } = await site.run(...command)
      expect(stderr).toBe(
        `cannot reach the daemon of \`${site.state}\`: permission denied\nhint: Run this as the user that runs the daemon, or with sudo.\n`,
      )
      expect(code).toBe(78)
    }
    await chmod(site.state, 0o700)
    await expectAlive(daemon)
  })

  it('that hangs: who only looks is told so, and answered from the state', async () => {
    const site = await createSite((await live()).baseUrl)
    await site.write('a.jpg', aJpg())
    const daemon = await site.startDaemon()
    await daemon.saw('uploaded')
    daemon.signal('SIGSTOP')
    const [looking, acting] = await Promise.all([site.run('id', 'a.jpg'), site.run('sync')])
    daemon.signal('SIGCONT')
    expect(looking).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S+\n$/) })
    expect(looking.stderr).toContain('the daemon does not answer')
    expect(looking.stderr).toContain('what follows is from the state on disk')
    expect(acting).toMatchObject({ code: 69, stdout: '' })
    expect(acting.stderr).toMatch(/^the daemon does not answer\n {2}→ /)
    await expectAlive(daemon)
  })

  it('that is killed in the middle of a pass end with 69', async () => {
    const wecom = await live()
    wecom.controls.addFault({ when: { api: 'upload' }, fault: { kind: 'stall' } })
    const site = await createSite(wecom.baseUrl)
    const daemon = await site.startDaemon()
    await site.write('a.jpg', aJpg())
    await daemon.saw('pass-planned', ({ steps }) => steps === 1)
    const running = site.run('sync')
    await daemon.saw('scanned', ({ because }) => because === 'asked for')
    daemon.signal('SIGKILL')
    const { code, stderr } = await running
    expect(code).toBe(69)
    expect(stderr).toMatch(/^the daemon ended before .*\n {2}→ /)
  })
})

it.each(['with a daemon', 'without a daemon'])(
  'below a linked folder every spelling of an absolute path is known, %s',
  async (mode) => {
    const site = await createSite((await live()).baseUrl)
    const link = join(dirname(site.folder), 'link')
    await symlink(site.folder, link)
    await site.configure({ folder: { path: link } })
    await site.write('海报/a.jpg', aJpg())
    await site.run('sync')
    const daemon = mode === 'with a daemon' ? await site.startDaemon() : undefined
    const spellings = [link, site.folder].map((folder) => join(folder, '海报/a.jpg'))
    const { code, stdout } = await site.run('id', ...spellings, './海报/a.jpg')
    expect(code).toBe(0)
    expect(new Set(stdout.trim().split('\n')).size).toBe(1)
    expect((await site.run('id', join(dirname(link), 'elsewhere/海报/a.jpg'))).code).toBe(3)
    expect(await site.run('forget', join(link, '海报/a.jpg'))).toMatchObject({ code: 0 })
    await daemon?.stop()
  },
)
