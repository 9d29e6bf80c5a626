// Answers for the four kinds of row in their public form (`media_id`, `created_at` …): the only place that knows both
// names of a field. Not for where rows are kept. What is added to a row within a version is ignored by older readers.
// Long because the four refer to the same fields, which must be read in one way.
import {
  type DeliveredMedium,
  type Delivery,
  type Happening,
  parseDeliveryId,
} from '../media/delivery.ts'
import {
  createStamp,
  type ManifestEntry,
  type MediaKind,
  type Origin,
  type Problem,
  type ProblemCode,
  parseFingerprint,
  parseMediaDirectory,
  parseMediaId,
  parseMediaPath,
  parseStamp,
  type Reference,
} from '../media/media.ts'
import { parseVersion } from '../media/version.ts'
import {
  Damaged,
  type Fields,
  oneOf,
  readAs,
  readIfThere,
  readMark,
  readSize,
  readText,
  readTime,
  renderTime,
} from './wire.ts'

/** What a section of the document holds. */
export interface Sections {
  readonly media: ManifestEntry
  readonly references: Reference
  readonly problems: Problem
  readonly deliveries: Delivery
}

export type SectionName = keyof Sections

/**
 * In the order of the document. `deliveries` came later and is left out while there are none. It stands first, among what earlier
 * programs take for the head: those read a section up to where the next one that they know of begins.
 */
export const SECTION_NAMES = ['deliveries', 'media', 'references', 'problems'] as const

export const isOptional = (section: SectionName): boolean => section === 'deliveries'

/** How values of one section stand under their key; `decode` throws `Damaged`. */
export interface RowForm<T> {
  keyOf(value: T): string
  encode(value: T): Fields
  /** Undefined for a row that may be left out, since the next pass finds it anew. */
  decode(key: string, fields: Fields): T | undefined
}

const parseKind = oneOf<MediaKind>({ image: true, voice: true, video: true, file: true })
const parseOrigin = oneOf<Origin>({ folder: true, reference: true })
const parseState = oneOf<Reference['state']>({ accepted: true, landed: true, lost: true })
const parseHappening = oneOf<Happening>({
  landed: true,
  'first-id': true,
  'changed-id': true,
  lost: true,
})
const parseCode = oneOf<ProblemCode>({
  MEDIA_UNACCEPTABLE: true,
  MEDIA_REFUSED: true,
  MEDIA_LOST: true,
  FILE_UNREADABLE: true,
  FILE_UNSETTLED: true,
  NAME_NOT_UTF8: true,
  PATH_CONFLICT: true,
  FORGOTTEN: true,
})

function parseKey<T>(key: string, parse: (text: string) => T | undefined): T {
  const parsed = parse(key)
  if (parsed === undefined) throw new Damaged('its name cannot be one')
  return parsed
}

const renderIfThere = (timeMs: number | undefined) =>
  timeMs === undefined ? undefined : renderTime(timeMs)
const readPath = (fields: Fields, name: string) => readAs(fields, name, parseMediaPath)
const readStamp = (fields: Fields, name: string) => parseStamp(readText(fields, name))

const entryForm: RowForm<ManifestEntry> = {
  keyOf: (entry) => entry.path,
  encode: (entry) => ({
    media_id: entry.mediaId,
    type: entry.kind,
    created_at: renderTime(entry.createdAtMs),
    expires_at: renderTime(entry.expiresAtMs),
    renew_at: renderIfThere(entry.renewAtMs),
    checked_at: renderIfThere(entry.checkedAtMs),
    size: entry.sizeBytes,
    modified_at: renderTime(entry.modifiedAtMs),
    sha256: entry.fingerprint,
    origin: entry.origin,
    version: entry.version,
    hd: entry.isHd,
    stamp: entry.stamp,
  }),
  decode(key, fields) {
    const version = readIfThere(fields, 'version', (f, name) => readAs(f, name, parseVersion))
    const sizeBytes = readSize(fields, 'size')
    const modifiedAtMs = readTime(fields, 'modified_at')
    // Without a stamp, or with one that nobody writes today, the file is looked at again: no disk has this one.
    const lookAgain = () => createStamp({ size: sizeBytes, mtimeMs: modifiedAtMs, ctimeMs: 0 })
    const isHd = readIfThere(fields, 'hd', readMark)
    return {
      path: parseKey(key, parseMediaPath),
      mediaId: readAs(fields, 'media_id', parseMediaId),
      kind: readAs(fields, 'type', parseKind),
      createdAtMs: readTime(fields, 'created_at'),
      expiresAtMs: readTime(fields, 'expires_at'),
      renewAtMs: readIfThere(fields, 'renew_at', readTime),
      checkedAtMs: readIfThere(fields, 'checked_at', readTime),
      sizeBytes,
      modifiedAtMs,
      fingerprint: readAs(fields, 'sha256', parseFingerprint),
      stamp: readIfThere(fields, 'stamp', readStamp) ?? lookAgain(),
      origin: readAs(fields, 'origin', parseOrigin),
      ...(version === undefined ? {} : { version }),
      ...(isHd && { isHd }),
    }
  },
}

