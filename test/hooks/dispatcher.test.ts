// Telling hooks, on a clock that is told to move: order, repetition, giving up, a flood, a restart, a full disk, a stop.
import { expect, it } from 'vitest'
import { ManifestUnwritable } from '../../src/errors.ts'
import type { Hook } from '../../src/hooks/hook.ts'
import type { Manifest } from '../../src/manifest/manifest.ts'
import { HOUR_MS } from '../helpers/builders.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { aHook, DOWN, openHooks } from './fixture.ts'

it('tells what happens, once, and owes nothing then', async () => {
  const site = await openHooks()
  site.dispatcher.start()
  await site.give('a.jpg', '1')
  await site.give('a.jpg', '2')
  await site.clock.advance(0)
  expect(site.whats()).toEqual(['first-id a.jpg 1', 'changed-id a.jpg 2'])
  expect(await site.owed()).toEqual([])
  expect(site.report()).toMatchObject({ delivered: 2, waiting: 0, givenUp: 0 })
})

it('tells each hook what it wants, and nothing to one that wants nothing of it', async () => {
  const heard: string[] = []
  const other = aHook({
    name: 'posters',
    happenings: ['changed-id'],
    matches: (path) => path === 'p.jpg',
    tell: async (body) => void heard.push(String(body)),
  })
  const site = await openHooks({ hook: { happenings: ['first-id'] }, others: [other] })
  site.dispatcher.start()
  for (const path of ['a.jpg', 'p.jpg'])
    for (const id of ['1', '2']) await site.give(path, `${path}-${id}`)
  await site.clock.advance(0)
  expect(site.whats()).toEqual(['first-id a.jpg a.jpg-1', 'first-id p.jpg p.jpg-1'])
  expect(heard.map((body) => body.split(' ').slice(1))).toEqual([
    ['changed-id', 'p.jpg', 'p.jpg-2', '1'],
  ])
  expect(await site.owed()).toEqual([])
})

it('tells it again under the same id until it is taken, and in order per path', async () => {
  const site = await openHooks()
  site.behaviour.tell = async () => DOWN
  site.dispatcher.start()
  await site.give('a.jpg', '1')
  await site.give('a.jpg', '2')
  await site.clock.advance(1_000)
  await site.clock.advance(2_000)
  expect(site.whats()).toEqual(Array(3).fill('first-id a.jpg 1'))
  expect(new Set(site.heard.map(({ id }) => id)).size).toBe(1)
  expect(site.heard.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
  expect(site.report()).toMatchObject({ waiting: 2, lastError: 'it is down' })
  site.behaviour.tell = async () => undefined
  await site.clock.advance(4_000)
  expect(site.whats().slice(3)).toEqual(['first-id a.jpg 1', 'changed-id a.jpg 2'])
  expect(site.report()).toMatchObject({ delivered: 2, failingSinceMs: undefined })
  expect(site.tellings('hook-failed').map(({ isNews }) => isNews)).toEqual([false, true, false])
  expect(site.tellings('hook-recovered')).toMatchObject([{ hook: 'tell', waiting: 1 }])
})

it('what the first try failed on and the second cured is no news', async () => {
  const site = await openHooks()
  site.behaviour.tell = async () => (site.heard.length === 1 ? DOWN : undefined)
  site.dispatcher.start()
  await site.give('a.jpg', '1')
  await site.clock.advance(1_000)
  expect(site.tellings('hook-failed')).toMatchObject([{ isNews: false }])
  expect(site.tellings('hook-recovered')).toEqual([])
  expect(site.report()).toMatchObject({ delivered: 1 })
})

it('ends what takes too long, and tells it again', async () => {
  const ended: unknown[] = []
  const site = await openHooks()
  const hang: Hook['tell'] = (_, signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        ended.push(signal.reason)
        resolve({ because: 'ended' })
      }),
    )
  site.behaviour.tell = hang
  site.dispatcher.start()
  await site.give('a.jpg', '1')
  await site.clock.advance(9_999)
  expect(ended).toEqual([])
  await site.clock.advance(1)
  expect(ended).toHaveLength(1)
  expect(site.tellings('hook-failed')).toMatchObject([{ because: 'no end after 10 s' }])
  site.behaviour.tell = async () => undefined
  await site.clock.advance(1_000)
  expect(site.report()).toMatchObject({ delivered: 1, waiting: 0 })
  expect(site.clock.pendingTimers()).toBe(0)
})

