import fc from 'fast-check'
import { expect, test } from 'vitest'
import { amrDurationMs } from '../../src/media/amr.ts'
import { anAmr } from '../helpers/samples.ts'

const NARROW = [12, 13, 15, 17, 19, 20, 26, 31, 5]
const WIDE = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5]

const frame = (type: number, payloadBytes: number) => {
  const bytes = Buffer.alloc(1 + payloadBytes)
  bytes.writeUInt8((type << 3) | 4)
  return bytes
}
const narrow = (...frames: Buffer[]) => Buffer.concat([Buffer.from('#!AMR\n'), ...frames])
const wide = (...frames: Buffer[]) => Buffer.concat([Buffer.from('#!AMR-WB\n'), ...frames])

test.each([1, 5, 60, 61])('counts %d s of speech', (seconds) => {
  expect(amrDurationMs(anAmr({ seconds }))).toBe(seconds * 1000)
})

test.each(NARROW.map((bytes, type) => [type, bytes] as const))(
  'knows the narrow-band frame type %d (%d bytes)',
  (type, bytes) => expect(amrDurationMs(narrow(frame(type, bytes), frame(type, bytes)))).toBe(40),
)

test.each(WIDE.map((bytes, type) => [type, bytes] as const))(
  'knows the wide-band frame type %d (%d bytes)',
  (type, bytes) => expect(amrDurationMs(wide(frame(type, bytes)))).toBe(20),
)

test('counts frames without data, which are silence of the usual length', () => {
  expect(amrDurationMs(narrow(frame(15, 0), frame(0, 12)))).toBe(40)
  expect(amrDurationMs(wide(frame(14, 0), frame(15, 0)))).toBe(40)
})

test.each([
  ['a file that is cut off', anAmr({ seconds: 1 }).subarray(0, -1)],
  ['a frame type that no encoder writes', narrow(frame(9, 5))],
  ['padding bits that are set', narrow(Buffer.from([0x85]), Buffer.alloc(12))],
  ['a header alone', narrow()],
  ['SILK', Buffer.from('#!SILK_V3\x00\x00')],
  ['several channels', Buffer.from('#!AMR_MC1.0\n')],
  ['nothing', Buffer.alloc(0)],
])('does not guess the length of %s', (_, content) => {
  expect(amrDurationMs(content)).toBeUndefined()
})

test('ends on any bytes, in time that grows with their number', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const duration = amrDurationMs(narrow(Buffer.from(bytes)))
      expect(duration === undefined || duration <= bytes.length * 20).toBe(true)
    }),
  )
})
