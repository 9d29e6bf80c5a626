// Answers for the words of the domain: what a path, a media_id, a fingerprint and an entry are.
// Not for how any of them is stored, sent or read.
import type { Version } from './version.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Name of a file relative to the folder, forward slashes, exactly as on disk (not normalised). */
export type MediaPath = Branded<'MediaPath'>

/** WeCom's handle for one upload. Whoever holds it can fetch the medium, so treat it as confidential within the corp. */
export type MediaId = Branded<'MediaId'>

/** SHA-256 of the content, 64 lower-case hex digits. */
export type Fingerprint = Branded<'Fingerprint'>

/** Size, mtime and ctime of a file in one comparable string: equal stamps mean "not touched since". */
export type Stamp = Branded<'Stamp'>

/** What WeCom tells apart; each kind has limits of its own, and an id fits only messages of its kind. */
export type MediaKind = 'image' | 'voice' | 'video' | 'file'

export const MEDIA_KINDS = [
  'image',
  'voice',
  'video',
  'file',
] as const satisfies readonly MediaKind[]

/** The root marker's name: a folder without it is not believed (not mounted, emptied, replaced). */
export const MARKER_NAME = '.wecom-media-mirror'

/** A regular file of the folder, as the last look at the disk found it. */
export interface FileFacts {
  readonly path: MediaPath
  readonly sizeBytes: number
  readonly modifiedAtMs: number
  /** ctime: also moves when a file is renamed in with an old mtime. */
  readonly changedAtMs: number
  readonly stamp: Stamp
}

/** Whether an entry came from a file of the folder or from a reference that landed. */
export type Origin = 'folder' | 'reference'

/** One row of the manifest: immutable, replaced as a whole. Times are on the service's clock. */
export interface ManifestEntry {
  readonly path: MediaPath
  readonly mediaId: MediaId
  readonly kind: MediaKind
  readonly createdAtMs: number
  readonly expiresAtMs: number
  /** Undefined: never; a landed reference is not kept alive unless `references.renew` says so. */
  readonly renewAtMs: number | undefined
  /** When an audit last found the id alive; a new id has none, its upload says as much. */
  readonly checkedAtMs?: number | undefined
  readonly sizeBytes: number
  readonly modifiedAtMs: number
  readonly fingerprint: Fingerprint
  /** The file's stamp when these bytes were read; a different one on disk means "look again". */
  readonly stamp: Stamp
  readonly origin: Origin
  /** How these bytes stand to what other hosts have at the path; a new id of the same bytes changes nothing of it. */
  readonly version?: Version | undefined
  /** These bytes are what the call for voices in high definition gives for the id; the ordinary call gives others. */
  readonly isHd?: true
}

/** Why a path has no live media_id, or soon will not have one, in words for a person. */
export interface Problem {
  readonly path: MediaPath
  readonly code: ProblemCode
  readonly message: string
  readonly sinceMs: number
  /** When it was last tried all the same, in vain, where that is later. */
  readonly triedAtMs?: number
  /** What the problem was found in: it is not tried again until the file's stamp differs. */
  readonly stamp?: Stamp
  readonly fingerprint?: Fingerprint
}

export type ProblemCode =
  | 'MEDIA_UNACCEPTABLE'
  | 'MEDIA_REFUSED'
  | 'MEDIA_LOST'
  | 'FILE_UNREADABLE'
  | 'FILE_UNSETTLED'
  | 'NAME_NOT_UTF8'
  | 'PATH_CONFLICT'
  /** A person said so: not mirrored until the file changes. */
  | 'FORGOTTEN'

/** Of a content that a person did away with here, so that no other host brings it back. */
export const describeForgotten = (
  { path, fingerprint }: Pick<ManifestEntry, 'path' | 'fingerprint'>,
  sinceMs: number,
): Problem => ({
  path,
  code: 'FORGOTTEN',
  message: `\`${path}\` is not mirrored: it was done away with here, until its content changes`,
  sinceMs,
  fingerprint,
})