it('gives up what fails for ever after the stated time, says so once, and goes on with the next', async () => {
  const site = await openHooks({ hook: { giveUpAfterMs: HOUR_MS } })
  site.behaviour.tell = async () => DOWN
  site.dispatcher.start()
  await site.give('a.jpg', '1')
  await site.clock.advance(HOUR_MS - 1)
  expect(await site.owed()).toHaveLength(1)
  await site.give('a.jpg', '2')
  await site.clock.advance(10 * 60_000)
  expect(site.report()).toMatchObject({ givenUp: 1, waiting: 1 })
  expect(await site.owed()).toHaveLength(1)
  await site.clock.advance(2 * HOUR_MS)
  expect(site.report()).toMatchObject({ givenUp: 2, waiting: 0, failingSinceMs: undefined })
  expect(await site.owed()).toEqual([])
  expect(site.tellings('hook-gave-up')).toMatchObject([
    { count: 1, because: 'they could not be told within 60 min: it is down', isNews: true },
    { count: 1, isNews: false },
  ])
  // Between half and twice as many as the delays of up to ten minutes make.
  expect(site.heard.length).toBeLessThan(40)
  site.behaviour.tell = async () => undefined
  await site.give('a.jpg', '3')
  await site.clock.advance(0)
  expect(site.report()).toMatchObject({ delivered: 1 })
})

it('what is old when the daemon starts is told all the same: only what fails is given up', async () => {
  const site = await openHooks({ hook: { giveUpAfterMs: HOUR_MS } })
  await site.give('a.jpg', '1')
  await site.clock.advance(48 * HOUR_MS)
  site.dispatcher.start()
  await site.clock.advance(0)
  expect(site.report()).toMatchObject({ delivered: 1, givenUp: 0 })
})

it('a storm of renewals at a hook that is down makes few attempts, and all are told when it is back', async () => {
  const site = await openHooks()
  site.behaviour.tell = async () => DOWN
  site.dispatcher.start()
  for (let number = 0; number < 1_000; number++) await site.give(`${number}.jpg`, `${number}`)
  await site.clock.advance(6 * HOUR_MS)
  expect(site.heard.length).toBeLessThan(60)
  expect(site.report()).toMatchObject({ waiting: 1_000, lastError: 'it is down' })
  site.behaviour.tell = async () => undefined
  await site.clock.advance(10 * 60_000)
  expect(site.report()).toMatchObject({ delivered: 1_000, waiting: 0, failingSinceMs: undefined })
  expect(await site.owed()).toEqual([])
})

it('a storm at a hook that hangs never has more under way than allowed', async () => {
  let [underWay, most] = [0, 0]
  const site = await openHooks({ hook: { concurrency: 3 } })
  site.behaviour.tell = (_, signal) =>
    new Promise((resolve) => {
      most = Math.max(most, ++underWay)
      signal.addEventListener('abort', () => {
        underWay--
        resolve(DOWN)
      })
    })
  site.dispatcher.start()
  for (let number = 0; number < 200; number++) await site.give(`${number}.jpg`, `${number}`)
  await site.clock.advance(HOUR_MS)
  expect(most).toBe(3)
})

it('one hook that is down holds up no other', async () => {
  const heard: string[] = []
  const other = aHook({ name: 'well', tell: async (body) => void heard.push(String(body)) })
  const site = await openHooks({ others: [other] })
  site.behaviour.tell = async () => DOWN
  site.dispatcher.start()
  for (let number = 0; number < 20; number++) await site.give(`${number}.jpg`, `${number}`)
  await site.clock.advance(0)
  expect(heard).toHaveLength(20)
})

