// The bandwidth limit on real streams: over loopback against the simulator where time is real, in memory where it is not.
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createBandwidth } from '../../src/wecom/bandwidth.ts'
import { createPacedWecom } from '../../src/wecom/paced-wecom.ts'
import type { ExchangeLimits } from '../../src/wecom/watchdog.ts'
import type { Wecom } from '../../src/wecom/wecom.ts'
import { describeWecomContract } from '../contracts/wecom-contract.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { aMedium, createMemoryWecom } from '../helpers/memory-wecom.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { createClient, failureOf, patient } from './client.ts'

/** A client of a real simulator, held back; and the same without the limit. */
async function createBench(bytesPerSecond: number, limits?: ExchangeLimits) {
  const { baseUrl } = await withSimulator({ clock: systemClock })
  const { wecom: free } = createClient({ baseUrl })
  const client = createClient({ baseUrl, ...(limits && { limits }) })
  const bandwidth = createBandwidth({ clock: systemClock, bytesPerSecond })
  return { free, wecom: createPacedWecom({ wecom: client.wecom, bandwidth }) }
}

const upload = (wecom: Wecom, bytes: Buffer) =>
  wecom.upload(
    aMedium({ bytes, content: () => Readable.from([bytes], { objectMode: false }) }),
    patient,
  )

async function fetchWhole(wecom: Wecom, mediaId: Parameters<Wecom['download']>[0]['mediaId']) {
  const { body } = await wecom.download({ mediaId }, patient)
  return Buffer.concat(await body.toArray())
}

describeWecomContract('HTTP at 64 MB in a second', async () => {
  const { baseUrl, clock } = await withSimulator()
  const http = createClient({ baseUrl, clock })
  const bandwidth = createBandwidth({ clock: systemClock, bytesPerSecond: 64 * 2 ** 20 })
  return {
    wecom: createPacedWecom({ wecom: http.wecom, bandwidth }),
    nowMs: http.serviceClock.nowMs,
    unknownId: createMemoryWecom({ clock }).idOf('unknown'),
    pass: async (durationMs) => clock.leap(durationMs),
  }
})

test('four uploads and four downloads together keep within 5 % of the limit', async () => {
  const bytesPerSecond = 256 * 1024
  const { free, wecom } = await createBench(bytesPerSecond)
  const bytes = Buffer.alloc(96 * 1024, 'paced')
  const { mediaId } = await upload(free, bytes)
  // The burst of the beginning, and the token.
  await upload(wecom, Buffer.alloc(bytesPerSecond / 2))

  const startedAtMs = performance.now()
  const four = Array.from({ length: 4 })
  const [downloaded] = await Promise.all([
    Promise.all(four.map(() => fetchWhole(wecom, mediaId))),
    Promise.all(four.map(() => upload(wecom, bytes))),
  ])
  const rate = (8 * bytes.length * 1000) / (performance.now() - startedAtMs)
  for (const got of downloaded) expect(got.equals(bytes)).toBe(true)
  expect(rate / bytesPerSecond).toBeLessThan(1.05)
  // A busy machine may lose some of it, but a quarter of a second at a time is made good.
  expect(rate / bytesPerSecond).toBeGreaterThan(0.9)
})

/** Anything slower than 8 MB in a second is given up, and so is what stands still for a fifth of one. */
const STERN: ExchangeLimits = { idleMs: 200, baseMs: 300, minBytesPerSecond: 8 * 2 ** 20 }

test('eight transfers that we hold back are not taken for slow ones', async () => {
  const { free, wecom } = await createBench(2 ** 20, STERN)
  // Longer than all the buffers on its way.
  const long = Buffer.alloc(384 * 1024, 'long')
  const { mediaId } = await upload(free, long)
  const four = Array.from({ length: 4 })
  const startedAtMs = performance.now()
  const [downloaded] = await Promise.all([
    Promise.all(four.map(() => fetchWhole(wecom, mediaId))),
    Promise.all(four.map(() => upload(wecom, long.subarray(0, 96 * 1024)))),
  ])
  // Far longer than the stern limits grant: 300 ms, and 47 for the bytes.
  expect(performance.now() - startedAtMs).toBeGreaterThan(1_200)
  for (const got of downloaded) expect(got.equals(long)).toBe(true)
})

