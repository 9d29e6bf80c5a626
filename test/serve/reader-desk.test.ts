// What is answered from the manifest: lists and the status, what is late among them.
import { describe, expect, it } from 'vitest'
import { WecomUnreachable } from '../../src/errors.ts'
import type { MediaPath } from '../../src/media/media.ts'
import { aFile, anEntry, aProblem, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { calm, createDeskFixture } from './desk-fixture.ts'

const iso = (atMs: number) => new Date(atMs).toISOString()
const waiting = async () => calm({ file: 'there', place: 'waiting' })

async function aDesk(
  entries: ReturnType<typeof anEntry>[],
  wish: Parameters<typeof createDeskFixture>[0] = {},
) {
  const clock = { ...createFakeClock(NOW_MS), skewMs: () => 0 }
  const fixture = await createDeskFixture({ clock, circumstances: waiting, ...wish })
  await fixture.manifest.commit(entries.map((entry) => ({ kind: 'put-entry', entry }) as const))
  return fixture
}

describe('list', () => {
  it('never shows the id of what may be dead', async () => {
    const { desk } = await aDesk([anEntry({ path: 'a' }), anEntry({ path: 'b', ageHours: 72 })])
    expect(await desk.list()).toMatchObject([
      { path: 'a', alive: true, media_id: 'id-a', safe_until: iso(NOW_MS + 71 * HOUR_MS - 5_000) },
      { path: 'b', alive: false, media_id: null, safe_until: null, safe_for_ms: 0 },
    ])
  })
})

describe('a look-up in vain', () => {
  it('is told to the daemon, unless nobody can have an id for the path', async () => {
    const vain: MediaPath[] = []
    const { desk } = await aDesk([anEntry({ path: 'a' }), anEntry({ path: 'b', ageHours: 72 })], {
      circumstances: async (path) => calm({ file: path === 'new' ? 'there' : 'gone' }),
      onVainLookUp: (path) => vain.push(path),
    })
    for (const path of ['a', './b', 'new', 'nowhere', '../b']) await desk.lookUp(path)
    expect(vain).toEqual(['b', 'new'])
  })
})

describe('status', () => {
  it('names what is late, the next to die first, and what stands in its way', async () => {
    const { desk } = await aDesk(
      [
        anEntry({ path: 'fresh' }),
        anEntry({ path: 'due', ageHours: 50 }),
        anEntry({ path: 'late', ageHours: 60 }),
        anEntry({ path: 'later', ageHours: 71 }),
        anEntry({ path: 'dead', ageHours: 80 }),
      ],
      {
        circumstances: async () =>
          calm({
            file: 'there',
            place: 'waiting',
            circuit: { error: new WecomUnreachable('cannot reach WeCom'), nextProbeAtMs: NOW_MS },
          }),
      },
    )
    const { problems, late } = await desk.status()
    const why = 'no calls to WeCom at present: cannot reach WeCom'
    expect(problems).toEqual(
      [
        ['later', 'dies', 71],
        ['late', 'dies', 60],
        ['dead', 'died', 80],
      ].map(([path, verb, age]) => ({
        path,
        code: 'RENEWAL_LATE',
        message: `\`${path}\` was not renewed in time, its media_id ${verb} at ${iso(NOW_MS + (72 - Number(age)) * HOUR_MS)}: ${why}`,
        since: iso(NOW_MS + (54 - Number(age)) * HOUR_MS),
      })),
    )
    expect(late).toEqual({
      count: 3,
      is_more: false,
      expired: 1,
      next_death_at: iso(NOW_MS + HOUR_MS),
    })
  })

  it('does not call late what is dead for a reason of its own, nor what nobody keeps alive', async () => {
    const { desk, manifest } = await aDesk([
      anEntry({ path: 'refused', ageHours: 80 }),
      anEntry({ path: 'landed', ageHours: 80, origin: 'reference', renewAtMs: undefined }),
    ])
    await manifest.commit([{ kind: 'put-problem', problem: aProblem({ path: 'refused' }) }])
    const { problems, late, media } = await desk.status()
    expect(late.count).toBe(0)
    expect(media).toMatchObject({ total: 2, alive: 0, expired: 1, unkept: 1 })
    expect(problems.map(({ code }) => code)).toEqual(['MEDIA_UNACCEPTABLE'])
  })

  it('counts what is too much to be named', async () => {
    const many = Array.from({ length: 30 }, (_, number) =>
      anEntry({ of: aFile({ path: `${number}.jpg` }), ageHours: 65 }),
    )
    const { problems, late } = await (await aDesk(many)).desk.status()
    expect(problems).toHaveLength(20)
    expect(late).toMatchObject({ count: 30, is_more: false })
  })

  it("goes by the service's clock, and says how far that is from this machine's", async () => {
    const clock = { ...createFakeClock(NOW_MS + 80 * HOUR_MS), skewMs: () => 5 * HOUR_MS }
    const { desk } = await aDesk([anEntry()], { clock })
    expect(await desk.status()).toMatchObject({
      media: { alive: 0, expired: 1 },
      clock_skew_ms: 5 * HOUR_MS,
    })
  })

  it('tells what keeping everything alive takes', async () => {
    const { desk } = await aDesk([anEntry()])
    expect((await desk.status()).capacity).toMatchObject({
      media: { count: 0, bytes: 0 },
      allowed: { calls_per_hour: 75_000, bytes_per_second: null },
      slots: { calls_per_hour: null },
      limit: 'quota',
      fits: 'yes',
      most_media: null,
      advice: null,
    })
  })
})
