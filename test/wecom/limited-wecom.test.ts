import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CallsMade, createLimitedWecom, type GateUse } from '../../src/wecom/limited-wecom.ts'
import type { SpentCalls } from '../../src/wecom/quota.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { aMedium, createMemoryWecom } from '../helpers/memory-wecom.ts'
import { patient } from './client.ts'

function createBench(perMinute: number) {
  const clock = createFakeClock()
  const memory = createMemoryWecom({ clock })
  const quota = { perMinute, perHour: 1_000, share: 1 }
  const wecom = createLimitedWecom({ wecom: memory, clock, quota })
  return { clock, memory, wecom }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `${index}.txt`)

test('callers go in the order in which they came, as the quota allows', async () => {
  const { clock, memory, wecom } = createBench(3)
  const uploads = names(7).map((wireName) => wecom.upload(aMedium({ wireName }), patient))
  await clock.advance(0)
  expect(memory.uploads.map((upload) => upload.wireName)).toEqual(names(3))
  await clock.advance(61_000)
  expect(memory.uploads.map((upload) => upload.wireName)).toEqual(names(6))
  await clock.advance(61_000)
  await Promise.all(uploads)
  expect(memory.uploads.map((upload) => upload.wireName)).toEqual(names(7))
})

test('downloads do not wait for uploads, which the service counts apart', async () => {
  const { memory, wecom } = createBench(1)
  const { mediaId } = await wecom.upload(aMedium(), patient)
  await wecom.download({ mediaId }, patient)
  expect(memory.downloads).toHaveLength(1)
})

test('whoever gives up while waiting is told at once, and those behind lose nothing', async () => {
  const { clock, memory, wecom } = createBench(1)
  await wecom.upload(aMedium(), patient)
  const impatient = new AbortController()
  const [second, third] = ['second', 'third'].map((wireName) =>
    wecom.upload(aMedium({ wireName }), wireName === 'second' ? impatient.signal : patient),
  )
  await clock.advance(1_000)
  impatient.abort(new Error('enough'))
  await expect(second).rejects.toThrow('enough')
  await clock.advance(60_000)
  await third
  expect(memory.uploads.map((upload) => upload.wireName)).toEqual(['medium.txt', 'third'])
  expect(clock.pendingTimers()).toBe(0)
})

test('one in the middle of the line who gives up is told at once too', async () => {
  const { clock, wecom } = createBench(1)
  await wecom.upload(aMedium(), patient)
  const first = wecom.upload(aMedium(), patient)
  const impatient = new AbortController()
  const middle = wecom.upload(aMedium(), impatient.signal)
  impatient.abort(new Error('enough'))
  await expect(middle).rejects.toThrow('enough')
  await clock.advance(61_000)
  await first
})

test('a call that has room is made before its caller goes on, with nothing to wait for in between', () => {
  const { memory, wecom } = createBench(3)
  const order: string[] = []
  const upload = memory.upload.bind(memory)
  memory.upload = (...given) => {
    order.push('called')
    return upload(...given)
  }
  void wecom.upload(aMedium(), patient)
  order.push('returned')
  expect(order).toEqual(['called', 'returned'])
})

test('a signal that has fired already costs no call', async () => {
  const { memory, wecom } = createBench(1)
  await expect(wecom.upload(aMedium(), AbortSignal.abort(new Error('no')))).rejects.toThrow('no')
  await wecom.upload(aMedium(), patient)
  expect(memory.uploads).toHaveLength(1)
})

test('who comes at the very moment when there is room again still goes behind those who wait', async () => {
  const { clock, memory, wecom } = createBench(1)
  await wecom.upload(aMedium({ wireName: 'first' }), patient)
  const late = Promise.withResolvers<unknown>()
  clock.after(61_000, () => late.resolve(wecom.upload(aMedium({ wireName: 'third' }), patient)))
  const waiting = wecom.upload(aMedium({ wireName: 'second' }), patient)
  await clock.advance(3 * 61_000)
  await Promise.all([waiting, late.promise])
  expect(memory.uploads.map(({ wireName }) => wireName)).toEqual(['first', 'second', 'third'])
})

