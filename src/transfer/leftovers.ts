// Answers for unfinished files that a killed process left behind: downloads, which lie in the root of the folder and nowhere else,
// and whatever else is begun under a name of its own in one directory. Downloads that somebody waits for stay, to be gone on from; so do
// large ones until it is known what other hosts offer.
import type { Dirent } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManifestReader } from '../manifest/manifest.ts'
import { isAlive } from '../media/lifetime.ts'
import type { ManifestEntry, MediaPath } from '../media/media.ts'
import { partName, RANGE_BYTES, surelyKept } from './part-file.ts'

/**
 * Removes the files in the directory whose names are ours; answers how many there were. Only for who holds the lock, and
 * before any transfer: what another process is about to finish looks just the same.
 */
export async function removeLeftovers(
  directory: string,
  isOurs: (name: string) => boolean,
): Promise<number> {
  const leftovers = await findLeftovers(directory, isOurs)
  for (const name of leftovers) await rm(join(directory, name), { force: true })
  return leftovers.length
}

/** Those of the files whose beginning is surely on disk, and would be gone on from, if anybody wanted them. */
export async function findResumable(
  directory: string,
  isOurs: (name: string) => boolean,
): Promise<ReadonlySet<string>> {
  const resumable = new Set<string>()
  for (const name of await findLeftovers(directory, isOurs))
    if (surelyKept((await stat(join(directory, name))).size) > 0) resumable.add(name)
  return resumable
}

async function findLeftovers(
  directory: string,
  isOurs: (name: string) => boolean,
): Promise<string[]> {
  const isLeftover = (found: Dirent) => found.isFile() && isOurs(found.name)
  const found = await readdir(directory, { withFileTypes: true })
  return found.filter(isLeftover).map(({ name }) => name)
}

/** What the unfinished files of media are called that are to land, or may be to be restored, and are large enough to be resumed. */
export async function namesOfWaiting(
  manifest: Pick<ManifestReader, 'references' | 'entries'>,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for await (const { state, mediaId } of manifest.references())
    if (state === 'accepted') names.add(partName(mediaId))
  for await (const { sizeBytes, mediaId } of manifest.entries())
    if (sizeBytes > RANGE_BYTES) names.add(partName(mediaId))
  return names
}

/** The same of media that other hosts offer, and whose bytes are not at their path here. */
export async function namesOfOffered(
  offers: { paths(): Iterable<MediaPath>; at(path: MediaPath): readonly ManifestEntry[] },
  manifest: Pick<ManifestReader, 'findEntry'>,
  nowMs: number,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const path of offers.paths())
    for (const offer of offers.at(path)) {
      if (offer.sizeBytes <= RANGE_BYTES || !isAlive(offer, nowMs)) continue
      const standing = await manifest.findEntry(path)
      if (standing?.fingerprint !== offer.fingerprint) names.add(partName(offer.mediaId))
    }
  return names
}
