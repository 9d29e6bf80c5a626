import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBandwidth, planSlice } from '../../src/wecom/bandwidth.ts'
import { createFakeClock, type FakeClock } from '../helpers/fake-clock.ts'
import { patient } from './client.ts'

const RATE = 32 * 1024
const BURST_BYTES = RATE / 4

interface Taken {
  readonly atMs: number
  readonly bytes: number
}

/** Takes slice after slice, and writes down when each one went. */
async function takeForEver(
  bandwidth: ReturnType<typeof createBandwidth>,
  clock: FakeClock,
  taken: Taken[],
  bytes = bandwidth.sliceBytes,
  signal = patient,
) {
  for (let slice = 0; slice < 100_000; slice++) {
    await bandwidth.take(bytes, signal)
    taken.push({ atMs: clock.monotonicMs(), bytes })
  }
}

const sum = (taken: readonly Taken[]) => taken.reduce((total, { bytes }) => total + bytes, 0)

test('eight transfers together keep to the limit, and each gets the same', async () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth({ clock, bytesPerSecond: RATE })
  const stopping = new AbortController()
  const all: Taken[][] = Array.from({ length: 8 }, () => [])
  const done = all.map((taken) =>
    takeForEver(bandwidth, clock, taken, undefined, stopping.signal).catch((error) => error),
  )
  await clock.advance(60_000)
  const total = all.reduce((bytes, taken) => bytes + sum(taken), 0)
  expect(total / (60 * RATE)).toBeCloseTo(1, 2)
  for (const taken of all) {
    expect(Math.abs(sum(taken) - total / 8)).toBeLessThanOrEqual(bandwidth.sliceBytes)
    // None stands still for longer than a round of all takes.
    const gaps = taken.slice(1).map(({ atMs }, index) => atMs - (taken[index]?.atMs ?? 0))
    expect(Math.max(...gaps)).toBeLessThanOrEqual(600)
  }
  stopping.abort(new Error('enough'))
  for (const failure of await Promise.all(done)) expect(failure.message).toBe('enough')
  expect(clock.pendingTimers()).toBe(0)
})

test('an idle hour buys a quarter of a second', async () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth({ clock, bytesPerSecond: RATE })
  await clock.advance(3_600_000)
  const taken: Taken[] = []
  const stopping = new AbortController()
  const done = takeForEver(bandwidth, clock, taken, undefined, stopping.signal).catch(() => {})
  await clock.advance(0)
  expect(sum(taken)).toBeGreaterThanOrEqual(BURST_BYTES)
  expect(sum(taken)).toBeLessThanOrEqual(BURST_BYTES + bandwidth.sliceBytes)
  stopping.abort(new Error('enough'))
  await done
})

test('no span of time carries more than the limit and the burst, whoever asks when', async () => {
  const asks = fc.array(
    fc.record({
      waitMs: fc.integer({ min: 0, max: 2_000 }),
      part: fc.integer({ min: 1, max: 16 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  await fc.assert(
    fc.asyncProperty(asks, async (moments) => {
      const clock = createFakeClock()
      const bandwidth = createBandwidth({ clock, bytesPerSecond: RATE })
      const taken: Taken[] = []
      const turns: Promise<void>[] = []
      for (const { waitMs, part } of moments) {
        await clock.advance(waitMs)
        const bytes = Math.ceil(bandwidth.sliceBytes / part)
        const note = () => void taken.push({ atMs: clock.monotonicMs(), bytes })
        turns.push(bandwidth.take(bytes, patient).then(note))
      }
      await clock.advance(10_000)
      expect(taken).toHaveLength(moments.length)
      await Promise.all(turns)
      for (const [first, { atMs: fromMs }] of taken.entries()) {
        for (let last = first; last < taken.length; last++) {
          const spanMs = (taken[last]?.atMs ?? 0) - fromMs
          const most = ((spanMs + 250) / 1000) * RATE + bandwidth.sliceBytes
          expect(sum(taken.slice(first, last + 1))).toBeLessThanOrEqual(most + 1)
        }
      }
      expect(clock.pendingTimers()).toBe(0)
    }),
    { numRuns: 30 },
  )
})

test.each([
  ['forward', 86_400_000],
  ['back', -86_400_000],
])('a clock that leaps %s neither stalls a slice nor lets a flood through', (_name, leapMs) => {
  const costMs = 50
  let takenUntilMs = 1_000_000
  const nowMs = 1_000_000 + leapMs
  let at = nowMs
  let wentAtOnce = 0
  for (let slice = 0; slice < 20; slice++) {
    const turn = planSlice(takenUntilMs, costMs, at)
    expect(turn.waitMs).toBeLessThanOrEqual(63)
    if (turn.waitMs === 0 && at === nowMs) wentAtOnce++
    at += turn.waitMs
    takenUntilMs = turn.takenUntilMs
  }
  expect(wentAtOnce).toBeLessThanOrEqual(6)
  expect(at - nowMs).toBeGreaterThanOrEqual(13 * costMs)
})

test('a clock that is set changes nothing: what counts is the time that passes', async () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth({ clock, bytesPerSecond: RATE })
  const taken: Taken[] = []
  const stopping = new AbortController()
  const done = takeForEver(bandwidth, clock, taken, undefined, stopping.signal).catch(() => {})
  for (let second = 0; second < 10; second++) {
    clock.leap((second % 2 === 0 ? 1 : -1) * 86_400_000)
    await clock.advance(1_000)
  }
  expect(sum(taken) / (10 * RATE)).toBeCloseTo(1, 1)
  stopping.abort(new Error('enough'))
  await done
})

test('whoever gives up while waiting is told why, and those behind lose nothing', async () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth({ clock, bytesPerSecond: RATE })
  const impatient = new AbortController()
  await bandwidth.take(bandwidth.sliceBytes, patient)
  const first = bandwidth.take(bandwidth.sliceBytes, impatient.signal)
  const second = bandwidth.take(bandwidth.sliceBytes, patient)
  impatient.abort(new Error('enough'))
  await expect(first).rejects.toThrow('enough')
  await clock.advance(63)
  await second
  expect(clock.pendingTimers()).toBe(0)
})

test('a signal that has fired already takes nothing', async () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth({ clock, bytesPerSecond: RATE })
  const gone = bandwidth.take(bandwidth.sliceBytes, AbortSignal.abort(new Error('no')))
  await expect(gone).rejects.toThrow('no')
  await bandwidth.take(bandwidth.sliceBytes, patient)
  expect(clock.pendingTimers()).toBe(0)
})

test.each([
  [1024, 64],
  [RATE, 2048],
  [100 * 2 ** 20, 65_536],
])('at %i bytes a second a slice is %i bytes', (bytesPerSecond, sliceBytes) => {
  expect(createBandwidth({ clock: createFakeClock(), bytesPerSecond }).sliceBytes).toBe(sliceBytes)
})
