// Answers for unfinished files that a killed process left behind: downloads, which lie in the root of the folder and nowhere else,
// and whatever else is begun under a name of its own in one directory. Downloads that somebody waits for stay, to be gone on from.
import type { Dirent } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManifestReader } from '../manifest/manifest.ts'
import { partName, RANGE_BYTES } from './part-file.ts'

/**
 * Removes the files in the directory whose names are ours; answers how many there were. Only for who holds the lock, and
 * before any transfer: what another process is about to finish looks just the same.
 */
export async function removeLeftovers(
  directory: string,
  isOurs: (name: string) => boolean,
): Promise<number> {
  const isLeftover = (found: Dirent) => found.isFile() && isOurs(found.name)
  const leftovers = (await readdir(directory, { withFileTypes: true })).filter(isLeftover)
  for (const { name } of leftovers) await rm(join(directory, name), { force: true })
  return leftovers.length
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
