// The desk of the daemon: what a caller is told, and that nothing is left behind when the answer comes another way.
import { describe, expect, it } from 'vitest'
import { WecomUnreachable } from '../../src/errors.ts'
import { aMediaId, anEntry } from '../helpers/builders.ts'
import { createDeskFixture } from './desk-fixture.ts'

const never = new AbortController().signal
const OPEN = new WecomUnreachable('WeCom is out of reach', { hint: 'Wait.' })

describe('pull', () => {
  it('says at once that the circuit is open, and a caller that leaves afterwards breaks nothing', async () => {
    const { desk, manifest } = await createDeskFixture({ circuitError: () => OPEN })
    const caller = new AbortController()
    expect(await desk.pull('ref-1', undefined, caller.signal)).toMatchObject({
      kind: 'accepted',
      because: { code: 'WECOM_UNREACHABLE', hint: 'Wait.' },
    })
    // An answer that nobody waits for any more would end the process as an unhandled rejection, and fail this run.
    caller.abort(new Error('the caller went away'))
    expect(await manifest.findReference(aMediaId('ref-1'))).toMatchObject({ state: 'accepted' })
  })

  it('fails with the commit, and a caller that leaves afterwards breaks nothing', async () => {
    const { desk, manifest } = await createDeskFixture()
    await manifest.close()
    const caller = new AbortController()
    await expect(desk.pull('ref-1', undefined, caller.signal)).rejects.toThrow('after close')
    caller.abort(new Error('the caller went away'))
  })

  it('ends when its caller goes away while it waits', async () => {
    const { desk } = await createDeskFixture()
    const caller = new AbortController()
    const pulling = desk.pull('ref-1', undefined, caller.signal)
    caller.abort(new Error('the caller went away'))
    await expect(pulling).rejects.toThrow('the caller went away')
  })

  it('hears of a landing that is quicker than itself', async () => {
    const entry = anEntry({ path: 'in/a.jpg', mediaId: aMediaId('ref-1') })
    const { desk, manifest, events } = await createDeskFixture({
      accept: async () => {
        const { mediaId, path: landedPath } = entry
        const reference = { mediaId, landedPath, state: 'landed', acceptedAtMs: 0 } as const
        await manifest.commit([{ kind: 'put-reference', reference }])
        events.emit({ kind: 'landed', entry, tookMs: 1 })
      },
    })
    expect(await desk.pull('ref-1', undefined, never)).toMatchObject({
      kind: 'landed',
      reference: { landed_path: 'in/a.jpg' },
    })
  })
})
