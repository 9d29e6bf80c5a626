import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FileUnreadable } from '../../src/errors.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import type { Outcome } from '../../src/wecom/ailment.ts'
import {
  type Allowance,
  afterCallWell,
  afterTooMany,
  createConcurrency,
  fullAllowance,
} from '../../src/wecom/concurrency.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { refused, unreachable } from './errors.ts'

const MINUTE_MS = 60_000
const tooManyAtOnce = () => refused(45033)

function createBench(most = { uploads: 8, downloads: 8 }) {
  const clock = createFakeClock()
  const events: MirrorEvent[] = []
  const concurrency = createConcurrency({ clock, most, emit: (event) => void events.push(event) })
  let changes = 0
  concurrency.onChange(() => void changes++)
  /** So many uploads leave together and come to this, one after the other. */
  const together = (count: number, outcome: Outcome) => {
    const tells = Array.from({ length: count }, () => concurrency.enter('uploads'))
    for (const tell of tells) tell(outcome)
  }
  /** Ten quiet minutes with one call a minute. */
  const tenMinutes = async () => {
    for (let minute = 0; minute < 10; minute++) {
      await clock.advance(MINUTE_MS)
      together(1, 'well')
    }
  }
  const uploads = () => concurrency.slots().uploads
  return { clock, events, concurrency, together, tenMinutes, uploads, changes: () => changes }
}

test('allows what is configured as long as nobody objects', () => {
  const { concurrency, together } = createBench({ uploads: 4, downloads: 2 })
  together(4, 'well')
  expect(concurrency.slots()).toEqual({ uploads: 4, downloads: 2 })
})

describe('too many at once', () => {
  test('calls refused together halve it once, and are told once', () => {
    const { events, together, uploads, changes } = createBench()
    together(8, tooManyAtOnce())
    expect(uploads()).toBe(4)
    expect(changes()).toBe(1)
    expect(events).toEqual([{ kind: 'concurrency-lowered', direction: 'uploads', from: 8, to: 4 }])
  })

  test('the other direction, which the service counts apart, keeps its slots', () => {
    const { concurrency, together } = createBench()
    together(8, tooManyAtOnce())
    expect(concurrency.slots().downloads).toBe(8)
  })

  test('half of what was under way counts, not of what was allowed', () => {
    const { together, uploads } = createBench()
    together(4, tooManyAtOnce())
    expect(uploads()).toBe(2)
  })

  test('again and again: never below one, and nothing is told where nothing is lowered', () => {
    const { events, together, uploads } = createBench()
    for (let turn = 0; turn < 6; turn++) together(uploads(), tooManyAtOnce())
    expect(uploads()).toBe(1)
    expect(events.map((event) => event.kind === 'concurrency-lowered' && event.to)).toEqual([
      4, 2, 1,
    ])
  })

  test.each<[string, Outcome]>([
    ['too many calls in all', refused(45009)],
    ['an outage', unreachable()],
    ['a wrong secret', refused(40001)],
    ['nothing', 'nothing'],
    ['a file that changed', new FileUnreadable('x')],
  ])('%s is something else', (_name, outcome) => {
    const { together, uploads } = createBench()
    together(8, outcome)
    expect(uploads()).toBe(8)
  })
})

describe('growing back', () => {
  test('one more after each ten quiet minutes with calls, up to what is configured', async () => {
    const { together, tenMinutes, uploads, changes } = createBench()
    together(8, tooManyAtOnce())
    const seen = []
    for (let turn = 0; turn < 6; turn++) {
      await tenMinutes()
      seen.push(uploads())
    }
    expect(seen).toEqual([5, 6, 7, 8, 8, 8])
    expect(changes()).toBe(5)
  })

  test('not by silence: an idle daemon has learnt nothing', async () => {
    const { clock, together, uploads } = createBench()
    together(8, tooManyAtOnce())
    await clock.advance(24 * 60 * MINUTE_MS)
    together(9, 'well')
    expect(uploads()).toBe(4)
    together(1, 'well')
    expect(uploads()).toBe(5)
  })

  test('not by many calls in a short time', async () => {
    const { clock, together, uploads } = createBench()
    together(8, tooManyAtOnce())
    await clock.advance(10 * MINUTE_MS - 1)
    together(5_000, 'well')
    expect(uploads()).toBe(4)
  })

  test('a refusal in between starts the quiet time anew', async () => {
    const { clock, together, tenMinutes, uploads } = createBench()
    together(8, tooManyAtOnce())
    await clock.advance(9 * MINUTE_MS)
    together(20, 'well')
    together(1, tooManyAtOnce())
    expect(uploads()).toBe(1)
    await clock.advance(9 * MINUTE_MS)
    together(20, 'well')
    expect(uploads()).toBe(1)
    await tenMinutes()
    expect(uploads()).toBe(2)
  })

  test('a clock that is set a day forward or back lifts nothing and holds nothing up', async () => {
    const { clock, together, tenMinutes, uploads } = createBench()
    together(8, tooManyAtOnce())
    clock.leap(24 * 60 * MINUTE_MS)
    together(20, 'well')
    expect(uploads()).toBe(4)
    clock.leap(-48 * 60 * MINUTE_MS)
    await tenMinutes()
    expect(uploads()).toBe(5)
  })

  test('calls that left before it was lowered prove nothing about it', async () => {
    const { clock, concurrency, together, uploads } = createBench()
    const before = Array.from({ length: 20 }, () => concurrency.enter('uploads'))
    together(8, tooManyAtOnce())
    const lowered = uploads()
    await clock.advance(11 * MINUTE_MS)
    for (const tell of before) tell('well')
    expect(uploads()).toBe(lowered)
  })
})

test('whatever comes: within one and what is configured, halved at most once for calls that left together, grown by one at a time', () => {
  const happening = fc.record({
    kind: fc.constantFrom('well', 'too-many', 'stale-well', 'stale-too-many'),
    underWay: fc.integer({ min: 1, max: 40 }),
    afterMs: fc.integer({ min: 0, max: 15 * MINUTE_MS }),
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 32 }), fc.array(happening), (most, happenings) => {
      let nowMs = 0
      let changedAtMs = 0
      let allowance: Allowance = fullAllowance(most, nowMs)
      for (const { kind, underWay, afterMs } of happenings) {
        nowMs += afterMs
        const { limit, lowerings } = allowance
        const isStale = kind.startsWith('stale')
        const call = { lowerings: isStale ? lowerings - 1 : lowerings, underWay }
        allowance = kind.endsWith('well')
          ? afterCallWell(allowance, call, nowMs)
          : afterTooMany(allowance, call, nowMs)
        expect(allowance.limit).toBeGreaterThanOrEqual(1)
        expect(allowance.limit).toBeLessThanOrEqual(most)
        if (isStale) expect(allowance.limit).toBe(limit)
        else if (kind === 'too-many') {
          expect(allowance.limit).toBeLessThanOrEqual(Math.max(1, limit / 2))
          changedAtMs = nowMs
        } else if (allowance.limit !== limit) {
          expect(allowance.limit).toBe(limit + 1)
          expect(nowMs - changedAtMs).toBeGreaterThanOrEqual(10 * MINUTE_MS)
          changedAtMs = nowMs
        }
      }
    }),
  )
})
