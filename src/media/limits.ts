// Answers for what each kind of medium may be: the two profiles of documented limits, as data.
import type { MediaKind } from './media.ts'

const MB = 2 ** 20

export interface KindLimits {
  readonly maxBytes: number
  /** Formats by content (`jpg`, `png`, `amr`, `mp4`), or `any`. */
  readonly formats: readonly string[] | 'any'
  /** Only for voice. */
  readonly maxDurationMs?: number
}

export type Limits = Readonly<Record<MediaKind, KindLimits>>

/** Every medium must be larger than five bytes (path/96484). */
export const MIN_BYTES = 6

/** path/96484, 2024-07-22; "MB" is taken as 2^20, as Tencent's own plugin does. */
export const WECOM_LIMITS: Limits = {
  image: { maxBytes: 10 * MB, formats: ['jpg', 'png'] },
  voice: { maxBytes: 2 * MB, formats: ['amr'], maxDurationMs: 60_000 },
  video: { maxBytes: 10 * MB, formats: ['mp4'] },
  file: { maxBytes: 20 * MB, formats: 'any' },
}

/** The limits of the 企业号 era, still in force on some private installations. */
export const ENTERPRISE_ACCOUNT_LIMITS: Limits = {
  image: { maxBytes: 1 * MB, formats: ['jpg'] },
  voice: { maxBytes: 2 * MB, formats: ['amr'], maxDurationMs: 60_000 },
  video: { maxBytes: 10 * MB, formats: ['mp4'] },
  file: { maxBytes: 10 * MB, formats: 'any' },
}
