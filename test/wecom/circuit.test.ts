import { describe, expect, test } from 'vitest'
import { FileUnreadable, type MirrorError, WecomRefused } from '../../src/errors.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import type { Outcome } from '../../src/wecom/ailment.ts'
import { createCircuit } from '../../src/wecom/circuit.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { refused, unreachable } from './errors.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const badSecret = () => refused(40001)
const tooMany = () => refused(45009)

function createBench(random = () => 0.5) {
  const clock = createFakeClock()
  const events: MirrorEvent[] = []
  let changes = 0
  const circuit = createCircuit({ clock, random, emit: (event) => void events.push(event) })
  circuit.onChange(() => void changes++)
  /** Makes calls that come to these, one after the other. */
  const call = (...outcomes: Outcome[]) => {
    for (const outcome of outcomes) circuit.enter()(outcome)
  }
  /** Lets time pass until a probe may go, and lets a step start as it; how long that took. */
  const untilProbe = async () => {
    const startedMs = clock.nowMs()
    const atMs = circuit.state().nextProbeAtMs ?? startedMs
    await clock.advance(Math.max(0, atMs - startedMs - 1))
    if (atMs > startedMs) expect(circuit.admits()).toBe(false)
    await clock.advance(1)
    expect(circuit.admits()).toBe(true)
    return clock.nowMs() - startedMs
  }
  const openByOutage = () => call(unreachable(), unreachable(), unreachable())
  const kinds = () => events.map((event) => event.kind)
  const changesSoFar = () => changes
  return { clock, events, kinds, circuit, call, untilProbe, openByOutage, changesSoFar }
}

describe('what opens it', () => {
  test.each([40001, 40013, 40091, 48002, 48006, 50003, 60020, 301007, 41001])(
    'errcode %i, which only a person can cure, at once',
    (errcode) => {
      const { circuit, call } = createBench()
      call(refused(errcode))
      expect(circuit.admits()).toBe(false)
      expect(circuit.state()).toMatchObject({ kind: 'open', error: { errcode } })
    },
  )

  test.each([45009, 45033])('too many calls (%i), at once', (errcode) => {
    const { circuit, call } = createBench()
    call(refused(errcode))
    expect(circuit.admits()).toBe(false)
  })

  test.each([unreachable, () => refused(-1), () => refused(99_999)])(
    'three in a row of %o',
    (fail) => {
      const { circuit, call } = createBench()
      call(fail(), fail())
      expect(circuit.admits()).toBe(true)
      call(fail())
      expect(circuit.admits()).toBe(false)
    },
  )

  test.each<[string, Outcome]>([
    ['a success', 'well'],
    ['a file that is refused for its own sake', refused(40123)],
    ['a dead media_id', refused(40007)],
  ])('%s in between starts the count anew', (_name, outcome) => {
    const { circuit, call } = createBench()
    for (let round = 0; round < 5; round++) call(unreachable(), unreachable(), outcome)
    expect(circuit.state()).toEqual({ kind: 'closed' })
  })

  test('not what says nothing about the service, which does not break a row either', () => {
    const { circuit, call } = createBench()
    for (let turn = 0; turn < 5; turn++) call(new FileUnreadable('x'), 'nothing')
    expect(circuit.admits()).toBe(true)
    call(unreachable(), 'nothing', unreachable(), new FileUnreadable('x'), unreachable())
    expect(circuit.admits()).toBe(false)
  })
})

describe('while it is open', () => {
  test('no call leaves, whoever makes it, and the error says why and what to do', () => {
    const { circuit, call } = createBench()
    const cause = new WecomRefused(
      'cannot upload `a.jpg`: the secret is wrong',
      { errcode: 40001, errmsg: 'invalid credential', remedy: 'stop', fromIp: '203.0.113.7' },
      { hint: 'copy the Secret again' },
    )
    call(cause)
    expect(() => circuit.enter()).toThrow(
      expect.objectContaining({
        code: 'WECOM_REFUSED',
        message: `WeCom is not called at present, because of this: ${cause.message}`,
        hint: cause.hint,
        remedy: 'stop',
        errcode: 40001,
        fromIp: '203.0.113.7',
        cause,
      }),
    )
    expect(circuit.state().error).toBe(cause)
  })

  test('an outage is told as one', () => {
    const { circuit, openByOutage } = createBench()
    openByOutage()
    expect(() => circuit.enter()).toThrow(expect.objectContaining({ code: 'WECOM_UNREACHABLE' }))
  })
})

