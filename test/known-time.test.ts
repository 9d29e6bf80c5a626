// The service's time outlives the program: in a small file, for the next run and for those who only read the state.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keepKnownTime, readKnownTime } from '../src/known-time.ts'
import { createEvents, type MirrorEvent } from '../src/support/events.ts'
import type { KnownServiceTime } from '../src/wecom/service-clock.ts'
import { HOUR_MS, NOW_MS } from './helpers/builders.ts'
import { createTempFolder } from './helpers/temp-folder.ts'
import { until } from './helpers/until.ts'

const UNCHANGED = 'nothing was written'

async function setUp(directory?: string) {
  const state = directory ?? (await createTempFolder('state'))
  const events = createEvents()
  const told: MirrorEvent[] = []
  const bugs: unknown[] = []
  let known: KnownServiceTime | undefined
  const stop = keepKnownTime({
    directory: state,
    serviceClock: { known: () => known },
    events,
    onBug: (bug) => void bugs.push(bug),
  })
  events.subscribe((event) => told.push(event))
  return {
    state,
    told,
    bugs,
    stop,
    learn(skewMs: number, atMs = NOW_MS) {
      known = { skewMs, atMs }
      events.emit({ kind: 'token-refreshed' })
    },
    written: async (skewMs: number) => {
      let found: KnownServiceTime | undefined
      await until(() => found?.skewMs === skewMs, {
        what: `a skew of ${skewMs} ms`,
        meanwhile: async () => {
          found = await readKnownTime(state)
        },
      })
      return found
    },
  }
}

describe('what the service said of its time', () => {
  it('is written as soon as it is known, for the owner alone, and read again', async () => {
    const site = await setUp()
    site.learn(5 * HOUR_MS)
    expect(await site.written(5 * HOUR_MS)).toEqual({ skewMs: 5 * HOUR_MS, atMs: NOW_MS })
    const file = join(site.state, 'clock.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      skew_ms: 5 * HOUR_MS,
      at: '2026-11-22T08:00:00.000Z',
    })
    await site.stop()
  })

  it('is written again when the skew changed, or an hour has passed, and not for jitter', async () => {
    const site = await setUp()
    site.learn(0)
    await site.written(0)
    await writeFile(join(site.state, 'clock.json'), UNCHANGED)
    site.learn(4000, NOW_MS + HOUR_MS - 1)
    // Whatever is going to be written begins at once, and waits for the disk alone.
    await new Promise((resolve) => setImmediate(resolve))
    expect(await readFile(join(site.state, 'clock.json'), 'utf8')).toBe(UNCHANGED)
    site.learn(6000, NOW_MS + 1)
    await site.written(6000)
    site.learn(6001, NOW_MS + 2 * HOUR_MS)
    await site.written(6001)
    await site.stop()
  })

  it('is written at the end, whatever has changed', async () => {
    const site = await setUp()
    site.learn(0)
    await site.written(0)
    site.learn(1, NOW_MS + 1)
    await site.stop()
    expect(await readKnownTime(site.state)).toEqual({ skewMs: 1, atMs: NOW_MS + 1 })
  })

  it('leaves no file where the service never said', async () => {
    const site = await setUp()
    await site.stop()
    expect(await readKnownTime(site.state)).toBeUndefined()
  })
})

describe('a state directory', () => {
  it('that cannot be written to is told once, and nothing ends over it', async () => {
    const site = await setUp('/nonexistent/state')
    site.learn(0)
    await until(() => site.told.some(({ kind }) => kind === 'warned'))
    site.learn(HOUR_MS)
    await site.stop()
    expect(site.told.filter(({ kind }) => kind === 'warned')).toHaveLength(1)
    expect(site.bugs).toEqual([])
  })

  it.each([
    '',
    'null',
    '{"skew_ms":"1","at":"2026-11-22T08:00:00.000Z"}',
    '{"skew_ms":1,"at":"x"}',
  ])('with %j for a clock knows nothing', async (text) => {
    const state = await createTempFolder('state')
    await writeFile(join(state, 'clock.json'), text)
    expect(await readKnownTime(state)).toBeUndefined()
  })
})
