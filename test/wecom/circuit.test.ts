import { describe, expect, test } from 'vitest'
import {
  ConfigError,
  FileUnreadable,
  ManifestUnreadable,
  MediaUnacceptable,
  type MirrorError,
  WecomRefused,
  WecomUnreachable,
} from '../../src/errors.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createCircuit } from '../../src/wecom/circuit.ts'
import { diagnose, probeDelayMs } from '../../src/wecom/circuit-state.ts'
import { findErrcode } from '../../src/wecom/errcode.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

const MINUTE_MS = 60_000
const refused = (errcode: number) =>
  new WecomRefused('no', { errcode, errmsg: '', remedy: findErrcode(errcode).remedy })
const unreachable = () => new WecomUnreachable('cannot reach WeCom')
const badSecret = () => refused(40001)
const tooMany = () => refused(45009)

function createBench(random = () => 0.5) {
  const clock = createFakeClock()
  const events: MirrorEvent[] = []
  let changes = 0
  const circuit = createCircuit({ clock, random, emit: (event) => void events.push(event) })
  circuit.onChange(() => void changes++)
  /** Lets time pass until a probe is let through; how long that took. */
  const nextProbe = async () => {
    const startedMs = clock.nowMs()
    const atMs = circuit.nextProbeAtMs() ?? startedMs
    await clock.advance(Math.max(0, atMs - startedMs - 1))
    if (atMs > startedMs) expect(circuit.admits()).toBe(false)
    await clock.advance(1)
    expect(circuit.admits()).toBe(true)
    return clock.nowMs() - startedMs
  }
  const kinds = () => events.map((event) => event.kind)
  return { clock, events, kinds, circuit, nextProbe, changes: () => changes }
}

describe('what opens it', () => {
  test.each([40001, 60020, 48002, 50003, 41001])('errcode %i, at once', (errcode) => {
    const { circuit } = createBench()
    circuit.observe(refused(errcode))
    expect(circuit.admits()).toBe(false)
    expect(circuit.state()).toMatchObject({ kind: 'open', error: { errcode } })
  })

  test.each([45009, 45033])('too many calls (%i), at once', (errcode) => {
    const { circuit } = createBench()
    circuit.observe(refused(errcode))
    expect(circuit.admits()).toBe(false)
  })

  test.each([unreachable, () => refused(-1), () => refused(99_999)])(
    'three in a row of %o',
    (fail) => {
      const { circuit } = createBench()
      circuit.observe(fail())
      circuit.observe(fail())
      expect(circuit.admits()).toBe(true)
      circuit.observe(fail())
      expect(circuit.admits()).toBe(false)
    },
  )

  test.each<[string, 'well' | MirrorError]>([
    ['a success', 'well'],
    ['a file that is refused for its own sake', refused(40123)],
    ['a dead media_id', refused(40007)],
  ])('%s in between starts the count anew', (_name, outcome) => {
    const { circuit } = createBench()
    for (let round = 0; round < 5; round++) {
      circuit.observe(unreachable())
      circuit.observe(unreachable())
      circuit.observe(outcome)
    }
    expect(circuit.state()).toEqual({ kind: 'closed' })
  })

  test.each<[MirrorError]>([
    [new FileUnreadable('x')],
    [new MediaUnacceptable('x')],
    [new ConfigError('x')],
    [new ManifestUnreadable('x')],
  ])('not %s, which says nothing about the service', (error) => {
    expect(diagnose(error)).toBe('nothing')
    const { circuit } = createBench()
    for (let turn = 0; turn < 5; turn++) circuit.observe(error)
    expect(circuit.admits()).toBe(true)
  })
})

describe('when it probes', () => {
  test('a bad secret: after two minutes, then every ten', async () => {
    const { circuit, nextProbe } = createBench()
    circuit.observe(badSecret())
    expect(await nextProbe()).toBe(2 * MINUTE_MS)
    for (let turn = 0; turn < 3; turn++) {
      circuit.observe(badSecret())
      expect(await nextProbe()).toBe(10 * MINUTE_MS)
    }
  })

  test('too many calls: after the minute, and after the hour when it repeats', async () => {
    const { circuit, nextProbe } = createBench(() => 0)
    circuit.observe(tooMany())
    expect(await nextProbe()).toBe(MINUTE_MS)
    circuit.observe(tooMany())
    expect(await nextProbe()).toBe(60 * MINUTE_MS)
    circuit.observe('well')
    circuit.observe(tooMany())
    expect(await nextProbe()).toBe(MINUTE_MS)
  })

  test('calls that were under way together and are all refused do not lengthen the minute', () => {
    const { circuit, clock } = createBench(() => 0)
    for (let turn = 0; turn < 8; turn++) circuit.observe(tooMany())
    expect(circuit.nextProbeAtMs()).toBe(clock.nowMs() + MINUTE_MS)
  })

  test.each([
    ['stopped', 0, [96_000, 144_000]],
    ['stopped', 7, [480_000, 720_000]],
    ['slowed', 0, [60_000, 63_000]],
    ['slowed', 7, [3_600_000, 3_780_000]],
    ['failing', 0, [1_000, 6_000]],
    ['failing', 2, [1_000, 21_000]],
    ['failing', 99_999, [1_000, 61_000]],
  ] as const)('%s after %i probes in vain: within %j', (ailment, probes, [least, most]) => {
    expect(probeDelayMs(ailment, probes, 0)).toBeCloseTo(least, 3)
    expect(probeDelayMs(ailment, probes, 1)).toBeCloseTo(most, 3)
  })

  test('a day without the service costs a bounded number of probes, and the first minute after it is enough', async () => {
    const { circuit, clock } = createBench(Math.random)
    const endMs = clock.nowMs() + 24 * 60 * MINUTE_MS
    for (let turn = 0; turn < 3; turn++) circuit.observe(unreachable())
    let probes = 0
    while (clock.nowMs() < endMs) {
      await clock.advance((circuit.nextProbeAtMs() ?? 0) - clock.nowMs())
      if (circuit.admits()) probes++
      circuit.observe(unreachable())
    }
    expect(probes).toBeGreaterThan(24 * 60)
    expect(probes).toBeLessThan(24 * 60 * 3)
    expect((circuit.nextProbeAtMs() ?? 0) - clock.nowMs()).toBeLessThanOrEqual(61_000)
  })
})

