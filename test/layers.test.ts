// Reads the import lines of src: stages meet in the domain and in ports, and are joined at the root. Fails with a sentence.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

/** What every stage may use: the domain, errors, and the supports that hold no decision. */
const SHARED = ['media', 'errors.ts', 'support']
/** The files in which stages meet. */
const PORTS = [
  'config/config.ts',
  'manifest/manifest.ts',
  'plan/step.ts',
  'plan/offers.ts',
  'plan/renewal-order.ts',
  'plan/capacity.ts',
  'wecom/wecom.ts',
  'serve/desk.ts',
]
/** Beyond that: who may import what, and why. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // The command line is the outermost room: it opens the daemon, and reads what the daemon would.
  cli: ['daemon.ts', 'preview.ts', 'state-desk.ts', 'config', 'serve', 'simulator'],
}
/** Only these may import the package; everyone else is given what it makes. */
const OWNED_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  chokidar: ['watch'],
  lowdb: ['manifest'],
  'node-cron': ['schedule.ts', 'config'],
  'p-retry': ['wecom'],
  winston: ['support'],
  yaml: ['config'],
  commander: ['main.ts'],
  'file-type': ['transfer'],
  'content-disposition': ['wecom'],
  picomatch: ['media'],
  sax: ['references'],
}

interface Import {
  readonly from: string
  readonly to: string
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)
const imports = files.flatMap((from): Import[] => {
  const text = readFileSync(join(SRC, from), 'utf8')
  return [
    ...text.matchAll(
      /^(?:import|export)[^'"]*from '([^']+)'|^import '([^']+)'|import\('([^']+)'\)/gm,
    ),
  ].map((match) => ({
    from,
    to: match[1] ?? match[2] ?? match[3] ?? '',
  }))
})
const roomOf = (file: string) => (file.includes('/') ? (file.split('/')[0] ?? '') : file)
const isRoot = (file: string) => !file.includes('/')
const within = (file: string, places: readonly string[]) =>
  places.includes(file) || places.includes(roomOf(file))

it('no stage imports another stage', () => {
  expect(imports.length).toBeGreaterThan(400)
  const trespasses = imports
    .filter(({ to }) => to.startsWith('.'))
    .map(({ from, to }) => ({ from, to: relative(SRC, join(SRC, dirname(from), to)) }))
    .filter(({ from, to }) => !isRoot(from) && roomOf(from) !== roomOf(to) && !to.startsWith('..'))
    .filter(({ from, to }) => !within(to, [...SHARED, ...PORTS, ...(ALLOWED[roomOf(from)] ?? [])]))
    .map(
      ({ from, to }) =>
        `${from} imports ${to}: join them in daemon.ts, or let them meet in src/media`,
    )
  expect(trespasses).toEqual([])
})

it('the domain imports nothing from other folders', () => {
  const escapes = imports.filter(({ from, to }) => roomOf(from) === 'media' && to.startsWith('..'))
  expect(escapes).toEqual([])
})

it('each library has one home', () => {
  const strays = imports
    .map(({ from, to }) => ({ from, library: to.split('/')[0] ?? '' }))
    .filter(
      ({ from, library }) =>
        OWNED_PACKAGES[library] && !within(from, OWNED_PACKAGES[library] ?? []),
    )
    .map(
      ({ from, library }) => `${from} imports ${library}, whose home is ${OWNED_PACKAGES[library]}`,
    )
  expect(strays).toEqual([])
})

it('the clock is read, and timers are set, in one place', () => {
  const readers = files
    .filter((file) => !['support/clock.ts', 'main.ts'].includes(file))
    .filter((file) =>
      /Date\.now\(|new Date\(\)|performance\.now\(|\bsetTimeout\(|\bsetInterval\(/.test(
        codeOf(file),
      ),
    )
  expect(readers).toEqual([])
})

it('nothing but the process edge touches process', () => {
  // The lock names its holder's pid, and keeps one warning of Node 22 about node:sqlite quiet. A command of a hook is ended with all
  // that it started, which only `process.kill` can. A socket is for nobody else from its first moment on by the umask alone.
  // Whether a file can be read is told by its mode bits and who we are, which spares a system call for each.
  const excepted = [
    'main.ts',
    'manifest/lock.ts',
    'hooks/run-command.ts',
    'serve/server.ts',
    'watch/look.ts',
  ]
  const touchers = files.filter(
    (file) => !excepted.includes(file) && /\bprocess\.\w|'(node:)?process'/.test(codeOf(file)),
  )
  expect(touchers).toEqual([])
})

/** Without comments: prose may speak of what code may not do. */
const codeOf = (file: string) =>
  readFileSync(join(SRC, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
