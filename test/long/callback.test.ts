// The long form of test/e2e/callback.test.ts: a thousand messages at once, and hundreds through many deaths.
import { expect, it } from 'vitest'
import { receiveRush, receiveThroughDeaths } from '../e2e/callback-rush.ts'

it('lands a thousand messages within a minute', async () => {
  const { answeredMs, landedMs } = await receiveRush(1000)
  console.log(`1000 messages: answered in ${answeredMs | 0} ms, landed in ${landedMs | 0} ms`)
  expect(landedMs).toBeLessThan(60_000)
})

it('loses nothing and doubles nothing through fifteen deaths', async () => {
  const { delivered, repeated } = await receiveThroughDeaths({ count: 300, kills: 15 })
  console.log(`${delivered} delivered through 15 deaths, ${repeated} of them sent more than once`)
  expect(repeated).toBeGreaterThan(0)
})
