// That nothing escapes the census: what a program holds on to is counted, to the last one.
import { EventEmitter } from 'node:events'
import { Session } from 'node:inspector/promises'
import { expect, it, onTestFinished } from 'vitest'
import { takeCensus } from './census.ts'
import { growthBeyond, trendsOf } from './trend.ts'

/** So many of each; more than comes and goes in a test. */
const COUNT = 500

it('counts every timer, listener, promise and entry that is held, and misses them when they are gone', async () => {
  const session = new Session()
  session.connect()
  onTestFinished(() => session.disconnect())
  const look = () =>
    takeCensus(async (method, params) => (await session.post(method, params)) as never, process.pid)
  const before = await look()
  const release = holdOnto()
  const held = await look()
  release()
  const after = await look()

  const each = [
    'timers',
    'listeners',
    'abort listeners',
    'promises',
    'map entries',
    'set entries',
  ] as const
  for (const figure of each) {
    const grown = [held[figure] - before[figure], after[figure] - before[figure]]
    expect(grown[0], figure).toBeGreaterThan(COUNT * 0.9)
    expect(grown[0], figure).toBeLessThan(COUNT * 1.1)
    expect(Math.abs(grown[1] ?? COUNT), figure).toBeLessThan(COUNT / 5)
  }
  const trends = trendsOf([before, held, held].map((census, turn) => ({ lifetimes: turn, census })))
  expect(growthBeyond(trends, { timers: COUNT / 2 })).toEqual([
    expect.stringMatching(/^timers grew from/),
  ])
})

/** Holds on to some of everything, until it is told to let go. */
function holdOnto(): () => void {
  const numbers = Array.from({ length: COUNT }, (_, number) => number)
  const emitter = new EventEmitter().setMaxListeners(0)
  const aborter = new AbortController()
  const timers = numbers.map(() => setTimeout(() => {}, 1_000_000))
  for (const number of numbers) {
    emitter.on('something', () => number)
    aborter.signal.addEventListener('abort', () => number)
  }
  const held: unknown[] = [
    emitter,
    aborter,
    numbers.map(() => new Promise(() => {})),
    new Map(numbers.map((number) => [number, number])),
    new Set(numbers),
  ]
  return () => {
    held.length = 0
    emitter.removeAllListeners()
    for (const timer of timers.splice(0)) clearTimeout(timer)
  }
}
