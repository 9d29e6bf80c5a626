import { expect, it } from 'vitest'
import { oneAtATime } from '../../src/support/one-at-a-time.ts'

/** An act that is under way until it is told how it ended. */
function anAct() {
  const ends: PromiseWithResolvers<void>[] = []
  const run = oneAtATime(() => {
    const end = Promise.withResolvers<void>()
    ends.push(end)
    return end.promise
  })
  return { run, ends }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

it('answers many wishes during one run with a single further one, begun after it', async () => {
  const { run, ends } = anAct()
  const first = run()
  let later = 0
  const wishes = [run(), run(), run()].map((wish) => wish.then(() => later++))
  await nextTurn()
  expect(ends).toHaveLength(1)
  ends[0]?.resolve()
  await first
  await nextTurn()
  expect([ends.length, later]).toEqual([2, 0])
  ends[1]?.resolve()
  await Promise.all(wishes)
  await nextTurn()
  expect([ends.length, later]).toEqual([2, 3])
})

it('tells a failure to those who asked for that run, and goes on', async () => {
  const { run, ends } = anAct()
  const [first, second] = [run(), run()]
  ends[0]?.reject(new Error('no'))
  await expect(first).rejects.toThrow('no')
  await nextTurn()
  ends[1]?.resolve()
  await expect(second).resolves.toBeUndefined()
})
