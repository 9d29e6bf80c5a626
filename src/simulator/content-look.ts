// Answers for what passing bytes are: size, fingerprint, format by magic bytes, and how long an AMR plays.
// Looks at a stream in pieces of any size and keeps next to nothing of it.
import { createHash } from 'node:crypto'

type Format = 'jpg' | 'png' | 'mp4' | 'amr' | 'unknown'

export interface Content {
  readonly sizeBytes: number
  readonly sha256: string
  readonly format: Format
  /** Zero for everything but AMR. */
  readonly durationMs: number
}

const HEAD_BYTES = 16
const AMR_MAGIC = '#!AMR\n'
const FRAME_MS = 20
/** Bytes of a whole frame by frame type; the types between silence (8) and "no data" (15) are reserved. */
const FRAME_BYTES: readonly number[] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1]

export interface ContentLook {
  add(bytes: Buffer): void
  sizeBytes(): number
  result(): Content
}

export function createContentLook(): ContentLook {
  const hash = createHash('sha256')
  let sizeBytes = 0
  let head = Buffer.alloc(0)
  let frames = 0
  /** Where the next AMR frame begins, counted from the start of the content. */
  let nextFrameAt = AMR_MAGIC.length

  function countFrames(bytes: Buffer) {
    const startsAt = sizeBytes
    while (nextFrameAt < startsAt + bytes.length) {
      const frameType = ((bytes[nextFrameAt - startsAt] ?? 0) >> 3) & 15
      nextFrameAt += FRAME_BYTES[frameType] ?? 1
      frames += 1
    }
  }

  return {
    add(bytes) {
      hash.update(bytes)
      if (head.length < HEAD_BYTES) {
        head = Buffer.concat([head, bytes.subarray(0, HEAD_BYTES - head.length)])
      }
      // Frames start after the magic, so none is missed while the head is too short to tell.
      if (recogniseFormat(head) === 'amr') countFrames(bytes)
      sizeBytes += bytes.length
    },
    sizeBytes: () => sizeBytes,
    result() {
      const format = recogniseFormat(head)
      const durationMs = format === 'amr' ? frames * FRAME_MS : 0
      return { sizeBytes, sha256: hash.copy().digest('hex'), format, durationMs }
    },
  }
}

function recogniseFormat(head: Buffer): Format {
  const text = head.toString('latin1')
  if (text.startsWith('\xff\xd8\xff')) return 'jpg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (text.startsWith(AMR_MAGIC)) return 'amr'
  return text.slice(4, 8) === 'ftyp' ? 'mp4' : 'unknown'
}
