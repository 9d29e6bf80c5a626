// Rows of every kind for the manifest's tests.
import type { Delivery } from '../../src/media/delivery.ts'
import {
  type Fingerprint,
  type ManifestEntry,
  type MediaId,
  type MediaPath,
  type Problem,
  parseFingerprint,
  parseMediaId,
  parseMediaPath,
  parseStamp,
  type Reference,
  type Stamp,
} from '../../src/media/media.ts'

const HOUR_MS = 3_600_000
export const START_MS = Date.UTC(2026, 10, 22, 8)
export const CORP_ID = 'ww0123456789abcdef'

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`not a ${what}`)
  return value
}

export const aPath = (text: string): MediaPath => must(parseMediaPath(text), 'path')
export const aMediaId = (text: string): MediaId => must(parseMediaId(text), 'media_id')
export const aStamp = (text: string): Stamp => must(parseStamp(text), 'stamp')

/** A fingerprint that differs for each number. */
export const aFingerprint = (number: number): Fingerprint =>
  must(parseFingerprint(number.toString(16).padStart(64, '0')), 'fingerprint')

/** An entry uploaded at the start of the tests, due after 40 hours. */
export function anEntry(path: string, with_: Partial<ManifestEntry> = {}): ManifestEntry {
  return {
    path: aPath(path),
    mediaId: aMediaId('3a_MEDIA-id'),
    kind: 'image',
    createdAtMs: START_MS,
    expiresAtMs: START_MS + 72 * HOUR_MS,
    renewAtMs: START_MS + 40 * HOUR_MS,
    sizeBytes: 81_234,
    modifiedAtMs: START_MS - HOUR_MS,
    fingerprint: aFingerprint(1),
    stamp: aStamp('81234:1795330800000.25:1795330800000.5'),
    origin: 'folder',
    ...with_,
  }
}

export function aProblem(path: string, with_: Partial<Problem> = {}): Problem {
  return {
    path: aPath(path),
    code: 'MEDIA_UNACCEPTABLE',
    message: `cannot upload \`${path}\`: 12 MB exceeds 10 MB for video`,
    sinceMs: START_MS,
    ...with_,
  }
}

export function aReference(mediaId: string, with_: Partial<Reference> = {}): Reference {
  return { mediaId: aMediaId(mediaId), acceptedAtMs: START_MS, state: 'accepted', ...with_ }
}

export const aDelivery = (id: string, with_: Partial<Delivery> = {}): Delivery => ({
  id,
  hook: 'tell',
  happening: 'first-id',
  atMs: START_MS,
  mediaId: aMediaId('3a_MEDIA-id'),
  ...with_,
})

/** Everything an async walk yields. */
export async function all<T>(walk: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of walk) items.push(item)
  return items
}
