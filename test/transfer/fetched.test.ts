// Fetching through the real client from the built-in WeCom: in ranges where it is large, on from where it broke, whole or not at all.
import { randomBytes } from 'node:crypto'
import { link, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { WecomUnreachable } from '../../src/errors.ts'
import type { FaultRule } from '../../src/simulator/faults.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { fetchMedium } from '../../src/transfer/fetched.ts'
import { fingerprintBuffer } from '../../src/transfer/fingerprint.ts'
import { partName } from '../../src/transfer/part-file.ts'
import type { DownloadRequest, Wecom } from '../../src/wecom/wecom.ts'
import { aMediaId } from '../helpers/builders.ts'
import { aPng } from '../helpers/samples.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { createClient, failureOf, patient } from '../wecom/client.ts'

const MB = 2 ** 20
const room = { require: async () => {} }

/** A medium of so many bytes in a running WeCom, and the way to fetch it. */
async function setUp(sizeBytes: number, options: SimulatorOptions = {}) {
  const { baseUrl, controls } = await withSimulator(options)
  const { wecom } = createClient({ baseUrl })
  const bytes = sizeBytes < MB ? aPng(sizeBytes) : randomBytes(sizeBytes)
  const mediaId = aMediaId(
    await controls.addMedia({ kind: 'file', wireName: 'a.bin', content: bytes }),
  )
  const asked: (string | undefined)[] = []
  const watched: Pick<Wecom, 'download'> = {
    download(request, signal) {
      asked.push(request.range && `${request.range.firstByte}-${request.range.lastByte}`)
      return wecom.download(request, signal)
    },
  }
  const directory = await createTempFolder()
  return {
    bytes,
    asked,
    befall: (fault: FaultRule['fault'], when: FaultRule['when'] = {}) =>
      controls.addFault({ when: { api: 'get', ...when }, fault }),
    fetch: (expectedBytes?: number) =>
      fetchMedium(
        { wecom: watched, room },
        { mediaId, directory, ...(expectedBytes && { expectedBytes }) },
        patient,
      ),
    /** As a restore does it: with all that is known, on from what an earlier run left. */
    resume: (signal = patient) =>
      fetchMedium(
        { wecom: watched, room },
        {
          mediaId,
          directory,
          expectedBytes: sizeBytes,
          fingerprint: fingerprintBuffer(bytes),
          isResumed: true,
        },
        signal,
      ),
    /** As a reference is fetched of which nothing is known. */
    resumeUnknown: () =>
      fetchMedium({ wecom: watched, room }, { mediaId, directory, isResumed: true }, patient),
    mediaId,
    part: join(directory, partName(mediaId)),
    left: () => readdir(directory),
  }
}

it('fetches a small medium in one call, and knows its name, its format and its fingerprint', async () => {
  const site = await setUp(500)
  const fetched = await site.fetch()
  expect(fetched).toMatchObject({ sizeBytes: 500, format: 'png', announcedName: 'a.bin' })
  expect((await readFile(fetched.file)).equals(site.bytes)).toBe(true)
  expect(site.asked).toEqual([undefined])
  await fetched.discard()
  expect(await site.left()).toEqual([])
})

it.each([8 * MB + 1, 16 * MB])(
  'fetches %i bytes in aligned ranges of at most 8 MiB',
  async (sizeBytes) => {
    const site = await setUp(sizeBytes)
    const fetched = await site.fetch(sizeBytes)
    expect((await readFile(fetched.file)).equals(site.bytes)).toBe(true)
    const ranges = site.asked.map((range) => (range ?? '').split('-').map(Number))
    expect(ranges.length).toBeGreaterThan(1)
    for (const [first = 0, last = 0] of ranges) {
      expect(first % 16).toBe(0)
      expect(last - first + 1).toBeLessThanOrEqual(8 * MB)
    }
  },
)

it('turns to ranges when the service insists on them', async () => {
  const site = await setUp(9 * MB, { rangeRequiredAboveBytes: 8 * MB })
  const fetched = await site.fetch()
  expect((await readFile(fetched.file)).equals(site.bytes)).toBe(true)
  expect(site.asked[0]).toBeUndefined()
  expect(site.asked[1]).toBe(`0-${8 * MB - 1}`)
})

it('goes on from where the body broke off', async () => {
  const site = await setUp(3 * MB)
  site.befall({ kind: 'reset', at: 'mid-body' }, { nth: 1 })
  const fetched = await site.fetch()
  expect((await readFile(fetched.file)).equals(site.bytes)).toBe(true)
  const [first = 0] = (site.asked[1] ?? '').split('-').map(Number)
  expect(first).toBeGreaterThan(0)
  expect(first % 16).toBe(0)
})

it('gives up a body that breaks again and again, and leaves nothing', async () => {
  const site = await setUp(3 * MB)
  site.befall({ kind: 'reset', at: 'mid-body' })
  expect(await failureOf(site.fetch())).toBeInstanceOf(WecomUnreachable)
  expect(site.asked).toHaveLength(4)
  expect(await site.left()).toEqual([])
})

// 512 bytes are a multiple of 16: a range that began where they end would be refused.
it.each([500, 512])(
  'asks for its end again when more than the %i bytes were announced',
  async (sizeBytes) => {
    const site = await setUp(sizeBytes)
    site.befall({ kind: 'wrong-length', byBytes: 10 }, { nth: 1 })
    const fetched = await site.fetch()
    expect((await readFile(fetched.file)).equals(site.bytes)).toBe(true)
    expect(site.asked[1]).toMatch(/^496-/)
  },
)

it('takes what was cut off and says so for a smaller medium: only its fingerprint can tell', async () => {
  const site = await setUp(500)
  const whole = await site.fetch()
  site.befall({ kind: 'wrong-length', byBytes: -10 }, { nth: 1 })
  const cut = await site.fetch()
  expect(cut.sizeBytes).toBe(490)
  expect(cut.fingerprint).not.toBe(whole.fingerprint)
})

it('leaves nothing of a medium that is dead', async () => {
  const site = await setUp(500)
  site.befall({ kind: 'errcode', errcode: 40007 })
  expect(await failureOf(site.fetch())).toMatchObject({ errcode: 40007 })
  expect(await site.left()).toEqual([])
})

/** A service that never says how large a medium is, and gives so much at once. */
function aSecretiveWecom(bytes: Buffer, atOnceBytes: number) {
  const ranges: number[] = []
  const wecom: Pick<Wecom, 'download'> = {
    async download({ range = { firstByte: 0, lastByte: 0 } }: DownloadRequest) {
      const { firstByte, lastByte } = range
      ranges.push(firstByte)
      if (firstByte >= bytes.length) throw new WecomUnreachable('HTTP 416')
      const part = bytes.subarray(firstByte, Math.min(lastByte + 1, firstByte + atOnceBytes))
      const body = Readable.from([part], { objectMode: false })
      const about = { announcedName: undefined, contentType: undefined, totalBytes: undefined }
      return { ...about, body, sizeBytes: part.length }
    },
  }
  return { wecom, ranges }
}

it.each([
  [20 * MB, 8 * MB],
  [16 * MB, 8 * MB],
  [16 * MB - 5, 4 * MB],
])(
  'fetches %i bytes of a total that nobody says, %i at once, to their very end',
  async (sizeBytes, atOnce) => {
    const bytes = randomBytes(sizeBytes)
    const { wecom, ranges } = aSecretiveWecom(bytes, atOnce)
    const wanted = {
      mediaId: aMediaId('m'),
      directory: await createTempFolder(),
      expectedBytes: sizeBytes,
    }
    const fetched = await fetchMedium({ wecom, room }, wanted, patient)
    expect((await readFile(fetched.file)).equals(bytes)).toBe(true)
    expect(Math.max(...ranges)).toBeLessThan(sizeBytes)
  },
)

it('gives up a service that deals out crumbs', async () => {
  const { wecom, ranges } = aSecretiveWecom(randomBytes(MB), 100)
  const wanted = {
    mediaId: aMediaId('m'),
    directory: await createTempFolder(),
    expectedBytes: 9 * MB,
  }
  expect(String(await failureOf(fetchMedium({ wecom, room }, wanted, patient)))).toContain(
    'not whole after 100 calls',
  )
  expect(ranges).toHaveLength(100)
})

/** A run that ended after so much: what was flushed is right, what comes behind it perhaps not. */
const remains = (bytes: Buffer, keptBytes: number) =>
  Buffer.concat([bytes.subarray(0, keptBytes), Buffer.alloc(1000)])

it('goes on after a restart from what was surely on disk', async () => {
  const site = await setUp(20 * MB)
  await writeFile(site.part, remains(site.bytes, 16 * MB))
  const fetched = await site.resume()
  expect((await readFile(fetched.file)).equals(site.bytes)).toBe(true)
  expect(site.asked).toEqual([`${16 * MB - 16}-${24 * MB - 17}`])
  await fetched.discard()
  await writeFile(site.part, remains(site.bytes, 8 * MB))
  expect((await readFile((await site.resumeUnknown()).file)).equals(site.bytes)).toBe(true)
})

it.each([
  ['is not what it should be', (bytes: Buffer) => remains(Buffer.alloc(bytes.length), 8 * MB)],
  ['is more than there is', (bytes: Buffer) => remains(Buffer.concat([bytes, bytes]), 24 * MB)],
  ['is too little to count', (bytes: Buffer) => bytes.subarray(0, 8 * MB)],
])('begins anew when what was left %s', async (_, left) => {
  const site = await setUp(12 * MB)
  await writeFile(site.part, left(site.bytes))
  const fetched = await site.resume()
  expect((await readFile(fetched.file)).equals(site.bytes)).toBe(true)
})

it('writes through no link that has the name of its unfinished file', async () => {
  const site = await setUp(12 * MB)
  const outside = join(await createTempFolder(), 'theirs')
  await writeFile(outside, remains(site.bytes, 8 * MB))
  await link(outside, site.part)
  await (await site.resume()).discard()
  await symlink(outside, site.part)
  await (await site.resume()).discard()
  expect((await readFile(outside)).equals(remains(site.bytes, 8 * MB))).toBe(true)
})

it('keeps what it has when it is stopped, for the next run to go on from', async () => {
  const site = await setUp(20 * MB)
  site.befall({ kind: 'stall', forMs: 60_000, at: 'mid-body' }, { nth: 3 })
  const stopping = new AbortController()
  const fetching = site.resume(stopping.signal)
  await until(() => site.asked.length === 3, { what: 'the third range' })
  stopping.abort(new Error('the mirror is stopping'))
  await expect(fetching).rejects.toThrow()
  expect(await site.left()).toEqual([partName(site.mediaId)])
  const fetched = await site.resume()
  expect((await readFile(fetched.file)).equals(site.bytes)).toBe(true)
  expect(Number.parseInt(site.asked[3] ?? '', 10)).toBeGreaterThanOrEqual(8 * MB - 16)
})
