// What uploads are seen to take, and what is made of it for media of other sizes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NO_UPLOADS, recordUpload, uploadTime } from '../../src/wecom/upload-time.ts'

interface Seen {
  readonly sizeBytes: number
  readonly tookMs: number
}
const sumsOf = (uploads: readonly Seen[]) => uploads.reduce(recordUpload, NO_UPLOADS)
const times = (count: number, upload: (number: number) => Seen) =>
  Array.from({ length: count }, (_, number) => upload(number))
const expected = (uploads: readonly Seen[], sizeBytes: number): number => {
  const time = uploadTime(sumsOf(uploads))
  if (!time) throw new Error('too little was seen')
  return time.perCallMs + time.perByteMs * sizeBytes
}

describe('what an upload takes', () => {
  it('is unknown until a hundred were seen', () => {
    const second = () => ({ sizeBytes: 100, tookMs: 1000 })
    expect(uploadTime(sumsOf(times(99, second)))).toBeUndefined()
    expect(uploadTime(sumsOf(times(100, second)))).toEqual({ perCallMs: 1000, perByteMs: 0 })
  })

  it('is told apart by calls and bytes, so that a herd of videos is foreseen after days of pictures', () => {
    const mixed = times(1000, (n) => {
      const sizeBytes = n % 50 === 0 ? 20e6 : 100e3
      return { sizeBytes, tookMs: 80 + sizeBytes / 1000 }
    })
    expect(expected(mixed, 20e6)).toBeCloseTo(20_080, 3)
    expect(expected(mixed, 0)).toBeCloseTo(80, 3)
  })

  it('is the plain mean where all sizes are nearly the same', () => {
    const noisy = times(500, (n) => ({ sizeBytes: 100_000 + (n % 3), tookMs: n % 2 ? 40 : 120 }))
    expect(uploadTime(sumsOf(noisy))).toEqual({ perCallMs: 80, perByteMs: 0 })
  })

  it('is moved little by a few that took a minute', () => {
    const odd = times(1000, (n) => ({ sizeBytes: 1000, tookMs: n % 400 === 399 ? 60_000 : 1000 }))
    expect(expected(odd, 1000)).toBeLessThan(1150)
  })

  it('follows a service that has become slower, in a few thousand calls', () => {
    const slower = times(5000, (n) => ({ sizeBytes: 1000, tookMs: n < 1000 ? 100 : 1000 }))
    expect(expected(slower, 1000)).toBeGreaterThan(980)
  })

  it('never has a negative part, and agrees with the mean of what was seen, whatever that was', () => {
    const anyUploads = fc.array(
      fc.record({ sizeBytes: fc.integer({ min: 6, max: 20e6 }), tookMs: fc.nat(60_000) }),
      { minLength: 100, maxLength: 900 },
    )
    fc.assert(
      fc.property(anyUploads, (uploads) => {
        const sums = sumsOf(uploads)
        const time = uploadTime(sums)
        expect(time?.perCallMs).toBeGreaterThanOrEqual(0)
        expect(time?.perByteMs).toBeGreaterThanOrEqual(0)
        const meanMs = sums.tookMs / sums.calls
        expect(expected(uploads, sums.bytes / sums.calls)).toBeCloseTo(meanMs, 5)
      }),
      { numRuns: 50 },
    )
  })
})
