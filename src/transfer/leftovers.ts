// Answers for unfinished downloads that a killed process left behind. They lie in the root of the folder, and nowhere else.
import type { Dirent } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Removes the files in the root whose names are ours; answers how many there were. Only for who holds the lock, and
 * before any transfer: what another process is about to finish looks just the same.
 */
export async function removeLeftovers(
  root: string,
  isOurs: (name: string) => boolean,
): Promise<number> {
  const isLeftover = (found: Dirent) => found.isFile() && isOurs(found.name)
  const leftovers = (await readdir(root, { withFileTypes: true })).filter(isLeftover)
  for (const { name } of leftovers) await rm(join(root, name), { force: true })
  return leftovers.length
}
