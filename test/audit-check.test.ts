// One byte of one medium, over real sockets where it matters.
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { checkId } from '../src/audit-check.ts'
import { WecomRefused, WecomUnreachable } from '../src/errors.ts'
import type { Download, Wecom } from '../src/wecom/wecom.ts'
import { aMediaId } from './helpers/builders.ts'
import { aMedium } from './helpers/memory-wecom.ts'
import { withSimulator } from './helpers/with-simulator.ts'
import { createClient } from './wecom/client.ts'

const never = new AbortController().signal
const mediaId = aMediaId('3a')

const answering = (body: Readable): Pick<Wecom, 'download'> => ({
  download: async () =>
    ({
      body,
      announcedName: 'a.jpg',
      contentType: undefined,
      sizeBytes: undefined,
      totalBytes: undefined,
    }) satisfies Download,
})
const refusing = (error: Error): Pick<Wecom, 'download'> => ({
  download: () => Promise.reject(error),
})

it('finds an id alive by one byte, and dead once the service has forgotten it', async () => {
  const site = await withSimulator()
  const { wecom } = createClient({ baseUrl: site.baseUrl, clock: site.clock })
  const stored = await wecom.upload(aMedium({ bytes: Buffer.alloc(1_000_000, 'x') }), never)
  expect(await checkId(wecom, stored.mediaId, never)).toBe('alive')
  expect(await checkId(wecom, stored.mediaId, never)).toBe('alive')
  expect(await site.controls.killMedia(stored.mediaId)).toBe(true)
  expect(await checkId(wecom, stored.mediaId, never)).toBe('dead')
})

it('does not read the whole of a medium from a server that ignores ranges', async () => {
  let chunks = 0
  const endless = Readable.from(
    (function* () {
      for (;;) {
        chunks++
        yield Buffer.alloc(65_536)
      }
    })(),
    { objectMode: false },
  )
  expect(await checkId(answering(endless), mediaId, never)).toBe('alive')
  expect(endless.destroyed).toBe(true)
  expect(chunks).toBeLessThan(10)
})

it('takes a medium whose body breaks for alive: its head has said so', async () => {
  const broken = Readable.from(
    (async function* () {
      yield Buffer.alloc(0)
      throw new WecomUnreachable('the line is cut')
    })(),
    { objectMode: false },
  )
  expect(await checkId(answering(broken), mediaId, never)).toBe('alive')
})

it.each([
  [40007, 'skip', 'dead'],
  [830002, 'skip', 'unclear'],
  [301016, 'skip', 'unclear'],
] as const)('a refusal with %i (%s) makes an id %s', async (errcode, remedy, verdict) => {
  const error = new WecomRefused('refused', { errcode, errmsg: 'no', remedy })
  expect(await checkId(refusing(error), mediaId, never)).toBe(verdict)
})

it.each([
  new WecomUnreachable('no answer'),
  new WecomRefused('refused', { errcode: 45033, errmsg: 'no', remedy: 'slow-down' }),
  new WecomRefused('refused', { errcode: 48002, errmsg: 'no', remedy: 'stop' }),
  new Error('a bug'),
])('passes on what is not about the id: %o', async (error) => {
  await expect(checkId(refusing(error), mediaId, never)).rejects.toBe(error)
})
