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
