// Tiny real media, made in code: every one decodes, and can be padded to an exact size for tests of limits.
// Answers for their bytes only; what WeCom thinks of them is the simulator's business.
import { crc32, deflateSync } from 'node:zlib'
import { box, mp4Boxes } from './samples-mp4.ts'

const u16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** What is missing to `sizeBytes`, or a refusal where the format cannot express such a small gap. */
function gapBytes(haveBytes: number, sizeBytes: number | undefined, smallestPad: number): number {
  const gap = (sizeBytes ?? haveBytes) - haveBytes
  if (gap === 0 || gap >= smallestPad) return gap
  throw new RangeError(
    `cannot make ${sizeBytes} bytes: it takes ${haveBytes}, or ${haveBytes + smallestPad} and more`,
  )
}

const jpgSegment = (marker: number, body: Buffer) =>
  Buffer.concat([Buffer.from([0xff, marker]), u16(body.length + 2), body])

/** One code of one bit, meaning the symbol 0: all that a plain grey square of 64 blocks needs. */
const oneCodeTable = (slot: number) =>
  jpgSegment(0xc4, Buffer.from([slot, 1, ...Array<number>(15).fill(0), 0]))

const JPG_START = Buffer.from([0xff, 0xd8])
const JPG_REST = Buffer.concat([
  jpgSegment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1')),
  jpgSegment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 1)])),
  jpgSegment(0xc0, Buffer.from([8, 0, 64, 0, 64, 1, 1, 0x11, 0])),
  oneCodeTable(0x00),
  oneCodeTable(0x10),
  jpgSegment(0xda, Buffer.from([1, 1, 0, 0, 0x3f, 0])),
  Buffer.alloc(16),
  Buffer.from([0xff, 0xd9]),
])

const LARGEST_COMMENT = 65_533

/** A JPEG, a grey square of 64 by 64 (174 bytes), padded by comment segments. */
export function aJpg(sizeBytes?: number): Buffer {
  const comments: Buffer[] = []
  let gap = gapBytes(JPG_START.length + JPG_REST.length, sizeBytes, 4)
  while (gap > 0) {
    // Never leave a rest of 1 to 3 bytes: a segment needs 4 of its own.
    const whole = LARGEST_COMMENT + 4
    const take = gap <= whole ? gap : Math.min(whole, gap - 4)
    comments.push(jpgSegment(0xfe, Buffer.alloc(take - 4, 'x')))
    gap -= take
  }
  return Buffer.concat([JPG_START, ...comments, JPG_REST])
}

function pngChunk(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body])
  return Buffer.concat([u32(body.length), typed, u32(crc32(typed))])
}

/** A PNG of one grey pixel (67 bytes), padded by a text chunk. */
export function aPng(sizeBytes?: number): Buffer {
  const start = Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', Buffer.concat([u32(1), u32(1), Buffer.from([8, 0, 0, 0, 0])])),
  ])
  const rest = Buffer.concat([
    pngChunk('IDAT', deflateSync(Buffer.from([0, 0x80]))),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
  const gap = gapBytes(start.length + rest.length, sizeBytes, 14)
  const text = gap === 0 ? [] : [pngChunk('tEXt', Buffer.from(`a\0${'x'.repeat(gap - 14)}`))]
  return Buffer.concat([start, ...text, rest])
}

/** An MP4 of one Motion-JPEG frame that lasts a second, padded by a free box at its end. */
export function anMp4(sizeBytes?: number): Buffer {
  const film = mp4Boxes(aJpg())
  const gap = gapBytes(film.length, sizeBytes, 8)
  return gap === 0 ? film : Buffer.concat([film, box('free', Buffer.alloc(gap - 8))])
}

/** Payload bytes of one 20 ms frame, by frame type 0 (4.75 kbit/s) to 7 (12.2 kbit/s). */
const AMR_PAYLOAD_BYTES = [12, 13, 15, 17, 19, 20, 26, 31] as const

/** Narrow-band AMR: 50 frames a second; mode 0 makes 650 bytes a second, mode 7 1,600. */
export function anAmr({ seconds = 1, mode = 0 }: { seconds?: number; mode?: number } = {}): Buffer {
  const payloadBytes = AMR_PAYLOAD_BYTES[mode]
  if (payloadBytes === undefined)
    throw new RangeError(`cannot make AMR of mode ${mode}: 0 to 7 exist`)
  const frame = Buffer.alloc(1 + payloadBytes)
  frame[0] = (mode << 3) | 4
  const frames = Array.from({ length: Math.round(seconds * 50) }, () => frame)
  return Buffer.concat([Buffer.from('#!AMR\n', 'latin1'), ...frames])
}

const PDF_OBJECTS = [
  '<< /Type /Catalog /Pages 2 0 R >>',
  '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
  '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>',
]

/** A PDF of one empty page, padded by a comment. */
export function aPdf(sizeBytes?: number): Buffer {
  const bare = renderPdf('')
  const gap = gapBytes(bare.length, sizeBytes, 2)
  if (gap === 0) return bare
  // The offsets in the file have a fixed width but `startxref` has not: aim, then correct.
  const aimed = renderPdf(`%${'x'.repeat(gap - 2)}\n`)
  const excess = aimed.length - (sizeBytes ?? 0)
  return renderPdf(`%${'x'.repeat(gap - 2 - excess)}\n`)
}

function renderPdf(padding: string): Buffer {
  let text = `%PDF-1.4\n${padding}`
  const offsets = PDF_OBJECTS.map((body, index) => {
    const offset = text.length
    text += `${index + 1} 0 obj\n${body}\nendobj\n`
    return offset
  })
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`)
  const table = `xref\n0 ${rows.length + 1}\n0000000000 65535 f \n${rows.join('')}`
  const trailer = `trailer\n<< /Size ${rows.length + 1} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`
  return Buffer.from(text + table + trailer, 'latin1')
}
