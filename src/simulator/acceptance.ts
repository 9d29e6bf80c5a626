// Answers for what the service takes as a medium of a kind: one decision, from what the bytes are.
import { type KindLimits, MIN_BYTES } from '../media/limits.ts'
import type { MediaKind } from '../media/media.ts'
import type { Content } from './content-look.ts'

const TOO_LARGE = { image: 40009, voice: 45001, video: 40011, file: 45001 } as const
/** For `file` only where limits of one's own name formats. */
const WRONG_FORMAT = { image: 40123, voice: 301017, video: 40004, file: 40004 } as const

/** The errcode that refuses the medium, or undefined for one that is taken. */
export function judgeMedium(
  medium: { kind: MediaKind; content: Content; fileLength: number | undefined },
  limits: KindLimits,
): number | undefined {
  const { kind, content, fileLength } = medium
  if (content.sizeBytes === 0) return 44001
  if (content.sizeBytes < MIN_BYTES) return 40006
  if (content.sizeBytes > limits.maxBytes) return TOO_LARGE[kind]
  // "The picture's size does not agree with the one given" is known of pictures only.
  const lies = fileLength !== undefined && fileLength !== content.sizeBytes
  if (kind === 'image' && lies) return 40123
  if (limits.formats !== 'any' && !limits.formats.includes(content.format)) {
    return WRONG_FORMAT[kind]
  }
  return content.durationMs > (limits.maxDurationMs ?? Number.POSITIVE_INFINITY) ? 45007 : undefined
}
