// A process that makes one call of each kind against each of the places it is told, and tells what came of it and what memory it took.
import { setInterval } from 'node:timers'
import { type MediaId, parseMediaId } from '../../src/media/media.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createHttpExchange } from '../../src/wecom/http-exchange.ts'
import { createTokenFetch } from '../../src/wecom/http-token.ts'
import { createHttpWecom } from '../../src/wecom/http-wecom.ts'
import { createServiceClock } from '../../src/wecom/service-clock.ts'
import { createTokenSource } from '../../src/wecom/token.ts'

export interface Taken {
  readonly place: string
  readonly call: string
  /** The code of the failure, or how much of a medium was read before it was dropped. */
  readonly outcome: string
}

const signal = new AbortController().signal
const limits = { idleMs: 500, baseMs: 60_000, minBytesPerSecond: 16_384 }
/** What claims to be a medium is read this far: a file would be given up later. */
const ENOUGH_BYTES = 16 * 2 ** 20

const emit = () => {}
const serviceClock = createServiceClock({ clock: systemClock, emit })

function createWecom(baseUrl: string) {
  const exchange = createHttpExchange({ baseUrl, clock: systemClock, environment: {}, limits })
  const credentials = { corpId: 'ww1', secret: 's' }
  const fetchToken = createTokenFetch({
    ...credentials,
    exchange,
    clock: systemClock,
    serviceClock,
  })
  const tokens = createTokenSource({ clock: systemClock, emit, fetchToken })
  return createHttpWecom({ exchange, tokens, serviceClock })
}

async function download(wecom: ReturnType<typeof createWecom>): Promise<string> {
  const { body } = await wecom.download({ mediaId: parseMediaId('M') as MediaId }, signal)
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.length
    if (sizeBytes > ENOUGH_BYTES) break
  }
  return 'a medium'
}

const medium = {
  kind: 'file',
  wireName: 'a',
  sizeBytes: 6,
  content: Buffer.from('medium'),
} as const

const startRss = process.memoryUsage.rss()
let peakRss = startRss
const sampling = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage.rss())), 5)

const taken: Taken[] = []
for (const baseUrl of process.argv.slice(2)) {
  const place = new URL(baseUrl).pathname.slice(1)
  const wecom = createWecom(baseUrl)
  const calls = {
    upload: () => wecom.upload(medium, signal).then(() => 'a receipt'),
    download: () => download(wecom),
  }
  for (const [call, make] of Object.entries(calls))
    taken.push({ place, call, outcome: await make().catch((error) => String(error.code)) })
}
clearInterval(sampling)
process.send?.({ taken, grownBytes: peakRss - startRss })
process.disconnect?.()
