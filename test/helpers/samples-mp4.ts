// The boxes of the smallest real MP4 we can write by hand: one video track whose one sample is a JPEG.

/** An ISO base media box: length, four letters, content. */
export function box(type: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, body])
}

/** Big-endian 32-bit numbers, and text as it stands. */
const pack = (...parts: (number | string)[]) =>
  Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1')
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(part)
      return bytes
    }),
  )

const UNITY_MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000]
const TIMESCALE = 1000
const ONE_SECOND = 1000

const ftyp = box('ftyp', pack('isom', 0x200, 'isom', 'iso2', 'mp41'))

const mvhd = box(
  'mvhd',
  pack(0, 0, 0, TIMESCALE, ONE_SECOND, 0x10000, 0x01000000, 0, 0, ...UNITY_MATRIX),
  Buffer.alloc(24),
  pack(2),
)

const tkhd = box(
  'tkhd',
  pack(3, 0, 0, 1, 0, ONE_SECOND, 0, 0, 0, 0, ...UNITY_MATRIX, 0x400000, 0x400000),
)

const mdhd = box('mdhd', pack(0, 0, 0, TIMESCALE, ONE_SECOND, 0x55c40000))
const hdlr = box('hdlr', pack(0, 0, 'vide', 0, 0, 0, 'video\0'))
const vmhd = box('vmhd', pack(1, 0, 0))
const dinf = box('dinf', box('dref', pack(0, 1), box('url ', pack(1))))

/** MPEG-4 part 1 descriptors: a visual stream (0x11) of object type 0x6c, which is JPEG. */
const esds = box(
  'esds',
  pack(0),
  Buffer.from([3, 21, 0, 1, 0, 4, 13, 0x6c, 0x11, 0, 0, 0]),
  Buffer.alloc(8),
  Buffer.from([6, 1, 2]),
)

const visualSampleEntry = box(
  'mp4v',
  Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]),
  Buffer.alloc(16),
  Buffer.from([0, 64, 0, 64]),
  pack(0x480000, 0x480000, 0),
  Buffer.from([0, 1]),
  Buffer.alloc(32),
  Buffer.from([0, 0x18, 0xff, 0xff]),
  esds,
)

function moov(sampleBytes: number, sampleOffset: number): Buffer {
  const stbl = box(
    'stbl',
    box('stsd', pack(0, 1), visualSampleEntry),
    box('stts', pack(0, 1, 1, ONE_SECOND)),
    box('stsc', pack(0, 1, 1, 1, 1)),
    box('stsz', pack(0, 0, 1, sampleBytes)),
    box('stco', pack(0, 1, sampleOffset)),
  )
  const mdia = box('mdia', mdhd, hdlr, box('minf', vmhd, dinf, stbl))
  return box('moov', mvhd, box('trak', tkhd, mdia))
}

/** A whole film of one picture. */
export function mp4Boxes(jpg: Buffer): Buffer {
  const mdat = box('mdat', jpg)
  // The offset's size does not depend on its value, so a first draft tells where the sample will lie.
  const sampleOffset = ftyp.length + moov(jpg.length, 0).length + 8
  return Buffer.concat([ftyp, moov(jpg.length, sampleOffset), mdat])
}