describe('when it probes', () => {
  test('a wrong secret: after some two minutes, then every ten or so', async () => {
    const { call, untilProbe } = createBench()
    call(badSecret())
    expect(await untilProbe()).toBe(2 * MINUTE_MS)
    for (let turn = 0; turn < 3; turn++) {
      call(badSecret())
      expect(await untilProbe()).toBe(10 * MINUTE_MS)
    }
  })

  test.each<[string, MirrorError]>([
    ['an outage', unreachable()],
    ['a block', tooMany()],
  ])(
    '%s does not bring back the short waits of a wrong secret, nor hide it',
    async (_name, met) => {
      const { circuit, call, untilProbe, kinds } = createBench()
      call(badSecret())
      await untilProbe()
      for (const outcome of [met, badSecret(), met]) {
        call(outcome)
        expect(circuit.state().error).toMatchObject({ errcode: 40001 })
        expect(await untilProbe()).toBe(10 * MINUTE_MS)
      }
      expect(kinds()).toEqual(['circuit-opened'])
    },
  )

  test('too many calls: after the minute, and after the hour when the probe is refused too', async () => {
    const { call, untilProbe } = createBench(() => 0)
    call(tooMany())
    expect(await untilProbe()).toBe(MINUTE_MS)
    call(tooMany())
    expect(await untilProbe()).toBe(HOUR_MS)
    call(tooMany())
    expect(await untilProbe()).toBe(HOUR_MS)
  })

  test('a block that comes soon after one that is over is another one: the minute again', async () => {
    const { call, untilProbe, clock } = createBench(() => 0)
    call(tooMany())
    await untilProbe()
    call(tooMany())
    await untilProbe()
    call('well')
    await clock.advance(5_000)
    call(tooMany())
    expect(await untilProbe()).toBe(MINUTE_MS)
  })

  test('a probe that meets an outage in place of a block waits for the outage', async () => {
    const { call, untilProbe } = createBench(() => 0.6)
    call(tooMany())
    await untilProbe()
    call(unreachable())
    expect(await untilProbe()).toBeLessThanOrEqual(5_000)
  })

  test('an outage: seconds at first, up to a minute later on', async () => {
    const { call, untilProbe, openByOutage } = createBench(() => 0.999_999)
    openByOutage()
    const waits = []
    for (let turn = 0; turn < 6; turn++) {
      waits.push(Math.round((await untilProbe()) / 1_000))
      call(unreachable())
    }
    expect(waits).toEqual([5, 10, 20, 40, 60, 60])
  })
})

