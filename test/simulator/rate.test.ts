import { expect, test } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, upload } from './calls.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

async function withCaller(options: SimulatorOptions) {
  const running = await withSimulator({ tokenLifetimeMs: 100 * HOUR_MS, ...options })
  const token = await fetchToken(running.baseUrl)
  const call = async () => (await upload(running.baseUrl, { token })).json().errcode
  const calls = async (count: number) => {
    const errcodes: number[] = []
    for (let turn = 0; turn < count; turn++) errcodes.push(await call())
    return errcodes
  }
  return { ...running, token, call, calls }
}

test('one call too many in a minute blocks for a minute', async () => {
  const { calls, call, clock } = await withCaller({ rate: { perMinute: 3 } })
  expect(await calls(5)).toEqual([0, 0, 0, 45009, 45009])
  clock.leap(MINUTE_MS - 1)
  expect(await call()).toBe(45009)
  clock.leap(1)
  expect(await calls(4)).toEqual([0, 0, 0, 45009])
})

test('the window slides: calls count for a minute each, not by the clock face', async () => {
  const { calls, clock } = await withCaller({ rate: { perMinute: 3 } })
  expect(await calls(2)).toEqual([0, 0])
  clock.leap(MINUTE_MS - 1)
  expect(await calls(1)).toEqual([0])
  clock.leap(1)
  expect(await calls(3)).toEqual([0, 0, 45009])
})

test('one call too many in an hour blocks for an hour', async () => {
  const { call, calls, clock } = await withCaller({ rate: { perHour: 4 } })
  for (let turn = 0; turn < 4; turn++) {
    expect(await call()).toBe(0)
    clock.leap(10 * MINUTE_MS)
  }
  expect(await call()).toBe(45009)
  clock.leap(HOUR_MS - 1)
  expect(await call()).toBe(45009)
  clock.leap(1)
  expect(await calls(2)).toEqual([0, 0])
})

test('a clock that falls back does not count calls for longer than their time', async () => {
  const { calls, clock } = await withCaller({ rate: { perMinute: 2 } })
  expect(await calls(2)).toEqual([0, 0])
  clock.leap(-HOUR_MS)
  expect(await calls(3)).toEqual([0, 0, 45009])
})

test('each API and each corp has an account of its own', async () => {
  const { calls, baseUrl, token } = await withCaller({ rate: { perMinute: 2 } })
  expect(await calls(3)).toEqual([0, 0, 45009])
  expect((await download(baseUrl, { token, mediaId: 'x' })).json().errcode).toBe(40007)
  const other = await fetchToken(baseUrl, 'ww2')
  expect((await upload(baseUrl, { token: other })).json().errcode).toBe(0)
})

test('more calls at once than allowed are refused, and only as long as the others last', async () => {
  const { baseUrl, token, call, controls, clock } = await withCaller({ rate: { concurrent: 2 } })
  controls.addFault({ when: { times: 2 }, fault: { kind: 'delay', ms: 1000 } })
  const slow = [upload(baseUrl, { token }), upload(baseUrl, { token })]
  await expect.poll(() => clock.pendingTimers()).toBe(2)
  expect(await call()).toBe(45033)
  await clock.advance(1000)
  expect((await Promise.all(slow)).map((answer) => answer.json().errcode)).toEqual([0, 0])
  await expect.poll(call).toBe(0)
})

test('a caller who hangs up does not stay counted', async () => {
  const { baseUrl, token, call, controls, clock } = await withCaller({ rate: { concurrent: 1 } })
  const fault = { kind: 'stall' } as const
  controls.addFault({ when: { api: 'get', times: 1 }, fault })
  const impatient = new AbortController()
  const url = `${baseUrl}/cgi-bin/media/get?access_token=${token}&media_id=x`
  const hanging = fetch(url, { signal: impatient.signal })
  await expect.poll(() => controls.calls().at(-1)?.fault).toBe('stall')
  expect((await download(baseUrl, { token, mediaId: 'x' })).json().errcode).toBe(45033)
  impatient.abort()
  await expect(hanging).rejects.toThrow('aborted')
  const again = async () => (await download(baseUrl, { token, mediaId: 'x' })).json().errcode
  await expect.poll(again).toBe(40007)
  expect(await call()).toBe(0)
  expect(clock.pendingTimers()).toBe(0)
})

test('today’s documented limits are the default', async () => {
  const { controls, baseUrl } = await withSimulator()
  controls.change({ rate: { perMinute: 1 } })
  await fetchToken(baseUrl)
  await expect(fetchToken(baseUrl)).rejects.toThrow('api freq out of limit')
})
