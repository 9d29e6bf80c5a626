// Answers for names that cross the border: what a file is called on the wire, and what a stranger may call one on our disk.
import { baseName, type MediaId, type MediaPath } from '../media/media.ts'

/** WeCom's limit for the name of a medium, in bytes of UTF-8. */
const WIRE_NAME_BYTES = 128
/** What a directory entry takes on Linux, less room for a number when the name is taken: ` (10000)`. */
const LOCAL_NAME_BYTES = 255 - 8
/** What follows the last dot counts as an extension up to this length; beyond it is part of the name. */
const EXTENSION_BYTES = 16

/** Line ends, escape sequences and their kin; also the two Unicode line ends. */
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu
/** Marks that show a name in another order than it has (`gpj.exe` as `exe.jpg`), and marks that show nothing at all. */
const DECEIVING = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu
/** What other systems that share the folder do not take. */
const UNPORTABLE = /[<>:"|?*]/g
/** Devices, to Windows, whatever their extension. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i

/** The name under which a file is uploaded: what its receivers see, safe inside `filename="…"`. */
export function wireName(path: MediaPath): string {
  const name = baseName(path)
    .toWellFormed()
    .replaceAll(CONTROLS, '_')
    .replaceAll('"', "'")
    .replaceAll('\\', '_')
  return shorten(name, WIRE_NAME_BYTES)
}

export interface DownloadFacts {
  readonly contentType: string | undefined
  /** By content, as `detectFormat` tells. */
  readonly format: string | undefined
  readonly mediaId: MediaId
}

/** The name under which a download may be kept: one component of a path, harmless whatever was announced, never empty. */
export function localName(announced: string | undefined, facts: DownloadFacts): string {
  const { stem, extension } = split(defuse(announced ?? ''))
  const kept =
    stem === '' ? `media-${facts.mediaId.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 12)}` : stem
  const told = deservedExtension(extension, facts) ?? (extension || extensionOf(facts))
  const name = trimEnds(shorten(`${kept}${told}`, LOCAL_NAME_BYTES))
  return RESERVED.test(name) ? `_${name}` : name
}

/** What a stranger is called, as one component of a path: a person's id, a media_id. Never empty, never with an extension added. */
export function localPart(text: string): string {
  const plain = text
    .toWellFormed()
    .replaceAll(DECEIVING, '')
    .replaceAll(/[/\\]/g, '_')
    .replaceAll(CONTROLS, '_')
    .replaceAll(UNPORTABLE, '_')
  const part = trimEnds(shortenPart(trimEnds(plain))) || 'unknown'
  return RESERVED.test(part) ? `_${part}` : part
}

/** At most what a directory entry takes, with room for a number; the extension is kept. */
export const shortenPart = (part: string): string => shorten(part, LOCAL_NAME_BYTES)

/** The last component, without what shows wrongly, steers a terminal, hides the file or another system refuses. */
function defuse(announced: string): string {
  const base = announced.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const plain = base.replaceAll(DECEIVING, '').replaceAll(CONTROLS, '_').replaceAll(UNPORTABLE, '_')
  // iPhones announce `.amr`, all extension and no name.
  const bare = /^\.([A-Za-z0-9]{1,8})$/.exec(plain.trim())
  return bare ? `.${bare[1]}` : trimEnds(plain)
}

const trimEnds = (name: string): string => name.replace(/^[\s.]+/u, '').replace(/[\s.]+$/u, '')

function split(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.')
  const extension = dot < 0 ? '' : name.slice(dot)
  const counts = extension.length > 1 && Buffer.byteLength(extension) <= EXTENSION_BYTES
  return counts ? { stem: name.slice(0, dot), extension } : { stem: name, extension: '' }
}

/** What shows by its first bytes without doubt; of what else there is (`docx` and `zip` …) the sender's word is the better one. */
const SURE_FORMATS = new Set(['jpg', 'png', 'gif', 'webp', 'amr', 'silk', 'mp4'])

/**
 * That of the content, where nothing else was said, or something else of the same sort: phones send SILK as `.amr`, and
 * pictures under the name of what they were before.
 */
function deservedExtension(said: string, { format = '' }: DownloadFacts): string | undefined {
  if (!SURE_FORMATS.has(format)) return undefined
  const known = said
    .slice(1)
    .toLowerCase()
    .replace(/^jpe?g?$/, 'jpg')
  return said === '' || (SURE_FORMATS.has(known) && known !== format) ? `.${format}` : undefined
}

/** `text/plain` and `application/octet-stream` are said of anything, so they say nothing. */
const EXTENSION_OF_TYPE: Readonly<Record<string, string>> = {
  'image/jpeg': '.jpg',
  'image/jpg': '.jpg',
  'image/png': '.png',
  'image/gif': '.gif',
  'image/webp': '.webp',
  'audio/amr': '.amr',
  'voice/amr': '.amr',
  'audio/silk': '.silk',
  'audio/mpeg': '.mp3',
  'voice/speex': '.speex',
  'video/mp4': '.mp4',
  'video/mpeg4': '.mp4',
  'application/pdf': '.pdf',
  'application/zip': '.zip',
}

function extensionOf({ contentType = '', format }: DownloadFacts): string {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const ofContent = format === undefined ? '' : `.${format}`
  return Object.hasOwn(EXTENSION_OF_TYPE, type) ? (EXTENSION_OF_TYPE[type] ?? ofContent) : ofContent
}

/** At most so many bytes of UTF-8, the extension kept and no character broken. */
function shorten(name: string, maxBytes: number): string {
  if (Buffer.byteLength(name) <= maxBytes) return name
  const { stem, extension } = split(name)
  let room = maxBytes - Buffer.byteLength(extension)
  let kept = ''
  for (const character of stem) {
    room -= Buffer.byteLength(character)
    if (room < 0) break
    kept += character
  }
  return `${kept}${extension}`
}
