// Answers for which kind a file is uploaded as, or why none takes it. Decides from facts; reads nothing.
import { createGlob } from './glob.ts'
import { type KindLimits, type Limits, MIN_BYTES } from './limits.ts'
import type { MediaKind, MediaPath } from './media.ts'
import { renderExcess } from './size-text.ts'

export interface ContentFacts {
  readonly path: MediaPath
  readonly sizeBytes: number
  /** By content, never by name; undefined for what is not recognised. */
  readonly format: string | undefined
  /** Of voice; undefined says that it was counted in vain, and is no reason to refuse only when it was not counted at all. */
  readonly durationMs?: number | undefined
}

export interface KindPolicy {
  readonly limits: Limits
  /** Whether what its own kind refuses goes as `file`. */
  readonly downgrade: boolean
  /** In order; the first that matches overrides the kind of the content. */
  readonly rules: readonly {
    readonly matches: (path: string) => boolean
    readonly kind: MediaKind
  }[]
}

export type KindChoice =
  | {
      readonly kind: MediaKind /** Why it does not go as the kind it is. */
      readonly downgradedBecause?: string
    }
  | { readonly unacceptable: string }

/** The policy with its globs made ready, so that they are compiled once. */
export const createKindPolicy = (settings: {
  readonly limits: Limits
  readonly downgrade: boolean
  readonly rules: readonly { readonly match: string; readonly kind: MediaKind }[]
}): KindPolicy => ({
  ...settings,
  rules: settings.rules.map(({ match, kind }) => ({ matches: createGlob(match), kind })),
})

/** Chooses the kind: by rule, else by content; refused by its kind as `file`; refused by that too, unacceptable. */
export function chooseKind(facts: ContentFacts, policy: KindPolicy): KindChoice {
  const refuse = (reason: string) => ({
    unacceptable: `cannot upload \`${facts.path}\`: ${reason}`,
  })
  if (facts.sizeBytes === 0) return refuse('it is empty')
  if (facts.sizeBytes < MIN_BYTES)
    return refuse(`${facts.sizeBytes} bytes is less than the ${MIN_BYTES} that WeCom takes`)
  const rule = policy.rules.find(({ matches }) => matches(facts.path))
  const kind = rule?.kind ?? kindOfContent(facts.format, policy.limits)
  const refusal = refusalOf(kind, facts, policy.limits)
  if (refusal === undefined) return { kind }
  if (kind === 'file' || !policy.downgrade) return refuse(refusal)
  const fileRefusal = refusalOf('file', facts, policy.limits)
  return fileRefusal === undefined
    ? { kind: 'file', downgradedBecause: refusal }
    : refuse(fileRefusal)
}

/** A kind of its own for what WeCom shows or plays in place; everything else is a `file` from the start. */
const DOCUMENTED_FORMATS = { image: ['jpg', 'png'], voice: ['amr'], video: ['mp4'] } as const

function kindOfContent(format: string | undefined, limits: Limits): MediaKind {
  if (format === undefined) return 'file'
  const takes = (formats: readonly string[] | 'any') =>
    formats !== 'any' && formats.includes(format)
  const kinds = ['image', 'voice', 'video'] as const
  return (
    kinds.find((kind) => takes(limits[kind].formats)) ??
    // A profile may not take PNG as image, say; it is still an image that is refused, not a file by nature.
    kinds.find((kind) => takes(DOCUMENTED_FORMATS[kind])) ??
    'file'
  )
}

/** What the content of a format is by nature, whether WeCom takes it as such or not; nearly all others are files. */
const FORMATS: Readonly<Record<Exclude<MediaKind, 'file'>, ReadonlySet<string>>> = {
  image: new Set('jpg png apng gif webp bmp tif heic avif ico jxl jp2 psd'.split(' ')),
  voice: new Set('amr silk mp3 wav m4a aac ogg opus spx flac ape 3gp'.split(' ')),
  video: new Set('mp4 m4v mov 3gp 3g2 avi mkv webm asf flv mpg mts'.split(' ')),
}

/** Whether content is surely something else than it was announced as. Of what nobody recognises, and of a file, nothing is sure. */
export const isMisannounced = (announced: MediaKind, format: string | undefined): boolean =>
  announced !== 'file' && format !== undefined && !FORMATS[announced].has(format)

/** What a Content-Type announces; undefined for one that is said of anything. */
export function kindOfContentType(contentType: string | undefined): MediaKind | undefined {
  const sort = contentType?.split('/', 1)[0]?.trim().toLowerCase()
  if (sort === 'image' || sort === 'voice' || sort === 'video') return sort
  return sort === 'audio' ? 'voice' : undefined
}

function refusalOf(kind: MediaKind, facts: ContentFacts, limits: Limits): string | undefined {
  const { formats, maxBytes, maxDurationMs }: KindLimits = limits[kind]
  if (formats !== 'any' && !(facts.format !== undefined && formats.includes(facts.format)))
    return `${facts.format ?? 'unrecognised content'} is not ${formats.join(' or ')}, as ${kind} must be`
  if (facts.sizeBytes > maxBytes) return `${renderExcess(facts.sizeBytes, maxBytes)} for ${kind}`
  if (maxDurationMs === undefined || !('durationMs' in facts)) return undefined
  if (facts.durationMs === undefined)
    return `its length cannot be told (cut off or damaged), and ${kind} may last ${seconds(maxDurationMs)}`
  return facts.durationMs > maxDurationMs
    ? `${seconds(facts.durationMs)} exceeds ${seconds(maxDurationMs)} for ${kind}`
    : undefined
}

/** To the hundredth, so that 60.02 s does not read like the limit that it exceeds. */
const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(2))} s`