describe('half-open', () => {
  test('lets one call through, and closes when it went well', async () => {
    const { circuit, clock, nextProbe, kinds, events } = createBench()
    circuit.observe(badSecret())
    await nextProbe()
    for (let turn = 0; turn < 5; turn++) expect(circuit.admits()).toBe(false)
    expect(circuit.state().kind).toBe('half-open')
    circuit.observe('well')
    expect(circuit.admits()).toBe(true)
    expect(kinds()).toEqual(['circuit-opened', 'circuit-closed'])
    expect(events[1]).toEqual({ kind: 'circuit-closed', openedForMs: 2 * MINUTE_MS })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('closes when the probe is refused for its own sake', async () => {
    const { circuit, nextProbe } = createBench()
    circuit.observe(badSecret())
    await nextProbe()
    circuit.observe(refused(40007))
    expect(circuit.state().kind).toBe('closed')
  })

  test.each<['nothing' | MirrorError]>([['nothing'], [new FileUnreadable('gone')]])(
    'lets another through at once when the probe comes to %s',
    async (outcome) => {
      const { circuit, nextProbe, changes } = createBench()
      circuit.observe(badSecret())
      await nextProbe()
      const before = changes()
      circuit.observe(outcome)
      expect(changes()).toBe(before + 1)
      expect(circuit.admits()).toBe(true)
    },
  )

  test('lets another through after two minutes when the probe never reports back', async () => {
    const { circuit, clock, nextProbe, changes } = createBench()
    circuit.observe(badSecret())
    await nextProbe()
    const before = changes()
    await clock.advance(2 * MINUTE_MS - 1)
    expect(circuit.admits()).toBe(false)
    await clock.advance(1)
    expect(changes()).toBe(before + 1)
    expect(circuit.admits()).toBe(true)
  })
})

describe('stragglers', () => {
  test('a success from before does not cure a bad secret', () => {
    const { circuit } = createBench()
    circuit.observe(badSecret())
    circuit.observe('well')
    expect(circuit.state().kind).toBe('open')
  })

  test('a success ends an outage, whenever it began', () => {
    const { circuit } = createBench()
    for (let turn = 0; turn < 3; turn++) circuit.observe(unreachable())
    circuit.observe('well')
    expect(circuit.state().kind).toBe('closed')
  })

  test('something graver than an outage replaces it, and not the other way round', () => {
    const { circuit, kinds } = createBench()
    for (let turn = 0; turn < 3; turn++) circuit.observe(unreachable())
    circuit.observe(badSecret())
    expect(circuit.state().error).toMatchObject({ errcode: 40001 })
    circuit.observe(unreachable())
    expect(circuit.state().error).toMatchObject({ errcode: 40001 })
    expect(kinds()).toEqual(['circuit-opened', 'circuit-opened'])
  })
})

describe('telling', () => {
  test('listeners hear when it opens, when a probe may go, and when it closes', async () => {
    const { circuit, clock, changes } = createBench()
    circuit.observe(badSecret())
    expect(changes()).toBe(1)
    await clock.advance(2 * MINUTE_MS)
    expect(changes()).toBe(2)
    expect(circuit.admits()).toBe(true)
    circuit.observe('well')
    expect(changes()).toBe(3)
  })

  test('probes in vain are not news', async () => {
    const { circuit, nextProbe, kinds } = createBench()
    for (let turn = 0; turn < 3; turn++) circuit.observe(unreachable())
    for (let turn = 0; turn < 10; turn++) {
      await nextProbe()
      circuit.observe(unreachable())
    }
    expect(kinds()).toEqual(['circuit-opened'])
  })

  test('a listener that asks in turn gets the one probe and no endless call', async () => {
    const { circuit, clock } = createBench()
    const answers: boolean[] = []
    circuit.onChange(() => void answers.push(circuit.admits(), circuit.admits()))
    circuit.observe(badSecret())
    await clock.advance(2 * MINUTE_MS)
    expect(answers).toEqual([false, false, true, false])
  })
})

describe('clocks', () => {
  test('after a night asleep the probe goes at once, though no timer has fired', () => {
    const { circuit, clock } = createBench()
    circuit.observe(badSecret())
    clock.leap(8 * 60 * MINUTE_MS)
    expect(circuit.admits()).toBe(true)
  })

  test('a clock that falls back an hour delays no probe', async () => {
    const { circuit, clock } = createBench()
    circuit.observe(badSecret())
    clock.leap(-60 * MINUTE_MS)
    await clock.advance(2 * MINUTE_MS)
    expect(circuit.admits()).toBe(true)
  })
})

test('stopping gives the timer back', () => {
  const { circuit, clock } = createBench()
  circuit.observe(badSecret())
  expect(clock.pendingTimers()).toBe(1)
  circuit.stop()
  expect(clock.pendingTimers()).toBe(0)
})
