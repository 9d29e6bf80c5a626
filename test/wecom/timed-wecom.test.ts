// Which time counts: that of the calls of an upload that went well in the end, and of no other.
import { expect, it } from 'vitest'
import { WecomUnreachable } from '../../src/errors.ts'
import { withSlots } from '../../src/wecom/allowed-rate.ts'
import { createTimedWecom } from '../../src/wecom/timed-wecom.ts'
import type { UploadRequest, Wecom } from '../../src/wecom/wecom.ts'
import { aMediaId } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

const { signal } = new AbortController()
const aRequest = (): UploadRequest => ({
  kind: 'image',
  wireName: 'a.jpg',
  sizeBytes: 4,
  content: Buffer.from('tiny'),
})

/** A service whose answers take as long as they are told to; after `fails` it fails instead. */
function aBench() {
  const clock = createFakeClock()
  const answers: { afterMs: number; fails: boolean }[] = []
  const wire: Pick<Wecom, 'upload'> = {
    async upload() {
      const { afterMs, fails } = answers.shift() ?? { afterMs: 1000, fails: false }
      await clock.sleep(afterMs)
      if (fails) throw new WecomUnreachable('cannot reach WeCom: timed out')
      return { mediaId: aMediaId('id'), createdAtMs: 0 }
    },
  }
  const wecom: Wecom = { ...wire, download: () => Promise.reject(new Error('nothing is there')) }
  const timed = createTimedWecom({ wecom, clock })
  const upload = async (request: UploadRequest, answer = { afterMs: 1000, fails: false }) => {
    answers.push(answer)
    const [outcome] = await Promise.all([
      timed.upload(request, signal).catch((error: unknown) => error),
      clock.advance(answer.afterMs),
    ])
    return outcome
  }
  return { timed, upload }
}

it('attempts in vain count when a later one of the same upload goes well', async () => {
  const { timed, upload } = aBench()
  for (let n = 0; n < 100; n++) {
    const request = aRequest()
    expect(await upload(request, { afterMs: 500, fails: true })).toBeInstanceOf(WecomUnreachable)
    await upload(request)
  }
  expect(timed.uploadTime()).toEqual({ perCallMs: 1500, perByteMs: 0 })
})

it('what fails for good tells nothing: an outage is no slowness', async () => {
  const { timed, upload } = aBench()
  for (let n = 0; n < 100; n++) {
    await upload(aRequest(), { afterMs: 60_000, fails: true })
    await upload(aRequest())
  }
  expect(timed.uploadTime()).toEqual({ perCallMs: 1000, perByteMs: 0 })
})

it('four slots take a quarter of the time, and one of them, after "too many at once", all of it', () => {
  const rate = { callsPerHour: 75_000, bytesPerSecond: undefined }
  const time = { perCallMs: 1000, perByteMs: 2 }
  expect(withSlots(rate, time, 4).slots).toEqual({ perCallMs: 250, perByteMs: 0.5 })
  expect(withSlots(rate, time, 1).slots).toEqual(time)
  expect(withSlots(rate, undefined, 4)).toBe(rate)
})