describe('half-open', () => {
  test('lets one step start, and closes when its call went well', async () => {
    const { circuit, call, clock, untilProbe, kinds, events } = createBench()
    call(badSecret())
    await untilProbe()
    for (let turn = 0; turn < 5; turn++) expect(circuit.admits()).toBe(false)
    expect(circuit.state().kind).toBe('half-open')
    call('well')
    expect(circuit.admits()).toBe(true)
    expect(kinds()).toEqual(['circuit-opened', 'circuit-closed'])
    expect(events[1]).toEqual({ kind: 'circuit-closed', openedForMs: 2 * MINUTE_MS })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('closes when the probe is refused for its own sake', async () => {
    const { circuit, call, untilProbe } = createBench()
    call(badSecret())
    await untilProbe()
    call(refused(40007))
    expect(circuit.state().kind).toBe('closed')
  })

  test('a second call is refused while the probe is out, and tells so', async () => {
    const { circuit, call, untilProbe } = createBench()
    call(badSecret())
    await untilProbe()
    const tell = circuit.enter()
    expect(() => circuit.enter()).toThrow('not called at present')
    expect(circuit.state().kind).toBe('half-open')
    tell('well')
    expect(circuit.state().kind).toBe('closed')
  })

  test.each<[Outcome]>([['nothing'], [new FileUnreadable('gone')]])(
    'lets another go at once when the probe comes to %s',
    async (outcome) => {
      const { circuit, call, untilProbe, changesSoFar } = createBench()
      call(badSecret())
      await untilProbe()
      const before = changesSoFar()
      call(outcome)
      expect(changesSoFar()).toBe(before + 1)
      expect(circuit.admits()).toBe(true)
    },
  )

  test('lets another step start at once when the one that was let start has called nobody', async () => {
    const { circuit, call, untilProbe, changesSoFar } = createBench()
    call(badSecret())
    await untilProbe()
    const before = changesSoFar()
    circuit.release()
    expect(changesSoFar()).toBe(before + 1)
    expect(circuit.admits()).toBe(true)
  })

  test('the end of a step from before does not free the place of a probe that is out', async () => {
    const { circuit, call, untilProbe } = createBench()
    call(badSecret())
    await untilProbe()
    circuit.enter()
    circuit.release()
    expect(circuit.admits()).toBe(false)
  })

  test('a call that a step from before makes now is the probe, and the step that was let start must wait', async () => {
    const { circuit, call, untilProbe } = createBench()
    call(badSecret())
    await untilProbe()
    const tell = circuit.enter()
    expect(() => circuit.enter()).toThrow()
    circuit.release()
    tell(badSecret())
    expect(circuit.state().kind).toBe('open')
  })

  test('is no trap: a probe that is never heard of loses its place after two hours, and its word', async () => {
    const { circuit, call, clock, untilProbe, changesSoFar } = createBench()
    call(badSecret())
    await untilProbe()
    const tell = circuit.enter()
    const before = changesSoFar()
    await clock.advance(2 * HOUR_MS - 1)
    expect(circuit.admits()).toBe(false)
    await clock.advance(1)
    expect(changesSoFar()).toBe(before + 1)
    expect(circuit.admits()).toBe(true)
    tell('well')
    expect(circuit.state().kind).toBe('half-open')
  })
})

describe('stragglers, calls that left before it opened', () => {
  const outcomes: [string, Outcome][] = [
    ['a success', 'well'],
    ['nothing', 'nothing'],
    ['an outage', unreachable()],
    ['a block', tooMany()],
    ['a wrong secret', badSecret()],
  ]

  test.each(outcomes)('%s changes nothing while it is open', (_name, outcome) => {
    const { circuit, openByOutage, changesSoFar } = createBench()
    const straggler = circuit.enter()
    openByOutage()
    const before = { state: circuit.state(), changes: changesSoFar() }
    straggler(outcome)
    expect({ state: circuit.state(), changes: changesSoFar() }).toEqual(before)
  })

  test.each(outcomes)('%s is not taken for the outcome of the probe', async (_name, outcome) => {
    const { circuit, call, untilProbe } = createBench()
    const straggler = circuit.enter()
    call(badSecret())
    await untilProbe()
    const probe = circuit.enter()
    straggler(outcome)
    expect(circuit.state().kind).toBe('half-open')
    expect(circuit.admits()).toBe(false)
    probe('well')
    expect(circuit.state().kind).toBe('closed')
  })

  test.each(outcomes)('%s does not count when it has closed again', async (_name, outcome) => {
    const { circuit, call, untilProbe } = createBench()
    const stragglers = [circuit.enter(), circuit.enter(), circuit.enter()]
    call(tooMany())
    await untilProbe()
    call('well')
    for (const straggler of stragglers) straggler(outcome)
    expect(circuit.state()).toEqual({ kind: 'closed' })
  })

  test('calls that were under way together and are all refused do not lengthen the minute', () => {
    const { circuit, clock } = createBench(() => 0)
    const calls = Array.from({ length: 8 }, () => circuit.enter())
    for (const tell of calls) tell(tooMany())
    expect(circuit.state().nextProbeAtMs).toBe(clock.nowMs() + MINUTE_MS)
  })

  test('a call tells once', () => {
    const { circuit } = createBench()
    const tell = circuit.enter()
    for (let turn = 0; turn < 5; turn++) tell(unreachable())
    expect(circuit.state().kind).toBe('closed')
  })
})

describe('telling', () => {
  test('listeners hear when it opens, when a probe may go, and when it closes', async () => {
    const { circuit, call, clock, changesSoFar } = createBench()
    call(badSecret())
    expect(changesSoFar()).toBe(1)
    await clock.advance(2 * MINUTE_MS)
    expect(changesSoFar()).toBe(2)
    expect(circuit.admits()).toBe(true)
    call('well')
    expect(changesSoFar()).toBe(3)
  })

  test('probes in vain are not news', async () => {
    const { call, untilProbe, kinds, openByOutage } = createBench()
    openByOutage()
    for (let turn = 0; turn < 10; turn++) {
      await untilProbe()
      call(turn % 2 ? unreachable() : refused(-1))
    }
    expect(kinds()).toEqual(['circuit-opened'])
  })

  test('another thing to mend is news, and so is an hour in place of a minute', async () => {
    const { call, untilProbe, events } = createBench()
    const inTurn = [40001, 40001, 60020, 60020]
    for (const errcode of inTurn) {
      call(refused(errcode))
      await untilProbe()
    }
    call('well')
    for (let turn = 0; turn < 4; turn++) {
      call(tooMany())
      await untilProbe()
    }
    const opened = events.filter((event) => event.kind === 'circuit-opened')
    expect(opened.map(({ error }) => (error as WecomRefused).errcode)).toEqual([
      40001, 60020, 45009, 45009,
    ])
  })

  test('a listener that asks in turn gets the one probe and no endless call', async () => {
    const { circuit, call, clock } = createBench()
    const answers: boolean[] = []
    circuit.onChange(() => void answers.push(circuit.admits(), circuit.admits()))
    call(badSecret())
    await clock.advance(2 * MINUTE_MS)
    expect(answers).toEqual([false, false, true, false])
  })
})

describe('clocks', () => {
  test('after a night asleep the probe goes at once, though no timer has fired', () => {
    const { circuit, call, clock } = createBench()
    call(badSecret())
    clock.leap(8 * HOUR_MS)
    expect(circuit.admits()).toBe(true)
  })

  test('a clock that falls back an hour delays no probe', async () => {
    const { circuit, call, clock } = createBench()
    call(badSecret())
    clock.leap(-HOUR_MS)
    await clock.advance(2 * MINUTE_MS)
    expect(circuit.admits()).toBe(true)
  })
})

test('stopping gives the timer back', () => {
  const { circuit, call, clock } = createBench()
  call(badSecret())
  expect(clock.pendingTimers()).toBe(1)
  circuit.stop()
  expect(clock.pendingTimers()).toBe(0)
})