it('keeps no more waiting than allowed: the oldest make way, which is told once and counted', async () => {
  const site = await openHooks({ mostWaiting: 10 })
  site.behaviour.tell = async () => DOWN
  site.dispatcher.start()
  for (let number = 0; number < 50; number++) await site.give(`${number}.jpg`, `${number}`)
  await site.clock.advance(0)
  expect(await site.owed()).toHaveLength(10)
  expect(site.report()).toMatchObject({ waiting: 10, givenUp: 40 })
  const [first, ...others] = site.tellings('hook-gave-up')
  expect(first).toMatchObject({ isNews: true, because: expect.stringContaining('more than 10') })
  expect(others.filter(({ isNews }) => isNews)).toEqual([])
  site.behaviour.tell = async () => undefined
  const before = site.heard.length
  await site.clock.advance(HOUR_MS)
  const told = new Set(site.whats().slice(before))
  expect(told).toContain('first-id 49.jpg 49')
  expect(told.size).toBe(10)
})

it('after a restart tells what was owed, in its order, before what happens next', async () => {
  const store = createMemoryManifest()
  const before = await openHooks({ store })
  for (const id of ['1', '2']) await before.give('a.jpg', id)
  const owed = await before.owed()
  await before.dispatcher.stop()

  const after = await openHooks({ store, clock: before.clock })
  // The clock was set back meanwhile: what happens now is later all the same.
  after.clock.leap(-HOUR_MS)
  await after.give('a.jpg', '3')
  await after.dispatcher.stop()
  const last = await openHooks({ store, clock: before.clock })
  last.dispatcher.start()
  await last.clock.advance(0)
  expect(last.whats()).toEqual(['first-id a.jpg 1', 'changed-id a.jpg 2', 'changed-id a.jpg 3'])
  expect(last.heard.slice(0, 2).map(({ id }) => id)).toEqual(owed)
  expect(await last.owed()).toEqual([])
})

it('what is owed to a hook that is not configured any more is given up, and told', async () => {
  const store = createMemoryManifest()
  const before = await openHooks({ store })
  await before.give('a.jpg', '1')
  await before.dispatcher.stop()
  const after = await openHooks({ store, hook: { name: 'another' } })
  expect(await after.owed()).toEqual([])
  expect(after.tellings('warned')).toMatchObject([
    { message: expect.stringContaining('1 deliveries to the hook `tell` are given up') },
  ])
})

it('a stop ends what is under way, and owes it still', async () => {
  const site = await openHooks()
  site.behaviour.tell = (_, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(DOWN)))
  site.dispatcher.start()
  for (const path of ['a.jpg', 'b.jpg']) await site.give(path, '1')
  await site.clock.advance(0)
  await site.dispatcher.stop()
  expect(await site.owed()).toHaveLength(2)
  expect(site.tellings('hook-failed')).toEqual([])
  expect(site.clock.pendingTimers()).toBe(0)
})

it('a stop waits until it is written what made way', async () => {
  const store = createMemoryManifest()
  let isWritten = false
  const commit: Manifest['commit'] = async (changes) => {
    const isDropped = changes.some(({ kind }) => kind === 'drop-delivery')
    if (isDropped) await new Promise((resolve) => setImmediate(resolve))
    await store.commit(changes)
    isWritten ||= isDropped
  }
  const site = await openHooks({ store: { ...store, commit }, mostWaiting: 1 })
  await site.give('a.jpg', '1')
  await site.give('b.jpg', '2')
  await site.dispatcher.stop()
  expect(isWritten).toBe(true)
})

it('what was told and cannot be noted, since the disk is full, is not told again', async () => {
  const memory = createMemoryManifest()
  let isFull = false
  const store: Manifest = {
    ...memory,
    async commit(changes) {
      if (isFull && changes.some(({ kind }) => kind === 'drop-delivery'))
        throw new ManifestUnwritable('no space')
      return memory.commit(changes)
    },
  }
  const site = await openHooks({ store })
  isFull = true
  site.dispatcher.start()
  for (const id of ['1', '2']) await site.give('a.jpg', id)
  await site.clock.advance(60_000)
  expect(site.whats()).toEqual(['first-id a.jpg 1'])
  isFull = false
  await site.clock.advance(60_000)
  expect(site.whats()).toEqual(['first-id a.jpg 1', 'changed-id a.jpg 2'])
  expect(await site.owed()).toEqual([])
})
