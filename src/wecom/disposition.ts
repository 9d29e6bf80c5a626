// Answers for the name in a `Content-Disposition` header, in every form the service was seen to send. The name is the
// uploader's choice and hostile: making it safe is the business of whoever writes it to disk.
import { decodeExtended, parse } from 'content-disposition'

/** No name seen comes near; a longer header is an attempt at something. */
const MAX_HEADER_CHARS = 8_192

/** The announced name, `filename*` before `filename`; undefined when there is none or it is empty. */
export function parseAnnouncedName(header: string | undefined): string | undefined {
  if (header === undefined || header.length > MAX_HEADER_CHARS) return undefined
  const extended = parameter(header, 'filename*')
  const fromExtended = extended === undefined ? undefined : decodeExtended(extended)
  if (fromExtended) return fromExtended
  return recoverUtf8(parameter(header, 'filename') ?? '') || undefined
}

function parameter(header: string, name: string): string | undefined {
  // Old answers had no `attachment;` in front (`filename="voice"`), and the parser takes the first part for the type.
  const typed = /^\s*[^\s;=]+\s*(;|$)/.test(header) ? header : `attachment; ${header}`
  const value = parse(typed, { extended: false }).parameters[name]
  return value ?? unfinished(typed, name)
}

/** A quote that was opened and never closed: the name is what follows it. */
function unfinished(header: string, name: string): string | undefined {
  const start = header.toLowerCase().lastIndexOf(`${name}="`)
  if (start < 0) return undefined
  const rest = header.slice(start + name.length + 2)
  return rest.includes('"') ? undefined : rest
}

/** Node hands header bytes over as Latin-1; the service writes UTF-8. Bytes that are not UTF-8 stay as they came. */
function recoverUtf8(latin1: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(latin1, 'latin1'))
  } catch {
    return latin1
  }
}
