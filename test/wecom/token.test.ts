import { expect, test } from 'vitest'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createTokenSource, refreshAtMs, type Token } from '../../src/wecom/token.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { patient } from './client.ts'

const HOUR_MS = 3_600_000

/** A source whose fetches are answered by hand, in any order. */
function createBench(lifeMs = 2 * HOUR_MS) {
  const clock = createFakeClock()
  const events: MirrorEvent[] = []
  const asked: PromiseWithResolvers<Token>[] = []
  const tokens = createTokenSource({
    clock,
    emit: (event) => void events.push(event),
    fetchToken: () => {
      const answer = Promise.withResolvers<Token>()
      asked.push(answer)
      return answer.promise
    },
  })
  const answer = (value: string, index = asked.length - 1) => {
    const nowMs = clock.nowMs()
    asked[index]?.resolve({ value, fetchedAtMs: nowMs, expiresAtMs: nowMs + lifeMs })
  }
  /** Asks, answers if a fetch was needed, and hands over the token. */
  const getOr = async (value: string) => {
    const before = asked.length
    const got = tokens.get(patient)
    if (asked.length > before) answer(value)
    return await got
  }
  return { clock, events, asked, tokens, answer, getOr }
}

test('a hundred callers share one fetch', async () => {
  const { tokens, asked, answer } = createBench()
  const callers = Array.from({ length: 100 }, () => tokens.get(patient))
  answer('T1')
  expect(new Set((await Promise.all(callers)).map((token) => token.value))).toEqual(new Set(['T1']))
  expect(asked).toHaveLength(1)
})

test('a failed fetch fails those who waited for it, and nobody after them', async () => {
  const { tokens, asked, getOr } = createBench()
  const first = tokens.get(patient)
  asked[0]?.reject(new Error('down'))
  await expect(first).rejects.toThrow('down')
  expect((await getOr('T1')).value).toBe('T1')
})

test('a fetch that throws at once is not kept either', async () => {
  let fetches = 0
  const tokens = createTokenSource({
    clock: createFakeClock(),
    emit: () => undefined,
    fetchToken: () => {
      fetches++
      throw new Error('down')
    },
  })
  await expect(tokens.get(patient)).rejects.toThrow('down')
  await expect(tokens.get(patient)).rejects.toThrow('down')
  expect(fetches).toBe(2)
})

test.each([
  [7_200_000, 6_900_000],
  [600_000, 540_000],
  [60_000, 54_000],
])('a token that lives %i ms is replaced after %i ms', async (lifeMs, replacedMs) => {
  expect(refreshAtMs({ value: 'T', fetchedAtMs: 0, expiresAtMs: lifeMs })).toBe(replacedMs)
  const { clock, getOr, tokens } = createBench(lifeMs)
  await getOr('T1')
  clock.leap(replacedMs - 1)
  expect((await getOr('T2')).value).toBe('T1')
  expect(tokens.state().kind).toBe('fresh')
  clock.leap(1)
  expect(tokens.state().kind).toBe('due')
  expect((await getOr('T2')).value).toBe('T2')
})

test('parallel refusals of one token cause one fetch', async () => {
  const { tokens, asked, getOr } = createBench()
  const stale = await getOr('T1')
  tokens.invalidate(stale)
  const fresh = await getOr('T2')
  for (let late = 0; late < 20; late++) tokens.invalidate(stale)
  expect(await tokens.get(patient)).toBe(fresh)
  expect(asked).toHaveLength(2)
})

test('a complaint that arrives while the new token is under way starts no second fetch', async () => {
  const { tokens, asked, answer, getOr } = createBench()
  const stale = await getOr('T1')
  tokens.invalidate(stale)
  const next = tokens.get(patient)
  tokens.invalidate(stale)
  const another = tokens.get(patient)
  answer('T2')
  expect(await next).toBe(await another)
  expect(asked).toHaveLength(2)
})

test('while an answer is late nobody starts another fetch, so it can never overtake a newer token', async () => {
  const { clock, tokens, asked, answer, getOr } = createBench()
  const slow = tokens.get(patient)
  clock.leap(10 * 60_000)
  const meanwhile = tokens.get(patient)
  expect(asked).toHaveLength(1)
  answer('T1')
  expect(await slow).toBe(await meanwhile)
  tokens.invalidate(await slow)
  const fresh = await getOr('T2')
  tokens.invalidate(await meanwhile)
  expect(await tokens.get(patient)).toBe(fresh)
})

test('a new token that is refused as well is kept for half a minute', async () => {
  const { clock, tokens, asked, getOr } = createBench()
  tokens.invalidate(await getOr('T1'))
  const second = await getOr('T2')
  for (let refusals = 0; refusals < 50; refusals++) {
    tokens.invalidate(second)
    expect(await getOr('never')).toBe(second)
  }
  expect(asked).toHaveLength(2)
  clock.leap(30_000)
  tokens.invalidate(second)
  expect((await getOr('T3')).value).toBe('T3')
})

test('tokens that worked may be revoked one after the other, and each is replaced at once', async () => {
  const { tokens, getOr } = createBench()
  for (const value of ['T1', 'T2', 'T3']) {
    const token = await getOr(value)
    expect(token.value).toBe(value)
    tokens.confirm(token)
    tokens.invalidate(token)
  }
})

test('a caller who gives up leaves the fetch to the others', async () => {
  const { tokens, asked, answer } = createBench()
  const impatient = new AbortController()
  const gaveUp = tokens.get(impatient.signal)
  const stays = tokens.get(patient)
  impatient.abort(new Error('enough'))
  await expect(gaveUp).rejects.toThrow('enough')
  answer('T1')
  expect((await stays).value).toBe('T1')
  await expect(tokens.get(impatient.signal)).rejects.toThrow('enough')
  expect(asked).toHaveLength(1)
})

test('a fetch that fails after everybody has left troubles nobody', async () => {
  const { tokens, asked } = createBench()
  const impatient = new AbortController()
  const gaveUp = tokens.get(impatient.signal)
  impatient.abort(new Error('enough'))
  await expect(gaveUp).rejects.toThrow('enough')
  asked[0]?.reject(new Error('down'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(tokens.state()).toEqual({ kind: 'none', fetching: false })
})

test('a clock that falls back before the beginning of the token causes a new one', async () => {
  const { clock, getOr } = createBench()
  await getOr('T1')
  clock.leap(-HOUR_MS)
  expect((await getOr('T2')).value).toBe('T2')
})

test('every new token is told, and the state says what there is', async () => {
  const { events, tokens, answer } = createBench()
  expect(tokens.state()).toEqual({ kind: 'none', fetching: false })
  const got = tokens.get(patient)
  expect(tokens.state()).toEqual({ kind: 'none', fetching: true })
  answer('T1')
  const { expiresAtMs } = await got
  expect(tokens.state()).toEqual({ kind: 'fresh', fetching: false, expiresAtMs })
  expect(events).toEqual([{ kind: 'token-refreshed' }])
})
