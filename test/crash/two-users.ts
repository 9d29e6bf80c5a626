// What people do on a host while its daemon lives and dies: they write, rename and delete what they like, and what they did is
// remembered, so that afterwards it can be said what had to be kept. Each writes what nobody has written before.
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Site } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
import { sha256 } from './ledger.ts'

/** Both hosts' people write to these again and again. */
const SHARED = ['0.png', '1.png', '2.png', '3.png', 'deep/4.png', 'deep/5.png']

/** Of both hosts together, by fingerprint. */
export interface Writings {
  /** All that was ever written, and where. */
  readonly written: Map<string, string>
  /** What somebody wrote over or deleted on a host where it was. */
  readonly released: Set<string>
}

export interface User {
  act(): void
  /** Whether this host need not have what another one has there: it was removed here, and is what was here. */
  hasGivenUp(path: string, sha: string): boolean
}

export function createUser(deps: {
  name: string
  site: Site
  writings: Writings
  chance: () => number
}): User {
  const { name, site, writings, chance } = deps
  const { written, released } = writings
  /** On the same disk, where nobody looks. */
  const aside = join(site.state, '..', 'aside')
  mkdirSync(aside)
  let serial = 0
  const removed = new Set<string>()
  const seen = new Map<string, Set<string>>()
  const at = (path: string) => join(site.folder, path)
  const pick = (from: readonly string[]) => from[Math.floor(chance() * from.length)]
  const newName = () => `${name}-${++serial}.png`

  /** One moment after the other and nothing in between, as good as that can be done: the daemon moves files at the same time. */
  function write(path: string) {
    const content = aPng(1000 + written.size)
    const [fresh, kept] = [join(aside, newName()), join(aside, newName())]
    writeFileSync(fresh, content)
    mkdirSync(dirname(at(path)), { recursive: true })
    written.set(sha256(content), `${path} on ${name}`)
    const isOver = does(() => linkSync(at(path), kept))
    renameSync(fresh, at(path))
    if (isOver) released.add(note(path, kept))
    removed.delete(path)
  }

  function remove(path: string) {
    const kept = join(aside, newName())
    if (!does(() => renameSync(at(path), kept))) return
    released.add(note(path, kept))
    removed.add(path)
  }

  function rename(path: string) {
    const to = newName()
    if (!does(() => renameSync(at(path), at(to)))) return
    note(path, at(to))
    removed.add(path)
  }

  function note(path: string, file: string): string {
    const sha = sha256(readFileSync(file))
    seen.set(path, (seen.get(path) ?? new Set()).add(sha))
    return sha
  }

  function act() {
    const luck = chance()
    if (luck < 0.15) return write(newName())
    if (luck < 0.65) return write(pick(SHARED) ?? '')
    const path = pick(pathsIn(site.folder))
    if (path !== undefined) (luck < 0.85 ? rename : remove)(path)
  }

  return {
    act,
    hasGivenUp: (path, sha) => removed.has(path) && seen.get(path)?.has(sha) === true,
  }
}

/** Of files that a person sees. */
function pathsIn(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
  return all
    .filter((one) => one.isFile() && !one.name.startsWith('.'))
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
}

/** False when the file is not there, or no more. */
function does(deed: () => void): boolean {
  try {
    deed()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