const problemForm: RowForm<Problem> = {
  keyOf: (problem) => problem.path,
  encode: (problem) => ({
    code: problem.code,
    message: problem.message,
    since: renderTime(problem.sinceMs),
    tried_at: problem.triedAtMs === undefined ? undefined : renderTime(problem.triedAtMs),
    sha256: problem.fingerprint,
    stamp: problem.stamp,
  }),
  decode(key, fields) {
    const code = parseCode(readText(fields, 'code'))
    if (code === undefined) return undefined // a kind of trouble that only a newer version knows
    const stamp = readIfThere(fields, 'stamp', readStamp)
    const triedAtMs = readIfThere(fields, 'tried_at', readTime)
    const fingerprint = readIfThere(fields, 'sha256', (f, name) =>
      readAs(f, name, parseFingerprint),
    )
    return {
      path: parseKey(key, parseMediaPath),
      code,
      message: readText(fields, 'message'),
      sinceMs: readTime(fields, 'since'),
      ...(triedAtMs === undefined ? {} : { triedAtMs }),
      ...(stamp === undefined ? {} : { stamp }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    }
  },
}

const referenceForm: RowForm<Reference> = {
  keyOf: (reference) => reference.mediaId,
  encode: (reference) => ({
    path: reference.path,
    into: reference.into,
    hd: reference.isHd,
    created_at: renderIfThere(reference.createdAtMs),
    from: reference.from,
    type: reference.kind,
    message_id: reference.messageId,
    accepted_at: renderTime(reference.acceptedAtMs),
    state: reference.state,
    landed_path: reference.landedPath,
    message: reference.message,
    dismissed_at: renderIfThere(reference.dismissedAtMs),
  }),
  decode(key, fields) {
    const path = readIfThere(fields, 'path', readPath)
    const into = readIfThere(fields, 'into', (f, name) => readAs(f, name, parseMediaDirectory))
    const isHd = readIfThere(fields, 'hd', readMark)
    const createdAtMs = readIfThere(fields, 'created_at', readTime)
    const from = readIfThere(fields, 'from', readText)
    const kind = readIfThere(fields, 'type', (f, name) => readAs(f, name, parseKind))
    const messageId = readIfThere(fields, 'message_id', readText)
    const landedPath = readIfThere(fields, 'landed_path', readPath)
    const message = readIfThere(fields, 'message', readText)
    const dismissedAtMs = readIfThere(fields, 'dismissed_at', readTime)
    return {
      mediaId: parseKey(key, parseMediaId),
      acceptedAtMs: readTime(fields, 'accepted_at'),
      state: readAs(fields, 'state', parseState),
      ...(path === undefined ? {} : { path }),
      ...(into === undefined ? {} : { into }),
      ...(isHd && { isHd }),
      ...(createdAtMs === undefined ? {} : { createdAtMs }),
      ...(from === undefined ? {} : { from }),
      ...(kind === undefined ? {} : { kind }),
      ...(messageId === undefined ? {} : { messageId }),
      ...(landedPath === undefined ? {} : { landedPath }),
      ...(message === undefined ? {} : { message }),
      ...(dismissedAtMs === undefined ? {} : { dismissedAtMs }),
    }
  },
}

const encodeMedium = (medium: DeliveredMedium) => ({
  type: medium.kind,
  created_at: renderTime(medium.createdAtMs),
  expires_at: renderTime(medium.expiresAtMs),
  size: medium.sizeBytes,
  sha256: medium.fingerprint,
  origin: medium.origin,
})

const decodeMedium = (fields: Fields): DeliveredMedium => ({
  kind: readAs(fields, 'type', parseKind),
  createdAtMs: readTime(fields, 'created_at'),
  expiresAtMs: readTime(fields, 'expires_at'),
  sizeBytes: readSize(fields, 'size'),
  fingerprint: readAs(fields, 'sha256', parseFingerprint),
  origin: readAs(fields, 'origin', parseOrigin),
})

const deliveryForm: RowForm<Delivery> = {
  keyOf: (delivery) => delivery.id,
  encode: (delivery) => ({
    hook: delivery.hook,
    event: delivery.happening,
    at: renderTime(delivery.atMs),
    path: delivery.path,
    media_id: delivery.mediaId,
    old_media_id: delivery.oldMediaId,
    old_path: delivery.oldPath,
    reference_id: delivery.referenceId,
    from: delivery.from,
    because: delivery.because,
    ...(delivery.medium && encodeMedium(delivery.medium)),
  }),
  decode(key, fields) {
    const happening = parseHappening(readText(fields, 'event'))
    if (happening === undefined) return undefined // a kind of event that only a newer version knows
    const readId = (name: string) =>
      readIfThere(fields, name, (f, field) => readAs(f, field, parseMediaId))
    const path = readIfThere(fields, 'path', readPath)
    const oldMediaId = readId('old_media_id')
    const oldPath = readIfThere(fields, 'old_path', readPath)
    const referenceId = readId('reference_id')
    const from = readIfThere(fields, 'from', readText)
    const because = readIfThere(fields, 'because', readText)
    return {
      id: parseKey(key, parseDeliveryId),
      hook: readText(fields, 'hook'),
      happening,
      atMs: readTime(fields, 'at'),
      mediaId: readAs(fields, 'media_id', parseMediaId),
      ...(path === undefined ? {} : { path }),
      ...(oldMediaId === undefined ? {} : { oldMediaId }),
      ...(oldPath === undefined ? {} : { oldPath }),
      ...(referenceId === undefined ? {} : { referenceId }),
      ...(from === undefined ? {} : { from }),
      ...(because === undefined ? {} : { because }),
      ...(fields.type === undefined ? {} : { medium: decodeMedium(fields) }),
    }
  },
}

/** The form of each section's rows. */
export const ROW_FORMS: { readonly [S in SectionName]: RowForm<Sections[S]> } = {
  media: entryForm,
  references: referenceForm,
  problems: problemForm,
  deliveries: deliveryForm,
}
