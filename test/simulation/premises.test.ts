// What the verdicts of the simulation rest on: its clock, its windows and its bounds, each held against something plainer.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fewestDeaths, fewestDeathsServed, shortestMs, type Window } from './bounds.ts'
import { runScenario } from './run-scenario.ts'
import { shortScenarios } from './scenarios.ts'
import { createSlidingWindow } from './sliding-window.ts'
import { createVirtualClock } from './virtual-clock.ts'

const never = () => false
const moments = fc
  .array(fc.nat(300), { maxLength: 60 })
  .map((list) => list.toSorted((a, b) => a - b))

describe('the virtual clock', () => {
  it('moves on only when the longest chain of promises has run dry', async () => {
    const clock = createVirtualClock(0)
    const seen: number[] = []
    clock.after(1, async () => {
      for (let n = 0; n < 5_000; n++) await Promise.resolve()
      seen.push(clock.monotonicMs())
    })
    clock.after(2, () => void seen.push(clock.monotonicMs()))
    await clock.runUntil(10, never)
    expect(seen).toEqual([1, 2])
  })

  it('stands still while somebody is busy, however many turns that takes', async () => {
    const clock = createVirtualClock(0)
    let turns = 0
    clock.after(5, () => {})
    await clock.runUntil(3, () => turns++ < 100)
    expect({ turns, at: clock.monotonicMs() }).toEqual({ turns: 101, at: 3 })
  })

  it('fires timers in the order of their moments, those of one moment in the order of their setting', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20)), async (delays) => {
        const clock = createVirtualClock(0)
        const fired: number[] = []
        delays.forEach((delayMs, number) => void clock.after(delayMs, () => fired.push(number)))
        await clock.runUntil(20, never)
        const sorted = delays.map((_, number) => number)
        sorted.sort((a, b) => (delays[a] ?? 0) - (delays[b] ?? 0) || a - b)
        expect(fired).toEqual(sorted)
      }),
      { numRuns: 50 },
    )
  })
})

it('a sliding window counts what the definition counts', () => {
  fc.assert(
    fc.property(moments, fc.integer({ min: 1, max: 50 }), (calls, spanMs) => {
      const window = createSlidingWindow(spanMs, 100)
      for (const [number, atMs] of calls.entries()) {
        const within = calls.slice(0, number + 1).filter((call) => call > atMs - spanMs)
        expect(window.add(atMs)).toBe(within.length)
      }
    }),
  )
})

describe('the fewest deaths', () => {
  const windows: Window[] = [
    { spanMs: 5, limit: 2 },
    { spanMs: 17, limit: 4 },
  ]
  const start = { startMs: 0, calledAtMs: [], windows }

  /** By trying every choice of whom to save at each call. */
  const tryAll = (
    deadlines: readonly number[],
    untilMs: number,
    callsMs = deadlines.map((_, n) => shortestMs(n + 1, start)),
  ): number => {
    const save = (call: number, left: readonly number[]): number => {
      const atMs = callsMs[call]
      if (atMs === undefined || atMs >= untilMs) return 0
      const living = left.filter((deadline) => deadline > atMs)
      return living.reduce(
        (most, _, n) => Math.max(most, 1 + save(call + 1, living.toSpliced(n, 1))),
        0,
      )
    }
    const inDanger = deadlines.filter((deadline) => deadline <= untilMs)
    return inDanger.length - save(0, inDanger)
  }

  it('are those of the best of all orders', () => {
    const few = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 })
    fc.assert(
      fc.property(few, (deadlines) => {
        const sorted = Float64Array.from(deadlines).sort()
        const problem = { ...start, deadlines: sorted, untilMs: 40, lifetimeMs: 100 }
        expect(fewestDeaths(problem)).toBe(tryAll(deadlines, 40))
      }),
    )
  })

  it('are those of the best of all orders where only some calls went well', () => {
    const deadlinesOfFew = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 })
    fc.assert(
      fc.property(deadlinesOfFew, moments, (deadlines, served) => {
        let at = 0
        const problem = {
          deadlines: Float64Array.from(deadlines).sort(),
          startMs: 0,
          untilMs: 40,
          lifetimeMs: 100,
        }
        const fewest = fewestDeathsServed(problem, () => served[at++] ?? Infinity)
        expect(fewest).toBe(tryAll(deadlines, 40, served))
      }),
    )
  })

  it('know how long each call holds its slot', () => {
    const fewest = (tookMs: readonly number[], count: number) =>
      fewestDeaths({
        startMs: 0,
        calledAtMs: [],
        windows: [],
        slots: { count, tookMs: (call) => tookMs[call] ?? 0 },
        deadlines: Float64Array.of(2, 4, 6, 8),
        untilMs: 40,
        lifetimeMs: 100,
      })
    expect(fewest([3, 2, 2, 2], 1)).toBe(0)
    // The second call can leave at 5 only: 4 is lost, 6 and 8 are not.
    expect(fewest([5, 2, 2, 2], 1)).toBe(1)
    expect(fewest([5, 2, 2, 2], 2)).toBe(0)
    expect(fewest([9, 9, 9, 9], 1)).toBe(3)
    expect(fewest([9, 9, 9, 9], 2)).toBe(2)
  })

  it('are more when the windows are already full', () => {
    const problem = { ...start, deadlines: Float64Array.of(3, 3), untilMs: 40, lifetimeMs: 100 }
    expect(fewestDeaths(problem)).toBe(0)
    expect(fewestDeaths({ ...problem, calledAtMs: [-1, -1] })).toBe(2)
  })
})

it('one seed is one trace, and another seed another', async () => {
  const [scenario] = shortScenarios()
  if (scenario === undefined) throw new Error('there is no scenario')
  const small = { ...scenario, media: 300, days: 5 }
  const traces = await Promise.all([1, 1, 2].map((seed) => runScenario(small, seed)))
  const [first, again, other] = traces.map(({ digest }) => digest)
  expect(again).toBe(first)
  expect(other).not.toBe(first)
})
