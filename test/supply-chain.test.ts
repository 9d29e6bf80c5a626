// What the program is made of beyond itself: the lock file says the whole of it, byte for byte; nothing of it runs at installation; and
// it may be used by anyone. Reads the lock file, and the packages as they are installed.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LOCK_TEXT = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')

type Names = Readonly<Record<string, string>>

interface Locked {
  readonly version: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly dependencies?: Names
  readonly devDependencies?: Names
  readonly optionalDependencies?: Names
  readonly hasInstallScript?: boolean
}

interface Installed {
  readonly version: string
  readonly license?: string
  readonly scripts?: Names
}

const { lockfileVersion, packages } = JSON.parse(LOCK_TEXT) as {
  lockfileVersion: number
  packages: Record<string, Locked>
}
const FOLDER = 'node_modules/'
const locked = Object.entries(packages).filter(([place]) => place !== '')

/** Where Node finds `name` when the package at `place` asks for it: nearest first. */
function placeOf(name: string, place: string): string {
  for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf(FOLDER) - 1))) {
    const found = at === '' ? `${FOLDER}${name}` : `${at}/${FOLDER}${name}`
    if (packages[found]) return found
    if (at === '') throw new Error(`${name}, wanted by ${place || 'us'}, is not in the lock file`)
  }
}

/** Everything that is there when the program runs. */
function closureOf(names: Names): string[] {
  const places = new Set<string>()
  const waiting = Object.keys(names).map((name) => placeOf(name, ''))
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (places.has(place)) continue
    places.add(place)
    const { dependencies = {}, optionalDependencies = {} } = packages[place] ?? {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies }))
      waiting.push(placeOf(name, place))
  }
  return [...places].sort()
}

const closure = closureOf(packageJson.dependencies)
const installed = (place: string): Installed =>
  JSON.parse(readFileSync(join(ROOT, place, 'package.json'), 'utf8'))

it('the lock file and package.json ask for the same', () => {
  expect(lockfileVersion).toBe(3)
  const { dependencies, devDependencies } = packageJson
  expect(packages['']).toMatchObject({ dependencies, devDependencies })
})

it('every package is locked by its content, and none to one registry', () => {
  const unsure = locked.filter(
    ([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
  )
  expect(unsure.map(([place]) => place)).toEqual([])
  // Whoever installs has a registry of their own; the content is the same everywhere.
  expect(LOCK_TEXT).not.toMatch(/"resolved"|"link"|git\+|\.tgz/)
})

it('the lock file holds for every platform: what any of them would install is in it', () => {
  const wanted = locked.flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ name, place })),
  )
  expect(wanted.length).toBeGreaterThan(50)
  for (const { name, place } of wanted) expect(() => placeOf(name, place)).not.toThrow()
})

it('what runs is a closure of few packages, told as it is installed', () => {
  console.log(
    `${Object.keys(packageJson.dependencies).length} dependencies, ${closure.length} packages in all`,
  )
  // One more is decided on, not drawn in.
  expect(closure.length).toBe(51)
  expect(closure.filter((place) => packages[place]?.dev)).toEqual([])
  const others = closure.filter((place) => installed(place).version !== packages[place]?.version)
  expect(others).toEqual([])
})

it('nothing of it runs at installation', () => {
  const runs = closure.filter((place) => {
    const { scripts = {} } = installed(place)
    const hasScript = ['preinstall', 'install', 'postinstall'].some((name) => name in scripts)
    // npm would build it without being told to.
    return hasScript || existsSync(join(ROOT, place, 'binding.gyp'))
  })
  expect(runs).toEqual([])
  expect(closure.filter((place) => packages[place]?.hasInstallScript)).toEqual([])
})

it('of what it is built and tested with, only Node itself does, and is allowed to by name', () => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript)
  expect(scripted.map(([place]) => place)).toEqual(['node_modules/node'])
  expect(packageJson.allowScripts).toEqual({ node: true })
})

it('its licences let everyone use it', () => {
  const permissive = [
    'MIT',
    'ISC',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'Apache-2.0',
    '0BSD',
    'BlueOak-1.0.0',
  ]
  const others = closure
    .map((place) => `${place}: ${installed(place).license}`)
    .filter((line) => !permissive.includes(line.split(': ')[1] ?? ''))
  expect(others).toEqual([])
})
