// Answers for the path of what nobody named a path for: the template of the inbox, filled in. Pure.
import { MediaUnacceptable } from '../errors.ts'
import { type MediaPath, parseMediaPath, type Reference } from '../media/media.ts'
import type { Fetched } from './fetched.ts'
import { localName } from './safe-name.ts'

/** `inbox/{date}/{name}` filled in; what a template does not know is the word "unknown". */
export function createInboxPath(
  template: string,
  { mediaId }: Reference,
  { fetched, nowMs }: { fetched: Fetched; nowMs: number },
): MediaPath {
  const { announcedName, contentType, format } = fetched
  const date = new Date(nowMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const values: Record<string, string> = {
    date: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    time: `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`,
    name: localName(announcedName, { contentType, format, mediaId }),
    type: format ?? 'unknown',
    id: mediaId.replaceAll(/[^\w-]/g, '_'),
  }
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, key: string) => values[key] ?? 'unknown')
  const path = parseMediaPath(filled)
  if (path) return path
  throw new MediaUnacceptable(
    `cannot land ${mediaId}: \`${filled}\` is no path inside the folder`,
    { hint: 'Mend `references.inbox` in the configuration.' },
  )
}
