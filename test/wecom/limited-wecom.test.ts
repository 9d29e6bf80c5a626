import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLimitedWecom } from '../../src/wecom/limited-wecom.ts'
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
