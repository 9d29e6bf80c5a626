import { expect, it } from 'vitest'
import { createAskedFor } from '../src/asked-for.ts'
import { createVainLookUps } from '../src/vain-look-ups.ts'
import { aPath, NOW_MS } from './helpers/builders.ts'
import { createFakeClock } from './helpers/fake-clock.ts'

function setUp() {
  const clock = createFakeClock(NOW_MS)
  const askedFor = createAskedFor(clock)
  const requested: string[] = []
  const request = (path: string) => void requested.push(path)
  const lookUp = createVainLookUps({ askedFor, clock, request })
  return { clock, askedFor, requested, lookUp: (path: string) => lookUp(aPath(path)) }
}

it('each path is looked at again at most once a minute, however often it is asked for', async () => {
  const { clock, requested, lookUp } = setUp()
  for (let second = 0; second < 120; second++) {
    lookUp('a.jpg')
    await clock.advance(1000)
  }
  lookUp('b.jpg')
  expect(requested).toEqual(['a.jpg', 'a.jpg', 'b.jpg'])
})

it('what was asked for last is remembered as such', async () => {
  const { clock, askedFor, lookUp } = setUp()
  lookUp('a.jpg')
  await clock.advance(5000)
  lookUp('b.jpg')
  expect(askedFor.atMs(aPath('a.jpg'))).toBe(NOW_MS)
  expect(askedFor.atMs(aPath('b.jpg'))).toBe(NOW_MS + 5000)
})

it('a clock that was set back silences nobody', () => {
  const { clock, requested, lookUp } = setUp()
  lookUp('a.jpg')
  clock.leap(-86_400_000)
  lookUp('a.jpg')
  expect(requested).toHaveLength(2)
})
