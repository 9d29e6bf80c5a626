// Every adapter and every fake proves itself with the same suite.
import { type MediaId, parseMediaId } from '../../src/media/media.ts'
import type { FaultRule } from '../../src/simulator/faults.ts'
import { createLimitedWecom } from '../../src/wecom/limited-wecom.ts'
import { createRetryingWecom } from '../../src/wecom/retrying-wecom.ts'
import { describeWecomContract } from '../contracts/wecom-contract.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryWecom } from '../helpers/memory-wecom.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { createClient } from './client.ts'

describeWecomContract('the WeCom in memory', async () => {
  const clock = createFakeClock()
  const wecom = createMemoryWecom({ clock })
  return {
    wecom,
    nowMs: clock.nowMs,
    unknownId: wecom.idOf('unknown'),
    pass: async (durationMs) => clock.leap(durationMs),
  }
})

const unknownId = parseMediaId('1G6nrLmr5EC3MMb_-zK1dDdzmd0p7cNliYu9V5w7o8K0') as MediaId

for (const clockSkewMs of [0, 3_600_000, -3_600_000]) {
  describeWecomContract(`HTTP to a simulator whose clock is ${clockSkewMs} ms ahead`, async () => {
    const { baseUrl, clock } = await withSimulator({ clockSkewMs })
    const { wecom, serviceClock } = createClient({ baseUrl, clock })
    return {
      wecom,
      nowMs: serviceClock.nowMs,
      unknownId,
      pass: async (durationMs) => clock.leap(durationMs),
    }
  })
}

const stumbles: FaultRule['fault'][] = [
  { kind: 'errcode', errcode: -1 },
  { kind: 'errcode', errcode: 42001 },
  { kind: 'gateway-page', status: 502 },
  { kind: 'half-json' },
  { kind: 'empty' },
  { kind: 'reset', at: 'before-store' },
  { kind: 'reset', at: 'after-store' },
]

for (const fault of stumbles) {
  const name = JSON.stringify(Object.values(fault))
  describeWecomContract(`the stack over a service that stumbles twice with ${name}`, async () => {
    const { baseUrl, clock, controls } = await withSimulator()
    controls.addFault({ when: { api: 'upload', times: 2 }, fault })
    const http = createClient({ baseUrl, clock })
    const quota = { perMinute: 1_000, perHour: 10_000, share: 1 }
    const limited = createLimitedWecom({ wecom: http.wecom, clock, quota })
    // The clock stands still, so the pauses are left out.
    const sleep = () => Promise.resolve()
    const wecom = createRetryingWecom({
      wecom: limited,
      clock: { sleep },
      random: () => 0,
      mayRepeat: () => true,
    })
    const pass = async (durationMs: number) => clock.leap(durationMs)
    return { wecom, nowMs: http.serviceClock.nowMs, unknownId, pass }
  })
}
