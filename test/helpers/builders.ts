// Facts that read like speech: what a test does not name is ordinary.
import { createHash } from 'node:crypto'
import { planLife, type RenewalPolicy } from '../../src/media/lifetime.ts'
import {
  createStamp,
  type FileFacts,
  type Fingerprint,
  type ManifestEntry,
  type MediaId,
  type MediaPath,
  type Problem,
  type Reference,
} from '../../src/media/media.ts'

export const HOUR_MS = 3_600_000
export const NOW_MS = Date.UTC(2026, 10, 22, 8)
export const THREE_DAYS: RenewalPolicy = {
  lifetimeMs: 72 * HOUR_MS,
  beforeMs: 24 * HOUR_MS,
  spreadMs: 8 * HOUR_MS,
}

export const aPath = (text: string) => text as MediaPath
export const aMediaId = (text: string) => text as MediaId
export const aFingerprint = (content: string) =>
  createHash('sha256').update(content).digest('hex') as Fingerprint

interface FileOptions {
  path?: string
  sizeBytes?: number
  modifiedAtMs?: number
  changedAtMs?: number
}

export function aFile({
  path = 'a.jpg',
  sizeBytes = 1000,
  modifiedAtMs = NOW_MS - HOUR_MS,
  changedAtMs = modifiedAtMs,
}: FileOptions = {}): FileFacts {
  const stamp = createStamp({ size: sizeBytes, mtimeMs: modifiedAtMs, ctimeMs: changedAtMs })
  return { path: aPath(path), sizeBytes, modifiedAtMs, changedAtMs, stamp }
}

interface EntryOptions extends Partial<Omit<ManifestEntry, 'path'>> {
  path?: string
  ageHours?: number
  /** The file that the entry was made of; by default one that `aFile` makes of the same path. */
  of?: FileFacts
}

export function anEntry({
  path = 'a.jpg',
  ageHours = 1,
  of = aFile({ path }),
  ...rest
}: EntryOptions = {}): ManifestEntry {
  return {
    path: of.path,
    mediaId: aMediaId(`id-${of.path}`),
    kind: 'image',
    ...planLife(NOW_MS - ageHours * HOUR_MS, THREE_DAYS, 0),
    sizeBytes: of.sizeBytes,
    modifiedAtMs: of.modifiedAtMs,
    fingerprint: aFingerprint(of.path),
    stamp: of.stamp,
    origin: 'folder',
    ...rest,
  }
}

export const aProblem = ({
  path = 'a.jpg',
  ...rest
}: { path?: string } & Partial<Omit<Problem, 'path'>> = {}): Problem => ({
  path: aPath(path),
  code: 'MEDIA_UNACCEPTABLE',
  message: `cannot upload \`${path}\`: too large`,
  sinceMs: NOW_MS,
  ...rest,
})

export const aReference = ({
  mediaId = 'ref-1',
  ...rest
}: { mediaId?: string } & Partial<Omit<Reference, 'mediaId'>> = {}): Reference => ({
  mediaId: aMediaId(mediaId),
  acceptedAtMs: NOW_MS,
  state: 'accepted',
  ...rest,
})
