// A log that cannot be written: the program is not stopped by it, and says afterwards how much is missing.
import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { createEvents, type MirrorEvent } from '../../src/support/events.ts'
import { createLog } from '../../src/support/log.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

/** A log on a stream of which each write comes to the end that the test gives it. */
function setUp() {
  const written: string[] = []
  let fate: 'taken' | 'waits' | string = 'taken'
  const waiting: (() => void)[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _, done) {
      const take = () => {
        written.push(line)
        done()
      }
      if (fate === 'taken') take()
      else if (fate === 'waits') waiting.push(take)
      // As standard output does: it tells of the failure and stays what it is.
      else done(Object.assign(new Error(fate), { code: fate }))
    },
    destroy(_, done) {
      done(null)
    },
    autoDestroy: false,
  })
  stream.on('error', () => {})
  const events = createEvents()
  const told: MirrorEvent[] = []
  events.subscribe((event) => void told.push(event))
  const clock = createFakeClock()
  createLog({ events, level: 'debug', format: 'json', stream, clock })
  const say = (message: string) => events.emit({ kind: 'narrated', message })
  return {
    written,
    say,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    let: (next: typeof fate) => {
      fate = next
      for (const take of waiting.splice(0)) take()
    },
    told: (kind: MirrorEvent['kind']) => told.filter((event) => event.kind === kind),
  }
}

it('drops what nobody reads instead of keeping it, and says how much', async () => {
  const log = setUp()
  log.let('waits')
  for (let line = 0; line < 200; line++) log.say('x'.repeat(100_000))
  await log.turn()
  expect(log.told('log-failed')).toMatchObject([
    { message: 'cannot write the log: nobody reads it' },
  ])
  log.let('taken')
  await log.turn()
  log.say('again')
  await log.turn()
  const kept = log.written.filter((line) => line.includes('xxx')).length
  expect(kept).toBeLessThan(15)
  expect(log.told('log-recovered')).toHaveLength(1)
  const [recovered] = log.told('log-recovered')
  // Its own announcement was one of them.
  expect(recovered).toMatchObject({ lines: 200 - kept + 1 })
  expect(log.written.at(-1)).toContain('again')
  expect(log.written.some((line) => line.includes('lines of it are lost'))).toBe(true)
})
