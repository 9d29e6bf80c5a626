// Answers for how long an AMR recording lasts: by counting its frames, since the format says it nowhere.
// Not for decoding; a frame's content is skipped.

const FRAME_MS = 20

interface Codec {
  readonly header: Buffer
  /** Payload bytes by frame type; -1 for types that no encoder writes. */
  readonly payloadBytes: readonly number[]
}

const CODECS: readonly Codec[] = [
  {
    header: Buffer.from('#!AMR\n'),
    payloadBytes: [12, 13, 15, 17, 19, 20, 26, 31, 5, -1, -1, -1, -1, -1, -1, 0],
  },
  {
    header: Buffer.from('#!AMR-WB\n'),
    payloadBytes: [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, -1, -1, -1, -1, 0, 0],
  },
]

/** Padding bits of a frame's first byte, which are zero in every sound file (RFC 4867, 5.3). */
const PADDING_BITS = 0b1000_0011

/** Duration of a whole AMR-NB or AMR-WB file; undefined for anything else, and for one that is empty, cut off or damaged. */
export function amrDurationMs(content: Buffer): number | undefined {
  const codec = CODECS.find(({ header }) => content.subarray(0, header.length).equals(header))
  if (!codec) return undefined
  let offset = codec.header.length
  let frames = 0
  while (offset < content.length) {
    const first = content.readUInt8(offset)
    const payloadBytes = codec.payloadBytes[(first >> 3) & 0x0f] ?? -1
    if ((first & PADDING_BITS) !== 0 || payloadBytes < 0) return undefined
    offset += 1 + payloadBytes
    frames += 1
  }
  return frames > 0 && offset === content.length ? frames * FRAME_MS : undefined
}
