// Answers for the path of what nobody named a path for: the template of the inbox, filled in. Pure. The template was checked
// (config/path-template.ts); what goes into it comes from strangers.
import { MediaUnacceptable } from '../errors.ts'
import { type MediaKind, type MediaPath, parseMediaPath, type Reference } from '../media/media.ts'
import type { Fetched } from './fetched.ts'
import { localName, localPart, shortenPart } from './safe-name.ts'

/** What a medium turned out to be. */
export type InboxFacts = Pick<Fetched, 'announcedName' | 'contentType' | 'format'> & {
  readonly kind: MediaKind
}

/**
 * `inbox/{date}/{name}` filled in. The moment is that of the reference and not of the landing, so that one which is tried again,
 * after a crash or past midnight, lands where it was landing.
 */
export function createInboxPath(
  template: string,
  reference: Reference,
  { announcedName, contentType, format, kind }: InboxFacts,
): MediaPath {
  const { mediaId, createdAtMs, acceptedAtMs, from } = reference
  const values: Readonly<Record<string, string>> = {
    ...momentParts(new Date(createdAtMs ?? acceptedAtMs)),
    from: localPart(from ?? ''),
    type: reference.kind ?? kind,
    name: localName(announcedName, { contentType, format, mediaId }),
    id: localPart(mediaId),
  }
  const filled = template
    .split('/')
    .map((part) => shortenPart(part.replaceAll(/\{(\w+)\}/g, (_, key) => values[key] ?? '')))
    .join('/')
  const path = parseMediaPath(filled)
  if (path) return path
  throw new MediaUnacceptable(
    `cannot land ${mediaId}: \`${filled}\` is no path inside the folder`,
    { hint: 'Mend `references.inbox` and `callback.saveTo` in the configuration.' },
  )
}

/** Date and time of day on this machine's calendar. */
function momentParts(moment: Date): { date: string; time: string } {
  const two = (value: number) => String(value).padStart(2, '0')
  return {
    date: `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`,
    time: `${two(moment.getHours())}${two(moment.getMinutes())}${two(moment.getSeconds())}`,
  }
}
