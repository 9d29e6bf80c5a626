// The stack as it is put together from the settings.
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../src/config/load.ts'
import { systemClock } from '../src/support/clock.ts'
import { createWecomStack } from '../src/wecom-stack.ts'
import { aMedium } from './helpers/memory-wecom.ts'
import { withSimulator } from './helpers/with-simulator.ts'

async function createStack(bandwidth: string, perMinute = 10_000) {
  const { baseUrl, controls } = await withSimulator({ clock: systemClock })
  const text = `
wecom: { corpId: ww0123456789abcdef, secret: not-a-secret, baseUrl: "${baseUrl}", quota: { perMinute: ${perMinute}, perHour: 150000, share: 100% } }
folder: { path: /srv/media }
transfer: { bandwidth: ${bandwidth} }
`
  const config = parseConfig({ text, file: '/etc/mirror/config.yaml', shownAs: 'config.yaml' }, {})
  const closers: (() => Promise<void> | void)[] = []
  onTestFinished(async () => {
    for (const close of closers.reverse()) await close()
  })
  const onBug = (error: unknown) => {
    throw error
  }
  const deps = { env: {}, clock: systemClock, random: Math.random, emit: () => {}, onBug }
  return { controls, ...(await createWecomStack(config, deps, closers)) }
}

/** How long an upload of so many bytes takes. */
async function timeUpload(bandwidth: string, sizeBytes: number): Promise<number> {
  const { wecom } = await createStack(bandwidth)
  const startedAtMs = performance.now()
  await wecom.upload(aMedium({ bytes: Buffer.alloc(sizeBytes) }), new AbortController().signal)
  return performance.now() - startedAtMs
}

test('`transfer.bandwidth` holds back what is sent', async () => {
  // A quarter of a second may go at once.
  expect(await timeUpload('32KB', 24 * 1024)).toBeGreaterThan(450)
})

test('without a limit nothing is held back', async () => {
  expect(await timeUpload('unlimited', 10 * 2 ** 20)).toBeLessThan(5_000)
})

test('a call that is made again with a new token takes a turn of the quota, as the service counts it', async () => {
  const { wecom, controls, waitMs } = await createStack('unlimited', 3)
  const never = new AbortController().signal
  const uploads = () => controls.calls().filter(({ api }) => api === 'upload').length
  await wecom.upload(aMedium(), never)
  expect(waitMs('uploads')).toBe(0)
  controls.revokeTokens()
  await wecom.upload(aMedium(), never)
  expect(uploads()).toBe(3)
  expect(waitMs('uploads')).toBeGreaterThan(0)
})