/** A statement that someone needs the medium behind an id: at a path of the folder, or in the inbox. */
export interface Reference {
  readonly mediaId: MediaId
  /** Where it belongs; without one it goes to the inbox under its own name. */
  readonly path?: MediaPath
  /** The directory that it goes to under its own name, instead of the inbox. */
  readonly into?: MediaDirectory
  /** It is wanted in high definition, which WeCom has only of voices that a web page recorded (path/90391). */
  readonly isHd?: true
  /** When the medium was uploaded, if the one who referred to it knew. */
  readonly createdAtMs?: number
  /** Who sent it, as WeCom or the one who referred to it says. */
  readonly from?: string
  /** What it was announced as; its content may say otherwise. */
  readonly kind?: MediaKind
  /** The message of WeCom's that brought it, by its 64-bit id; it goes where `callback.saveTo` says. */
  readonly messageId?: string
  readonly acceptedAtMs: number
  readonly state: 'accepted' | 'landed' | 'lost'
  /** Where it landed, once it has; or why it never will. */
  readonly landedPath?: MediaPath
  readonly message?: string
  /** When a person dismissed it: it is listed no more, and is remembered so that what lists its id does not bring it back. */
  readonly dismissedAtMs?: number
}

/** What one says who needs a medium; the rest is what becomes of it. */
export type WantedReference = Omit<
  Reference,
  'acceptedAtMs' | 'state' | 'landedPath' | 'message' | 'dismissedAtMs'
>

/** Whether it waits still, and for the same: another place, or the high definition, is another wish. */
export const isSameWish = (standing: Reference, { path, into, isHd }: Reference): boolean =>
  standing.state === 'accepted' &&
  standing.path === path &&
  standing.into === into &&
  standing.isHd === isHd

/** The path of what never got one, for whoever is told of its loss. */
export const NO_PATH = '' as MediaPath

/** A path as the rest of the program may hold it, or undefined for what can never name a file of the folder. */
export function parseMediaPath(text: string): MediaPath | undefined {
  if (text === '' || text.includes('\0') || text.startsWith('/')) return undefined
  return ODD_PART.test(text) ? undefined : (text as MediaPath)
}

/** A part that is empty, `.` or `..`. A pattern, since a start reads every path there is. */
const ODD_PART = /(?:^|\/)\.{0,2}(?:\/|$)/

/** A directory of the folder, or the folder itself. */
export type MediaDirectory = MediaPath | typeof ROOT

/** The folder itself, which has no path. */
export const ROOT = '.'

export const parseMediaDirectory = (text: string): MediaDirectory | undefined =>
  text === ROOT ? ROOT : parseMediaPath(text)

/** Where a name stands in a directory. */
export const pathIn = (directory: MediaDirectory, name: string): string =>
  directory === ROOT ? name : `${directory}/${name}`

/** The directory of a path. */
export function directoryOf(path: MediaPath): MediaDirectory {
  const end = path.lastIndexOf('/')
  return end < 0 ? ROOT : (path.slice(0, end) as MediaPath)
}

/** Ids seen are 44 to 65 URL-safe characters; no length is promised, so only the unprintable is refused. */
export function parseMediaId(text: string): MediaId | undefined {
  return /^[\x21-\x7e]{1,512}$/.test(text) ? (text as MediaId) : undefined
}

export function parseFingerprint(text: string): Fingerprint | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as Fingerprint) : undefined
}

export function parseStamp(text: string): Stamp | undefined {
  return /^\d+:-?[\d.]+:-?[\d.]+$/.test(text) ? (text as Stamp) : undefined
}

/** Made of what changes when content does; not of the inode, which network file systems invent anew. */
export const createStamp = (stat: { size: number; mtimeMs: number; ctimeMs: number }): Stamp =>
  `${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}` as Stamp

/** Of an entry that was written ahead of its file; no file on disk has it. */
export const stampOfNoFile = (sizeBytes: number): Stamp =>
  createStamp({ size: sizeBytes, mtimeMs: 0, ctimeMs: 0 })

/** Whether its file was ever seen: if not, that it is not there says nothing of what a person wants. */
export const hadFile = ({
  stamp,
  sizeBytes,
}: Pick<ManifestEntry, 'stamp' | 'sizeBytes'>): boolean => stamp !== stampOfNoFile(sizeBytes)

/** The last part of a path: the name that receivers of a `file` medium see. */
export const baseName = (path: MediaPath): string => path.slice(path.lastIndexOf('/') + 1)
