// Answers for the path of what nobody named a path for: the template of the inbox, filled in. Pure. The template was checked
// (config/path-template.ts); what goes into it comes from strangers.
import { MediaUnacceptable } from '../errors.ts'
import {
  type MediaId,
  type MediaKind,
  type MediaPath,
  parseMediaPath,
  pathIn,
  type Reference,
} from '../media/media.ts'
import type { Fetched } from './fetched.ts'
import { localName, localPart, shortenPart } from './safe-name.ts'

/** What a medium turned out to be. */
export type InboxFacts = Pick<Fetched, 'announcedName' | 'contentType' | 'format'> & {
  readonly kind: MediaKind
}

/**
 * `inbox/{date}/{name}` filled in, or its own name in the directory that the reference is to go to. The moment is that of the reference and not of the landing, so that one which is tried again,
 * after a crash or past midnight, lands where it was landing.
 */
export function createInboxPath(
  template: string,
  reference: Reference,
  { announcedName, contentType, format, kind }: InboxFacts,
): MediaPath {
  const { mediaId, createdAtMs, acceptedAtMs, from, into } = reference
  const name = localName(...announcement(reference, { announcedName, contentType, format }))
  if (into !== undefined) return requirePath(mediaId, pathIn(into, name))
  const values: Readonly<Record<string, string>> = {
    ...momentParts(new Date(createdAtMs ?? acceptedAtMs)),
    from: localPart(from ?? ''),
    type: reference.kind ?? kind,
    name,
    id: localPart(mediaId),
  }
  const filled = template
    .split('/')
    .map((part) => shortenPart(part.replaceAll(/\{(\w+)\}/g, (_, key) => values[key] ?? '')))
    .join('/')
  return requirePath(mediaId, filled)
}

function requirePath(mediaId: MediaId, filled: string): MediaPath {
  const path = parseMediaPath(filled)
  if (path) return path
  throw new MediaUnacceptable(
    `cannot land ${mediaId}: \`${filled}\` is no path inside the folder`,
    { hint: 'Mend `references.inbox` and `callback.saveTo` in the configuration.' },
  )
}

/** What is told of its name and type. */
function announcement(
  { mediaId, isHd }: Reference,
  { announcedName, contentType, format }: Omit<InboxFacts, 'kind'>,
): Parameters<typeof localName> {
  const told = { contentType, format, mediaId }
  if (!isHd) return [announcedName, told]
  if (format === 'amr') return [announcedName, { ...told, contentType: undefined }]
  // Speex as WeCom has it bears no mark: it is known by the call that gave it, and is no AMR although its name may say so.
  return [announcedName?.replace(VOICE_EXTENSION, ''), { ...told, contentType: SPEEX }]
}

const SPEEX = 'voice/speex'
const VOICE_EXTENSION = /\.(?:amr|silk|speex)$/i

/** Date and time of day on this machine's calendar. */
function momentParts(moment: Date): { date: string; time: string } {
  const two = (value: number) => String(value).padStart(2, '0')
  return {
    date: `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`,
    time: `${two(moment.getHours())}${two(moment.getMinutes())}${two(moment.getSeconds())}`,
  }
}
