// The daemon behind its local interface: whatever is asked, and however badly, it answers and goes on.
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, type Daemon } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
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
})
