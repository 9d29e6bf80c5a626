// The daemon behind its local interface: whatever is asked, and however badly, it answers and goes on.
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
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