test('a transfer whose turn comes rarely is not taken for one that stands still', async () => {
  const { wecom } = await createBench(1024, STERN)
  // 64 bytes at a time, and each waits for seven others: half a second between two.
  const bytes = Buffer.alloc(192)
  await Promise.all(Array.from({ length: 8 }, () => upload(wecom, bytes)))
})

function createMemoryBench(bytesPerSecond: number) {
  const clock = createFakeClock()
  const memory = createMemoryWecom({ clock })
  const bandwidth = createBandwidth({ clock, bytesPerSecond })
  return { clock, memory, wecom: createPacedWecom({ wecom: memory, bandwidth }) }
}

test('an upload that is given up leaves no timer and closes its file', async () => {
  const { clock, wecom } = createMemoryBench(1024)
  const stopping = new AbortController()
  const file = Readable.from([Buffer.alloc(10_240)], { objectMode: false })
  const medium = aMedium({ bytes: Buffer.alloc(10_240), content: () => file })
  const failure = failureOf(wecom.upload(medium, stopping.signal))
  await clock.advance(1_000)
  expect(clock.pendingTimers()).toBe(1)
  stopping.abort(new Error('enough'))
  expect((await failure).message).toBe('enough')
  expect(clock.pendingTimers()).toBe(0)
  expect(file.destroyed).toBe(true)
})

test('a download that is given up ends with the reason, though all of it has arrived', async () => {
  const { clock, memory, wecom } = createMemoryBench(1024)
  const mediaId = memory.store({ name: 'a.txt', bytes: Buffer.alloc(10_240) })
  const stopping = new AbortController()
  const { body } = await wecom.download({ mediaId }, stopping.signal)
  const failure = failureOf(body.toArray())
  await clock.advance(1_000)
  stopping.abort(new Error('enough'))
  expect((await failure).message).toBe('enough')
  expect(clock.pendingTimers()).toBe(0)
})

test('a download that nobody reads is dropped without a word when it is given up', async () => {
  const { clock, memory, wecom } = createMemoryBench(1024)
  const mediaId = memory.store({ name: 'a.txt', bytes: Buffer.alloc(10_240) })
  const stopping = new AbortController()
  const { body } = await wecom.download({ mediaId }, stopping.signal)
  stopping.abort(new Error('enough'))
  await clock.advance(0)
  expect(body.destroyed).toBe(true)
  expect(clock.pendingTimers()).toBe(0)
})

test('a body that is dropped drops what it is read from, and gives its turn back', async () => {
  const { clock, memory } = createMemoryBench(1024)
  const source = Readable.from([Buffer.alloc(10_240)], { objectMode: false })
  const bandwidth = createBandwidth({ clock, bytesPerSecond: 1024 })
  const wecom = createPacedWecom({
    wecom: {
      ...memory,
      download: async (...given) => ({ ...(await memory.download(...given)), body: source }),
    },
    bandwidth,
  })
  const mediaId = memory.store({ name: 'a.txt', bytes: Buffer.alloc(1) })
  const { body } = await wecom.download({ mediaId }, patient)
  body.resume()
  await clock.advance(500)
  expect(clock.pendingTimers()).toBe(1)
  body.destroy()
  await clock.advance(0)
  expect(source.destroyed).toBe(true)
  expect(clock.pendingTimers()).toBe(0)
})

test('a body that breaks keeps its error', async () => {
  const { clock, memory } = createMemoryBench(1024)
  const broken = new Error('the line broke')
  const source = new Readable({ read: () => source.destroy(broken) })
  const wecom = createPacedWecom({
    wecom: {
      ...memory,
      download: async (...given) => ({ ...(await memory.download(...given)), body: source }),
    },
    bandwidth: createBandwidth({ clock, bytesPerSecond: 1024 }),
  })
  const mediaId = memory.store({ name: 'a.txt', bytes: Buffer.alloc(1) })
  const { body } = await wecom.download({ mediaId }, patient)
  expect(await failureOf(body.toArray())).toBe(broken)
})
