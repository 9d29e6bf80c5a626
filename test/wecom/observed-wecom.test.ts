import { PassThrough, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { FileUnreadable } from '../../src/errors.ts'
import { createCircuit } from '../../src/wecom/circuit.ts'
import { createConcurrency } from '../../src/wecom/concurrency.ts'
import { createObservedWecom } from '../../src/wecom/observed-wecom.ts'
import type { Wecom } from '../../src/wecom/wecom.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { aMedium, createMemoryWecom } from '../helpers/memory-wecom.ts'
import { failureOf, patient } from './client.ts'
import { refused, unreachable } from './errors.ts'

function createBench(change: (memory: Wecom) => Wecom = (memory) => memory) {
  const clock = createFakeClock()
  const memory = createMemoryWecom({ clock })
  const emit = () => {}
  const circuit = createCircuit({ clock, random: () => 0.5, emit })
  const concurrency = createConcurrency({ clock, most: { uploads: 4, downloads: 4 }, emit })
  const wecom = createObservedWecom({ wecom: change(memory), circuit, concurrency })
  const kind = () => circuit.state().kind
  const untilProbe = async () => {
    await clock.advance((circuit.state().nextProbeAtMs ?? 0) - clock.nowMs())
    expect(circuit.admits()).toBe(true)
  }
  return { clock, memory, circuit, concurrency, wecom, kind, untilProbe }
}

/** A WeCom whose downloads have these bodies, one after the other. */
const withBodies = (bodies: Readable[]) => (memory: Wecom) => ({
  ...memory,
  download: async () => ({
    body: bodies.shift() ?? Readable.from([]),
    announcedName: 'a.jpg',
    contentType: 'image/jpeg',
    sizeBytes: undefined,
    totalBytes: undefined,
  }),
})

const anId = createMemoryWecom({ clock: createFakeClock() }).idOf('x')
const readWhole = async (body: Readable) => Buffer.concat(await body.toArray()).toString()
/** The circuit hears of a body when its consumer does, or a moment later. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('calls and answers pass unchanged', async () => {
  const { wecom, memory, kind } = createBench()
  const bytes = Buffer.from('some bytes')
  const { mediaId } = await wecom.upload(aMedium({ bytes }), patient)
  const { body, totalBytes } = await wecom.download({ mediaId }, patient)
  expect(await readWhole(body)).toBe('some bytes')
  expect(totalBytes).toBe(bytes.length)
  const error = refused(40123)
  memory.failNext(error)
  expect(await failureOf(wecom.upload(aMedium(), patient))).toBe(error)
  expect(kind()).toBe('closed')
})

test('what comes of uploads and of the heads of downloads opens the circuit, and then nothing leaves', async () => {
  const { wecom, memory, kind } = createBench()
  memory.failNext(unreachable(), unreachable(), unreachable())
  await failureOf(wecom.upload(aMedium(), patient))
  await failureOf(wecom.download({ mediaId: anId }, patient))
  await failureOf(wecom.upload(aMedium(), patient))
  expect(kind()).toBe('open')
  expect((await failureOf(wecom.upload(aMedium(), patient))).message).toMatch(
    /^WeCom is not called/,
  )
  expect((await failureOf(wecom.download({ mediaId: anId }, patient))).message).toMatch(/^WeCom is/)
  expect(memory.attempts).toBe(3)
})

test('too many at once leaves fewer slots by the time the circuit wakes anyone', async () => {
  const { wecom, memory, circuit, concurrency } = createBench()
  const seen: number[] = []
  circuit.onChange(() => void seen.push(concurrency.slots().uploads))
  memory.failNext(refused(45033))
  await failureOf(wecom.upload(aMedium(), patient))
  expect(seen).toEqual([1])
})

describe('a body', () => {
  test('that breaks after a good head counts as a failure: three in a row are an outage', async () => {
    const broken = () =>
      Readable.from(
        (async function* () {
          yield 'half of '
          throw unreachable()
        })(),
      )
    const { wecom, kind } = createBench(withBodies([broken(), broken(), broken()]))
    for (let turn = 0; turn < 3; turn++) {
      expect(kind()).toBe('closed')
      const { body } = await wecom.download({ mediaId: anId }, patient)
      expect((await failureOf(readWhole(body))).message).toBe('cannot reach WeCom')
      await settled()
    }
    expect(kind()).toBe('open')
  })

  test('decides about a probe at its end, not at its head', async () => {
    const body = new PassThrough()
    const { wecom, memory, kind, untilProbe, circuit } = createBench(withBodies([body]))
    memory.failNext(refused(60020))
    await failureOf(wecom.upload(aMedium(), patient))
    await untilProbe()
    const download = await wecom.download({ mediaId: anId }, patient)
    body.write('the first bytes')
    await settled()
    expect(kind()).toBe('half-open')
    expect(circuit.admits()).toBe(false)
    body.end()
    expect(await readWhole(download.body)).toBe('the first bytes')
    await settled()
    expect(kind()).toBe('closed')
  })

  test('that its consumer drops has come as far as it was wanted', async () => {
    const body = new PassThrough()
    const { wecom, memory, kind, untilProbe } = createBench(withBodies([body]))
    memory.failNext(refused(60020))
    await failureOf(wecom.upload(aMedium(), patient))
    await untilProbe()
    const download = await wecom.download({ mediaId: anId }, patient)
    body.write('enough')
    for await (const _chunk of download.body) break
    await settled()
    expect(kind()).toBe('closed')
  })

  test('that is abandoned as the program stops proves nothing', async () => {
    const body = new PassThrough()
    const { wecom, memory, kind, untilProbe, circuit } = createBench(withBodies([body]))
    memory.failNext(refused(60020))
    await failureOf(wecom.upload(aMedium(), patient))
    await untilProbe()
    const stopping = new AbortController()
    const download = await wecom.download({ mediaId: anId }, stopping.signal)
    stopping.abort()
    body.destroy(new Error('stopping'))
    await finished(download.body).catch(() => undefined)
    await settled()
    expect(kind()).toBe('half-open')
    expect(circuit.admits()).toBe(true)
  })

  test('is not read by listening: nothing flows before its consumer wants it', async () => {
    let pulled = 0
    const body = new Readable({
      highWaterMark: 1,
      read() {
        this.push(pulled++ < 100 ? 'x' : null)
      },
    })
    const { wecom } = createBench(withBodies([body]))
    const download = await wecom.download({ mediaId: anId }, patient)
    await settled()
    expect(pulled).toBe(0)
    expect(await readWhole(download.body)).toHaveLength(100)
  })
})

test.each([new Error('a bug'), new FileUnreadable('it changed'), new Error('aborted')])(
  'a probe that ends with "%s" gives its place to another at once',
  async (end) => {
    const { wecom, memory, kind, untilProbe, circuit } = createBench()
    memory.failNext(refused(60020))
    await failureOf(wecom.upload(aMedium(), patient))
    await untilProbe()
    memory.failNext(end)
    expect(await failureOf(wecom.upload(aMedium(), patient))).toBe(end)
    expect(kind()).toBe('half-open')
    expect(circuit.admits()).toBe(true)
  },
)
