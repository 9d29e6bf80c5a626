import { expect, test } from 'vitest'
import { FileUnreadable, type MirrorError } from '../../src/errors.ts'
import { createRetryingWecom, retryDelayMs } from '../../src/wecom/retrying-wecom.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { aMedium, createMemoryWecom } from '../helpers/memory-wecom.ts'
import { failureOf, patient } from './client.ts'
import { refused, unreachable } from './errors.ts'

function createBench() {
  const clock = createFakeClock()
  const memory = createMemoryWecom({ clock })
  const may = { repeat: true }
  const wecom = createRetryingWecom({
    wecom: memory,
    clock,
    random: () => 0.999,
    mayRepeat: () => may.repeat,
  })
  return { clock, memory, wecom, may }
}

test('what only needs time is tried three times within seconds', async () => {
  const { clock, memory, wecom } = createBench()
  memory.failNext(unreachable(), unreachable())
  const upload = wecom.upload(aMedium(), patient)
  await clock.advance(5_000)
  expect((await upload).mediaId).toBeTruthy()
  expect(memory.attempts).toBe(3)
})

test('after the third failure the error is handed on as it came', async () => {
  const { clock, memory, wecom } = createBench()
  const last = refused(-1)
  memory.failNext(unreachable(), refused(-1), last, unreachable())
  const failure = failureOf(wecom.upload(aMedium(), patient))
  await clock.advance(60_000)
  expect(await failure).toBe(last)
  expect(memory.attempts).toBe(3)
})

test.each<[string, MirrorError]>([
  ['stop', refused(40001)],
  ['skip', refused(40007)],
  ['slow-down', refused(45009)],
  ['refresh-token', refused(42001)],
  ['skip, a file of ours', new FileUnreadable('changed')],
])('remedy %s is not for this wrapper', async (_remedy, error) => {
  const { clock, memory, wecom } = createBench()
  memory.failNext(error)
  expect(await failureOf(wecom.download({ mediaId: memory.idOf('x') }, patient))).toBe(error)
  expect(memory.attempts).toBe(1)
  expect(clock.pendingTimers()).toBe(0)
})

test('while the circuit is not closed there is one attempt: a probe is one call', async () => {
  const { clock, memory, wecom, may } = createBench()
  may.repeat = false
  const first = unreachable()
  memory.failNext(first)
  expect(await failureOf(wecom.upload(aMedium(), patient))).toBe(first)
  expect(memory.attempts).toBe(1)
  expect(clock.pendingTimers()).toBe(0)
})

test('a circuit that opens during the wait ends it with the error as it came', async () => {
  const { clock, memory, wecom, may } = createBench()
  const first = unreachable()
  memory.failNext(first)
  const failure = failureOf(wecom.upload(aMedium(), patient))
  await clock.advance(100)
  may.repeat = false
  await clock.advance(5_000)
  expect(await failure).toBe(first)
  expect(memory.attempts).toBe(1)
})

test.each([new Error('bug'), new TypeError('bug')])('a bug is not retried: %s', async (bug) => {
  const { memory, wecom } = createBench()
  memory.failNext(bug)
  expect(await failureOf(wecom.upload(aMedium(), patient))).toBe(bug)
  expect(memory.attempts).toBe(1)
})

test('the wait between attempts ends with the signal', async () => {
  const { clock, memory, wecom } = createBench()
  memory.failNext(unreachable())
  const impatient = new AbortController()
  const failure = failureOf(wecom.upload(aMedium(), impatient.signal))
  await clock.advance(1)
  impatient.abort(new Error('stopping'))
  expect((await failure).message).toBe('stopping')
  expect(memory.attempts).toBe(1)
  expect(clock.pendingTimers()).toBe(0)
})

test('a receipt that arrives as the signal fires is not thrown away', async () => {
  const { memory } = createBench()
  const stopping = new AbortController()
  const wecom = createRetryingWecom({
    wecom: {
      ...memory,
      async upload(request, signal) {
        const receipt = await memory.upload(request, signal)
        stopping.abort()
        return receipt
      },
    },
    clock: createFakeClock(),
    random: Math.random,
    mayRepeat: () => true,
  })
  expect((await wecom.upload(aMedium(), stopping.signal)).mediaId).toBeTruthy()
})

test('delays are spread over the whole of a growing ceiling, also at its cap', () => {
  expect([1, 2, 3, 4, 9].map((failed) => retryDelayMs(failed, 1))).toEqual([
    500, 1_000, 2_000, 4_000, 4_000,
  ])
  expect(retryDelayMs(9, 0)).toBe(0)
  expect(retryDelayMs(9, 0.5)).toBe(2_000)
})
