// What every WeCom must do, be it the real one, the simulator behind HTTP, or a fake in memory. Answers for the port's
// meaning only; what travels over the wire is tested in `test/wecom`.
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { FileUnreadable, WecomRefused } from '../../src/errors.ts'
import type { MediaId } from '../../src/media/media.ts'
import type { Download, UploadRequest, Wecom } from '../../src/wecom/wecom.ts'

export interface WecomSubject {
  readonly wecom: Wecom
  /** The moment by the service's clock. */
  nowMs(): number
  /** An id that the service never gave out. */
  readonly unknownId: MediaId
  /** Lets so much of the service's time pass; absent where nobody can. */
  readonly pass?: (durationMs: number) => Promise<void>
}

const patient = new AbortController().signal
const DAY_MS = 24 * 60 * 60 * 1000

const aText = (bytes: Buffer, more: Partial<UploadRequest> = {}): UploadRequest => ({
  kind: 'file',
  wireName: 'words.txt',
  sizeBytes: bytes.length,
  content: bytes,
  ...more,
})

const bytesOf = async ({ body }: Download): Promise<Buffer> => Buffer.concat(await body.toArray())

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Registers the tests; the subject is made anew for each of them. */
export function describeWecomContract(name: string, createSubject: () => Promise<WecomSubject>) {
  describe(`${name} keeps the contract of WeCom`, () => {
    test('what was uploaded can be downloaded, byte for byte', async () => {
      const { wecom } = await createSubject()
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index * 7))
      const { mediaId } = await wecom.upload(aText(bytes), patient)
      const got = await wecom.download({ mediaId }, patient)
      expect(got.sizeBytes).toBe(bytes.length)
      expect(got.totalBytes).toBe(bytes.length)
      expect((await bytesOf(got)).equals(bytes)).toBe(true)
    })

    test('a stream is opened for the upload and sent whole', async () => {
      const { wecom } = await createSubject()
      const bytes = Buffer.from('in three pieces')
      const pieces = [bytes.subarray(0, 2), bytes.subarray(2, 9), bytes.subarray(9)]
      const content = () => Readable.from(pieces)
      const { mediaId } = await wecom.upload(aText(bytes, { content }), patient)
      expect(await bytesOf(await wecom.download({ mediaId }, patient))).toEqual(bytes)
    })

    test('a medium was created no later than the moment before its upload', async () => {
      const { wecom, nowMs } = await createSubject()
      await wecom.upload(aText(Buffer.from('the first call of all')), patient)
      const beforeMs = nowMs()
      const { createdAtMs } = await wecom.upload(aText(Buffer.from('mytext')), patient)
      // A second for the service's own rounding, another for that of its clock.
      expect(createdAtMs).toBeGreaterThan(beforeMs - 2_100)
      expect(createdAtMs).toBeLessThanOrEqual(nowMs() + 1_100)
    })

    test('two uploads live side by side, whatever they hold', async () => {
      const { wecom } = await createSubject()
      const bytes = Buffer.from('the same')
      const first = await wecom.upload(aText(bytes), patient)
      const second = await wecom.upload(aText(bytes), patient)
      for (const { mediaId } of [first, second]) {
        expect(await bytesOf(await wecom.download({ mediaId }, patient))).toEqual(bytes)
      }
    })

    test('a .json file that looks like an error survives', async () => {
      const { wecom } = await createSubject()
      const bytes = Buffer.from('{"errcode":40007,"errmsg":"invalid media_id"}')
      const { mediaId } = await wecom.upload(aText(bytes, { wireName: 'error.json' }), patient)
      expect(await bytesOf(await wecom.download({ mediaId }, patient))).toEqual(bytes)
    })

    test('a range is a range, and says how long the whole is', async () => {
      const { wecom } = await createSubject()
      const bytes = Buffer.from('0123456789abcdef')
      const { mediaId } = await wecom.upload(aText(bytes), patient)
      const middle = await wecom.download(
        { mediaId, range: { firstByte: 4, lastByte: 6 } },
        patient,
      )
      expect(middle).toMatchObject({ sizeBytes: 3, totalBytes: 16 })
      expect((await bytesOf(middle)).toString()).toBe('456')
      const end = await wecom.download({ mediaId, range: { firstByte: 14, lastByte: 99 } }, patient)
      expect(end).toMatchObject({ sizeBytes: 2, totalBytes: 16 })
      expect((await bytesOf(end)).toString()).toBe('ef')
    })

    test('an id that never was is refused for its own sake', async () => {
      const { wecom, unknownId } = await createSubject()
      const failure = await failureOf(wecom.download({ mediaId: unknownId }, patient))
      expect(failure).toBeInstanceOf(WecomRefused)
      expect(failure).toMatchObject({ errcode: 40007, remedy: 'skip' })
    })

    test.each([-1, 1])(
      'content that is %i byte off its announced size is a file that changed',
      async (off) => {
        const { wecom } = await createSubject()
        const bytes = Buffer.from('mytext')
        const asked = aText(bytes, { sizeBytes: bytes.length - off })
        expect(await failureOf(wecom.upload(asked, patient))).toBeInstanceOf(FileUnreadable)
        const content = () => Readable.from([bytes])
        expect(await failureOf(wecom.upload({ ...asked, content }, patient))).toBeInstanceOf(
          FileUnreadable,
        )
      },
    )

    test('a signal that has fired lets nothing happen, and its reason comes back', async () => {
      const { wecom, unknownId } = await createSubject()
      const reason = new Error('stopping')
      const signal = AbortSignal.abort(reason)
      expect(await failureOf(wecom.upload(aText(Buffer.from('mytext')), signal))).toBe(reason)
      expect(await failureOf(wecom.download({ mediaId: unknownId }, signal))).toBe(reason)
    })

    test('a medium lives for three days, and then its id is dead', async ({ skip }) => {
      const { wecom, pass } = await createSubject()
      if (!pass) return skip('nobody can turn this clock')
      const { mediaId } = await wecom.upload(aText(Buffer.from('mytext')), patient)
      await pass(3 * DAY_MS - 60_000)
      expect((await bytesOf(await wecom.download({ mediaId }, patient))).toString()).toBe('mytext')
      await pass(120_000)
      expect(await failureOf(wecom.download({ mediaId }, patient))).toMatchObject({
        errcode: 40007,
      })
    })
  })
}
