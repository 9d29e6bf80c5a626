// What holds of the circuit whatever happens and however the dice fall: random happenings, and outages of a day and a week.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Outcome, probeWaitMs } from '../../src/wecom/ailment.ts'
import { createCircuit, type Tell } from '../../src/wecom/circuit.ts'
import { createInstantClock } from '../helpers/instant-clock.ts'
import { refused, unreachable } from './errors.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const ills = [unreachable(), refused(-1), refused(45009), refused(45033), refused(40001)]
const anIll = fc.constantFrom(...ills)
const anOutcome = fc.oneof(
  { weight: 3, arbitrary: anIll },
  fc.constantFrom<Outcome>('well', 'nothing', refused(40007)),
)
/** Draws that may all be the smallest, or all the largest, as well as anything between. */
const draws = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))

function createBench(drawn: Iterator<number>) {
  const clock = createInstantClock()
  const random = () => drawn.next().value ?? 0
  return { clock, circuit: createCircuit({ clock, random, emit: () => {} }) }
}

/** As a queue with work does: starts whatever may start, and each call is over at once. The moments of all calls. */
function callAllDay(
  drawn: Iterator<number>,
  { durationMs, answer }: { durationMs: number; answer: () => Outcome },
) {
  const { clock, circuit } = createBench(drawn)
  const startMs = clock.nowMs()
  const callsAtMs: number[] = []
  while (clock.nowMs() < startMs + durationMs) {
    while (circuit.admits()) {
      const tell = circuit.enter()
      callsAtMs.push(clock.nowMs() - startMs)
      tell(answer())
    }
    clock.advance((circuit.state().nextProbeAtMs ?? 0) - clock.nowMs())
  }
  return { clock, circuit, callsAtMs }
}

const mostWithin = (sortedMs: readonly number[], spanMs: number): number => {
  let first = 0
  let most = 0
  for (const [last, atMs] of sortedMs.entries()) {
    while ((sortedMs[first] ?? atMs) <= atMs - spanMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

type Happening =
  | { readonly kind: 'step' | 'call' | 'release' }
  | { readonly kind: 'tell'; readonly which: number; readonly outcome: Outcome }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'wait' }

const aHappening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constantFrom('step' as const, 'call' as const, 'release' as const) }),
  fc.record({ kind: fc.constant('tell' as const), which: fc.nat(9), outcome: anOutcome }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: MINUTE_MS }) }),
  fc.record({ kind: fc.constant('wait' as const) }),
)

test('never is more than one probe out, nothing leaves while it is open, and only the probe decides', () => {
  fc.assert(
    fc.property(draws, fc.array(aHappening, { maxLength: 100 }), (drawn, happenings) => {
      const { clock, circuit } = createBench(drawn)
      const out: { tell: Tell; isProbe: boolean }[] = []
      const probesOut = () => out.filter(({ isProbe }) => isProbe).length
      for (const happening of happenings) {
        const before = circuit.state()
        switch (happening.kind) {
          case 'step':
            if (circuit.admits()) expect(before.kind === 'half-open' && probesOut()).not.toBe(1)
            break
          case 'release':
            circuit.release()
            break
          case 'call': {
            const mayLeave =
              before.kind === 'closed' || (before.kind === 'half-open' && probesOut() === 0)
            if (mayLeave) out.push({ tell: circuit.enter(), isProbe: before.kind !== 'closed' })
            else expect(() => circuit.enter()).toThrow('not called at present')
            break
          }
          case 'tell': {
            const [call] = out.splice(happening.which % Math.max(1, out.length), 1)
            call?.tell(happening.outcome)
            if (call && !call.isProbe && before.kind !== 'closed')
              expect(circuit.state()).toEqual(before)
            if (call?.isProbe) expect(before.kind).toBe('half-open')
            break
          }
          case 'pass':
            clock.advance(happening.ms)
            break
          case 'wait':
            if (before.kind === 'open') clock.advance((before.nextProbeAtMs ?? 0) - clock.nowMs())
        }
        expect(probesOut()).toBeLessThanOrEqual(1)
        if (probesOut() === 1) expect(circuit.state().kind).toBe('half-open')
      }
    }),
  )
})

test('a day without the service costs at most 8,650 calls, however the dice fall, and no more than 12 in any minute', () => {
  fc.assert(
    fc.property(draws, fc.constantFrom(unreachable(), refused(-1)), (drawn, error) => {
      const { callsAtMs } = callAllDay(drawn, { durationMs: DAY_MS, answer: () => error })
      expect(callsAtMs.length).toBeLessThanOrEqual(8_650)
      expect(mostWithin(callsAtMs, MINUTE_MS)).toBeLessThanOrEqual(12)
    }),
    { numRuns: 20 },
  )
})

test('with honest dice it costs about 2,470 calls, one every 35 seconds', () => {
  const { callsAtMs } = callAllDay(honestDice(), {
    durationMs: DAY_MS,
    answer: unreachable,
  })
  expect(callsAtMs.length).toBeGreaterThan(2_350)
  expect(callsAtMs.length).toBeLessThan(2_600)
})

test('a wrong secret is shown at most 290 times a day and 13 times an hour, whatever else is met in between', () => {
  fc.assert(
    fc.property(draws, fc.infiniteStream(anIll), (drawn, met) => {
      let isFirst = true
      const answer = () => {
        if (!isFirst) return met.next().value ?? unreachable()
        isFirst = false
        return refused(40001)
      }
      const { callsAtMs } = callAllDay(drawn, { durationMs: 2 * DAY_MS, answer })
      expect(mostWithin(callsAtMs, DAY_MS)).toBeLessThanOrEqual(290)
      expect(mostWithin(callsAtMs, HOUR_MS)).toBeLessThanOrEqual(13)
    }),
    { numRuns: 50 },
  )
})

test.each([
  ['an outage', 'failing', unreachable(), MINUTE_MS],
  ['too many calls', 'slowed', refused(45009), 66 * MINUTE_MS],
  ['a wrong secret', 'stopped', refused(40001), 15 * MINUTE_MS],
] as const)(
  'after %s of any length it closes within the longest wait of its kind',
  (_name, ailment, error, longestMs) => {
    expect(probeWaitMs(ailment, 1_000).mostMs).toBeCloseTo(longestMs, 3)
    const aDuration = fc.integer({ min: 0, max: 2 * DAY_MS })
    fc.assert(
      fc.property(draws, aDuration, (drawn, durationMs) => {
        const { clock, circuit } = callAllDay(drawn, { durationMs, answer: () => error })
        // The last probe in vain may have gone the moment before the service came back.
        const backAtMs = clock.nowMs()
        while (circuit.state().kind !== 'closed') {
          clock.advance((circuit.state().nextProbeAtMs ?? 0) - clock.nowMs())
          if (circuit.admits()) circuit.enter()('well')
        }
        expect(clock.nowMs() - backAtMs).toBeLessThanOrEqual(longestMs + 1)
        for (let turn = 0; turn < 100; turn++) expect(circuit.admits()).toBe(true)
      }),
      { numRuns: 30 },
    )
  },
)

/** The same ones each time (a linear congruence), so that what is stated of them is stated for good. */
function* honestDice(): Generator<number> {
  let seed = 20_261_122
  while (true) {
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32
    yield seed / 2 ** 32
  }
}
