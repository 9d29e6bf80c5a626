// The desk of the daemon: what a caller is told, and that nothing is left behind when the answer comes another way.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type MirrorError, WecomUnreachable } from '../../src/errors.ts'
import type { Reference, WantedReference } from '../../src/media/media.ts'
import { landingPath } from '../../src/plan/step.ts'
import type { Desk, Progress, PullTold, PullWish } from '../../src/serve/desk.ts'
import { aMediaId, anEntry, aPath, aReference, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { pullAll } from '../helpers/pulling.ts'
import { createDeskFixture, LIVE } from './desk-fixture.ts'

const never = new AbortController().signal
const OPEN = new WecomUnreachable('WeCom is out of reach', { hint: 'Wait.' })

const pull = (desk: Desk, wish: Partial<PullWish> = {}, signal?: AbortSignal) =>
  pullAll(desk, { mediaIds: ['ref-1'], ...wish }, signal)

/** A mirror in which references end as they are told to, at the moment they are accepted. */
async function withLandings(ends: Record<string, string | MirrorError>) {
  const accepted: WantedReference[] = []
  const site = await createDeskFixture({
    async accept(wanted) {
      accepted.push(wanted)
      const { mediaId } = wanted
      const end = ends[mediaId]
      const landedPath = typeof end === 'string' ? aPath(end) : undefined
      const reference = {
        ...wanted,
        acceptedAtMs: 0,
        ...(landedPath ? { state: 'landed' as const, landedPath } : { state: 'accepted' as const }),
      } as const
      await site.manifest.commit([{ kind: 'put-reference', reference }])
      if (landedPath) {
        await writeFile(join(site.folder, landedPath), 'bytes')
        const entry = anEntry({ path: landedPath, mediaId })
        site.events.emit({ kind: 'landed', entry, tookMs: 1 })
      } else if (end) {
        const error = end as MirrorError
        const path = landingPath(mediaId)
        site.events.emit({ kind: 'step-postponed', path, error, isNews: true })
      }
    },
  })
  return { ...site, accepted }
}

describe('pull', () => {
  it('says at once that the circuit is open, and a caller that leaves afterwards breaks nothing', async () => {
    const { desk, manifest } = await createDeskFixture({ circuitError: () => OPEN })
    const caller = new AbortController()
    expect(await pull(desk, {}, caller.signal)).toMatchObject([
      {
        kind: 'accepted',
        media_id: 'ref-1',
        because: { code: 'WECOM_UNREACHABLE', hint: 'Wait.' },
      },
    ])
    // An answer that nobody waits for any more would end the process as an unhandled rejection, and fail this run.
    caller.abort(new Error('the caller went away'))
    expect(await manifest.findReference(aMediaId('ref-1'))).toMatchObject({ state: 'accepted' })
  })

  it('fails with the commit, and a caller that leaves afterwards breaks nothing', async () => {
    const { desk, manifest } = await createDeskFixture()
    await manifest.close()
    const caller = new AbortController()
    const mediaIds = ['ref-1', 'ref-2']
    await expect(pull(desk, { mediaIds }, caller.signal)).rejects.toThrow('after close')
    caller.abort(new Error('the caller went away'))
  })

  it('ends when its caller goes away while it waits, having told what stays accepted', async () => {
    const { desk, manifest } = await createDeskFixture()
    const caller = new AbortController()
    const told: PullTold[] = []
    const pulling = desk.pull(
      { mediaIds: ['ref-1', 'ref-2'], isHd: false },
      (one) => {
        if ('accepted' in one && told.push(one) === 2)
          caller.abort(new Error('the caller went away'))
      },
      caller.signal,
    )
    await expect(pulling).rejects.toThrow('the caller went away')
    expect(told).toMatchObject([
      { accepted: { media_id: 'ref-1', state: 'accepted' } },
      { accepted: { media_id: 'ref-2', state: 'accepted' } },
    ])
    expect(await manifest.findReference(aMediaId('ref-2'))).toMatchObject({ state: 'accepted' })
  })

  it('hears of a landing that is quicker than itself', async () => {
    const { desk } = await withLandings({ 'ref-1': 'a.jpg' })
    expect(await pull(desk)).toMatchObject([
      { kind: 'landed', reference: { landed_path: 'a.jpg', hd: false, into: null } },
    ])
  })

  it('answers each of many by its own end, and what is named twice once', async () => {
    const { desk, accepted } = await withLandings({ 'ref-1': 'a.jpg', 'ref-2': OPEN })
    const mediaIds = ['ref-2', 'ref-1', 'ref-1', 'no id', 'ref-2']
    const answers = await pull(desk, { mediaIds })
    expect(answers.map(({ media_id, kind }) => [media_id, kind]).sort()).toEqual([
      ['no id', 'refused'],
      ['ref-1', 'landed'],
      ['ref-2', 'accepted'],
    ])
    expect(accepted).toHaveLength(2)
  })

  it('says of what has landed already where it is, and fetches anew what is wanted otherwise', async () => {
    const { desk, accepted, folder } = await withLandings({ 'ref-1': 'a.jpg' })
    await pull(desk)
    for (const to of [undefined, 'a.jpg', './', folder])
      expect(await pull(desk, { to })).toMatchObject([{ kind: 'landed' }])
    expect(accepted).toHaveLength(1)
    await pull(desk, { to: 'b.jpg' })
    await pull(desk, { to: 'd/' })
    await pull(desk, { isHd: true })
    expect(accepted.slice(1)).toEqual([
      { mediaId: 'ref-1', path: 'b.jpg' },
      { mediaId: 'ref-1', into: 'd' },
      { mediaId: 'ref-1', isHd: true },
    ])
    await rm(join(folder, 'a.jpg'))
    await pull(desk, { isHd: true })
    expect(accepted).toHaveLength(5)
  })

  it.each([
    ['d', { into: 'd' }],
    ['d/', { into: 'd' }],
    ['./d//', { into: 'd' }],
    ['new/', { into: 'new' }],
    ['new', { path: 'new' }],
    ['.', { into: '.' }],
    ['./.', { into: '.' }],
    ['a.jpg', { path: 'a.jpg' }],
  ])('takes %s for where it belongs', async (to, place) => {
    const { desk, accepted, folder } = await withLandings({ 'ref-1': 'x.jpg' })
    await mkdir(join(folder, 'd'))
    await pull(desk, { to })
    expect(accepted[0]).toEqual({ mediaId: 'ref-1', ...place })
  })

  it.each([
    '',
    '/',
    '..',
    '../',
    'd/..',
    'd//x',
    '/etc/',
    '/etc/hostname',
    'x\0/',
    'a'.repeat(5000),
  ])('refuses to go to %j, and accepts nothing', async (to) => {
    const { desk, accepted } = await withLandings({})
    expect(await pull(desk, { to })).toMatchObject([
      { kind: 'refused', because: expect.stringContaining('is no path inside the folder') },
    ])
    expect(accepted).toEqual([])
  })

  it('refuses one path for several media, and takes a directory', async () => {
    const { desk, accepted } = await withLandings({ 'ref-1': 'a.jpg', 'ref-2': 'b.jpg' })
    const mediaIds = ['ref-1', 'ref-2']
    expect(await pull(desk, { mediaIds, to: 'd' })).toMatchObject([
      { kind: 'refused', because: expect.stringContaining('with a slash at its end') },
      { kind: 'refused' },
    ])
    expect(accepted).toEqual([])
    expect(await pull(desk, { mediaIds, to: 'd/' })).toHaveLength(2)
    expect(accepted.map(({ into }) => into)).toEqual(['d', 'd'])
  })

  it('tells how far what is under way has come, a few times a second', async () => {
    const { desk, events, arrivals, clock, manifest } = await createDeskFixture()
    const progress: Progress[] = []
    const pulling = desk.pull(
      { mediaIds: ['ref-1', 'ref-2'], isHd: false },
      (told) => {
        if ('progress' in told) progress.push(told.progress)
      },
      never,
    )
    await clock.advance(0)
    const [one, two] = [aMediaId('ref-1'), aMediaId('ref-2')]
    for (let receivedBytes = 1; receivedBytes <= 50; receivedBytes++) {
      arrivals.tell({ mediaId: one, receivedBytes, totalBytes: 100 })
      await clock.advance(1)
    }
    expect(progress).toHaveLength(1)
    await clock.advance(80)
    arrivals.tell({ mediaId: two, receivedBytes: 30, totalBytes: undefined })
    expect(progress.at(-1)).toEqual({
      done: 0,
      total: 2,
      failed: 0,
      doneBytes: 80,
      current: ['ref-1', 'ref-2'],
      underWay: { parts: 0.5, totalBytes: null },
    })
    for (const mediaId of [one, two]) {
      const message = `cannot fetch ${mediaId}`
      const reference = { mediaId, acceptedAtMs: 0, state: 'lost', message } as const
      await manifest.commit([{ kind: 'put-reference', reference }])
      events.emit({ kind: 'lost', path: aPath('x'), mediaId, message })
      await clock.advance(100)
    }
    await pulling
    expect(progress.at(-1)).toMatchObject({ done: 2, failed: 2, doneBytes: 0, current: [] })
  })
})

describe('references', () => {
  const put = (reference: Reference) => ({ kind: 'put-reference', reference }) as const

  it('are told with their state, what is to land first and the next to die before the others', async () => {
    const { desk, manifest } = await createDeskFixture({
      live: async () => ({ ...LIVE, queue: { waiting: 1, in_flight: ['old'] } }),
    })
    await manifest.commit([
      put(aReference({ mediaId: 'done', state: 'landed', landedPath: aPath('in/a.jpg') })),
      put(aReference({ mediaId: 'gone', state: 'lost', message: 'WeCom does not know it' })),
      put(aReference({ mediaId: 'new', from: 'zhangsan' })),
      put(aReference({ mediaId: 'old', createdAtMs: NOW_MS - 70 * HOUR_MS })),
    ])
    const told = await desk.references()
    expect(told.map(({ media_id, state }) => `${media_id} ${state}`)).toEqual([
      'old landing',
      'new accepted',
      'gone lost',
      'done landed',
    ])
    expect(told[0]).toMatchObject({ expires_at: new Date(NOW_MS + 2 * HOUR_MS).toISOString() })
    expect(told[1]).toMatchObject({ from: 'zhangsan', created_at: null })
    expect((await desk.status()).references).toEqual({
      accepted: 1,
      landing: 1,
      landed: 1,
      lost: 1,
    })
  })

  it('that wait are withdrawn, and those that are lost dismissed, by their media_id', async () => {
    const withdrawn: string[] = []
    const { desk, manifest } = await createDeskFixture({
      queue: { withdraw: (path) => void withdrawn.push(path), whenFree: async () => {} },
    })
    await manifest.commit([
      put(aReference({ mediaId: 'waits', path: aPath('in/b.jpg') })),
      put(aReference({ mediaId: 'gone', state: 'lost' })),
    ])
    const options = { deleteFile: false, vanished: false }
    expect(await desk.forget(['waits', 'gone', 'unknown'], options)).toMatchObject([
      { path: 'waits', forgotten: true },
      { path: 'gone', forgotten: true },
      { path: 'unknown', forgotten: false },
    ])
    expect(withdrawn).toEqual(['in/b.jpg'])
    // Remembered, and in no answer: a list may name them still.
    expect([await desk.references(), (await desk.status()).references]).toEqual([
      [],
      { accepted: 0, landing: 0, landed: 0, lost: 0 },
    ])
    expect(await desk.forget(['gone'], options)).toMatchObject([{ forgotten: false }])
    expect(await manifest.findReference(aMediaId('waits'))).toMatchObject({ state: 'lost' })
  })
})
