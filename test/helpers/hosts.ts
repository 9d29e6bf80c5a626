// What several hosts have in their folders, and when it is the same.
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Site } from './program.ts'

const PATIENCE_MS = 25_000

/** What a person finds in the folder: names and bytes. */
export async function contentOf({ folder }: Site): Promise<Record<string, string>> {
  const content: Record<string, string> = {}
  for (const found of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!found.isFile() || found.name.startsWith('.')) continue
    const path = join(found.parentPath, found.name)
    content[path.slice(folder.length + 1)] = (await readFile(path)).toString('base64')
  }
  return content
}

/** Resolves with what is the same in all folders, as soon as it is what `is` asks for; `but` is left out of it. */
export async function converge(
  sites: readonly Site[],
  is: (content: Record<string, string>) => boolean,
  but = '',
  patienceMs = PATIENCE_MS,
) {
  const startedAt = performance.now()
  for (;;) {
    const all = await Promise.all(sites.map(contentOf))
    for (const content of all) delete content[but]
    const [first = {}, ...others] = all
    if (others.every((other) => sameRecord(first, other)) && is(first)) return first
    if (performance.now() - startedAt > patienceMs)
      throw new Error(`no convergence: ${JSON.stringify(all.map((one) => Object.keys(one)))}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const sameRecord = (a: Record<string, string>, b: Record<string, string>) =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([path, bytes]) => b[path] === bytes)

/** The id that each path has, as any other program reads it. */
export const idsOf = async (site: Site) =>
  Object.fromEntries(
    Object.entries((await site.document()).media).map(([path, entry]) => [path, entry.media_id]),
  )

/** Brings a host's manifest to where the other one reads it, whole, as rsync does. */
export async function carryManifest(from: Site, to: string): Promise<void> {
  await writeFile(`${to}.new`, await readFile(join(from.state, 'manifest.json')))
  await rename(`${to}.new`, to)
}
