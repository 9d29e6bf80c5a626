// The lines of the log: what a person and journald read is shown, and commands nothing.
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { createEvents, type MirrorEvent } from '../../src/support/events.ts'
import { createLog, type LogFormat } from '../../src/support/log.ts'
import { aPath, aProblem } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

async function log(format: LogFormat, ...said: MirrorEvent[]): Promise<string> {
  const stream = new PassThrough()
  const events = createEvents()
  const opened = createLog({ events, level: 'debug', format, stream, clock: createFakeClock() })
  for (const event of said) events.emit(event)
  await opened.close()
  stream.end()
  return text(stream)
}

const HOSTILE = 'a\x1b[2Jb\r\n<3>forged\u202e.jpg'
const SHOWN = 'a\\u{1b}[2Jb\\u{d}\\u{a}<3>forged\\u{202e}.jpg'

it.each(['pretty', 'journald'] as const)('%s shows a hostile name on one line', async (format) => {
  const path = aPath(HOSTILE)
  const lines = await log(format, { kind: 'problem-solved', path })
  expect(lines).toContain(SHOWN)
  expect(lines.split('\n')).toHaveLength(2)
})

it.each(['pretty', 'journald'] as const)('%s shows hostile messages and hints', async (format) => {
  const problem = aProblem({ message: HOSTILE })
  const lines = await log(format, { kind: 'problem-found', problem, hint: HOSTILE })
  expect(lines.split(SHOWN)).toHaveLength(3)
  expect(lines).not.toContain('\x1b[2J')
})

it('tells the problems of a configuration as lines to a person, as one line to journald', async () => {
  const event = { kind: 'config-refused', message: 'one\n  two' } as const
  expect(await log('journald', event)).toBe(
    '<3>the new configuration is refused, the old one stays in force: one two\n',
  )
  expect((await log('pretty', event)).trimEnd().split('\n')).toHaveLength(2)
})

it('tells a program what it tells a person, also where the event has a message of its own', async () => {
  const lines = await log('json', { kind: 'config-refused', message: 'one' })
  expect(JSON.parse(lines)).toMatchObject({
    event: 'config-refused',
    message: 'the new configuration is refused, the old one stays in force: one',
  })
})

it('keeps a hostile name as it is for a program, within one JSON line', async () => {
  const lines = await log('json', { kind: 'problem-solved', path: aPath(HOSTILE) })
  expect(JSON.parse(lines)).toMatchObject({ event: 'problem-solved', path: HOSTILE })
})