test('a clock that is set back and forth neither stalls the calls nor lets more of them out', async () => {
  const steps = fc.array(
    fc.record({
      leapMs: fc.oneof(fc.constant(0), fc.integer({ min: -100 * 3_600_000, max: 100 * 3_600_000 })),
      passMs: fc.integer({ min: 0, max: 40_000 }),
      calls: fc.integer({ min: 0, max: 4 }),
    }),
    { minLength: 1, maxLength: 25 },
  )
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (moments, perMinute) => {
      const clock = createFakeClock()
      const times: number[] = []
      const memory = createMemoryWecom({ clock })
      const counted = {
        ...memory,
        upload: (...given: Parameters<typeof memory.upload>) => {
          times.push(clock.monotonicMs())
          return memory.upload(...given)
        },
      }
      const quota = { perMinute, perHour: 1_000, share: 1 }
      const wecom = createLimitedWecom({ wecom: counted, clock, quota })
      const uploads: Promise<unknown>[] = []
      for (const { leapMs, passMs, calls } of moments) {
        clock.leap(leapMs)
        for (let call = 0; call < calls; call++) uploads.push(wecom.upload(aMedium(), patient))
        await clock.advance(passMs)
      }
      const mostMs = Math.ceil(uploads.length / perMinute) * 61_000
      await clock.advance(mostMs)
      expect(times).toHaveLength(uploads.length)
      await Promise.all(uploads)
      for (const fromMs of times) {
        const within = times.filter((t) => t >= fromMs && t < fromMs + 60_000)
        expect(within.length).toBeLessThanOrEqual(perMinute)
      }
      expect(clock.pendingTimers()).toBe(0)
    }),
    { numRuns: 25 },
  )
})

test('a program that is killed and started again, however often, stays within the windows', async () => {
  const lives = fc.array(
    fc.record({
      calls: fc.integer({ min: 0, max: 9 }),
      everyMs: fc.integer({ min: 0, max: 4_000 }),
      awayMs: fc.integer({ min: 0, max: 30_000 }),
    }),
    { minLength: 2, maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(lives, fc.integer({ min: 1, max: 150 }), async (all, perMinute) => {
      const clock = createFakeClock()
      const memory = createMemoryWecom({ clock })
      const times: number[] = []
      let page: { readonly atMs: number; readonly made: CallsMade } | undefined
      const aged = ({ minute, hour, upcoming }: GateUse): GateUse => {
        const sinceMs = clock.monotonicMs() - (page?.atMs ?? 0)
        const later = (spent: SpentCalls) => ({ ...spent, agoMs: spent.agoMs + sinceMs })
        return { minute: minute.map(later), hour: hour.map(later), upcoming }
      }
      const nothing: GateUse = { minute: [], hour: [], upcoming: 0 }
      for (const { calls, everyMs, awayMs } of all) {
        const kill = new AbortController()
        let isAlive = true
        const wecom = createLimitedWecom({
          clock,
          quota: { perMinute, perHour: 1_000, share: 1 },
          wecom: {
            ...memory,
            upload(...given) {
              times.push(clock.monotonicMs())
              return memory.upload(...given)
            },
          },
          book: {
            made: {
              uploads: aged(page?.made.uploads ?? nothing),
              downloads: aged(page?.made.downloads ?? nothing),
            },
            async write(made) {
              await clock.sleep(20)
              if (isAlive) page = { atMs: clock.monotonicMs() - 20, made }
            },
          },
        })
        for (let call = 0; call < calls * 10; call++) {
          wecom.upload(aMedium(), kill.signal).catch(() => undefined)
          if (call % 10 === 9) await clock.advance(everyMs)
        }
        isAlive = false
        kill.abort(new Error('killed'))
        await clock.advance(awayMs)
      }
      for (const fromMs of times) {
        const within = times.filter((t) => t >= fromMs && t < fromMs + 60_000)
        expect(within.length).toBeLessThanOrEqual(perMinute)
      }
    }),
    { numRuns: 25 },
  )
})
