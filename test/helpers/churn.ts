// Random operations of every sort on a real tree, and the truth about that tree as nobody but the disk can tell it.
// Answers for neither the program nor its verdicts: whoever churns compares.
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { MARKER_NAME } from '../../src/media/media.ts'
import { aPng } from './samples.ts'

const DIRECTORIES = [
  '',
  'd',
  'd/e',
  'd/e/f',
  '海报',
  '-r f',
  'new\nline',
  'caf\u00e9',
  'cafe\u0301',
  'dots..',
  '.hidden',
]
const NAMES = [
  ...[
    'a.png',
    'b.png',
    '-rf',
    'new\nline.txt',
    'caf\u00e9.png',
    'cafe\u0301.png',
    'dot.',
    '..two',
    ' blank ',
    'A.PNG',
  ],
  ...[
    'back\\slash.png',
    '%41.png',
    '"q".png',
    `${'名'.repeat(80)}.txt`,
    '*?[x].png',
    'x.subl.tmpl',
    'draft.part',
    'old~',
  ],
]
/** What is left alone. */
export const STANDING = 'standing'
const NOT_UTF8 = Buffer.from('caf\u00e9.jpg', 'latin1')
const NOT_UTF8_SHOWN = 'caf\\xE9.jpg'
/** Not mirrored, by name; a directory's name counts for all below it. */
const isIgnored = (path: string) => path.split('/').some((name) => /^\.|~$|\.part$/.test(name))

/** Neither what is to be left alone, nor a name that cannot be said in UTF-8. */
const isTouched = (name: string) =>
  name !== STANDING && name !== MARKER_NAME && !name.includes('\ufffd')

/** What the system says to an operation that cannot be, as things are: then there was none. */
const IMPOSSIBLE = new Set(
  'ENOENT EEXIST ENOTDIR EISDIR ENOTEMPTY EINVAL ELOOP EBUSY ETXTBSY ERR_FS_EISDIR EACCES EPERM'.split(
    ' ',
  ),
)

export interface Truth {
  /** By path, the fingerprint of what can be mirrored. */
  readonly files: ReadonlyMap<string, string>
  /** By path, the code of what is wrong with a file that cannot be. */
  readonly problems: ReadonlyMap<string, string>
}

/** Churns the tree at `root`; `outside` is a directory beside it, on the same file system. */
export function createChurn({
  root,
  outside,
  random,
}: {
  root: string
  outside: string
  random: () => number
}) {
  const below = (limit: number) => Math.floor(random() * limit)
  const pick = <Thing>(things: readonly Thing[]) => things[below(things.length)] as Thing
  const slow = new Set<{ fd: number; rest: number }>()
  const closed = new Set<string>()
  let count = 0

  const directory = () => join(root, pick(DIRECTORIES))
  const place = () => join(directory(), pick(NAMES))
  const content = () => {
    count++
    const odd = below(12)
    if (odd === 0) return ''
    if (odd === 1) return 'tiny'
    // A few share their bytes.
    return odd < 4
      ? aPng(100 + below(5))
      : Buffer.concat([aPng(200 + below(3000)), Buffer.from(`${count}`)])
  }
  /** A file that is there, if the tree has one at the place that comes to mind. */
  const existing = () => {
    const parent = directory()
    const names = readdirSync(parent).filter(isTouched)
    return join(parent, pick(names) ?? 'nothing')
  }
  /** A link may lead out; what is written through it must harm nobody. */
  const theirs = join(outside, 'theirs.txt')
  writeFileSync(theirs, 'of somebody else')
  const away = () => join(outside, `${count++}`)
  function tree(at: string) {
    for (let file = below(12); file >= 0; file--) {
      mkdirSync(join(at, `${file % 3}`), { recursive: true })
      writeFileSync(join(at, `${file % 3}`, `${file}.png`), content())
    }
  }
  const treePlace = () => join(directory(), pick(['tree', 'wood']))

  const operations: Record<string, () => void> = {
    create: () => writeFileSync(place(), content()),
    overwrite: () => writeFileSync(existing(), content()),
    twice() {
      const path = place()
      for (let time = 0; time < 2; time++) writeFileSync(path, content())
    },
    append: () => appendFileSync(existing(), content()),
    truncate: () => truncateSync(existing(), below(200)),
    slowly: () => slow.add({ fd: openSync(place(), 'w'), rest: 2 + below(6) }),
    rename: () => renameSync(existing(), place()),
    moveIn() {
      const draft = away()
      writeFileSync(draft, content())
      renameSync(draft, place())
    },
    moveOut: () => renameSync(existing(), away()),
    remove: () => rmSync(existing()),
    makeDirectories: () => mkdirSync(directory(), { recursive: true }),
    fillNewTree: () => tree(treePlace()),
    moveTreeIn() {
      const draft = away()
      tree(draft)
      renameSync(draft, treePlace())
    },
    moveTree: () => renameSync(treePlace(), treePlace()),
    moveTreeOut: () => renameSync(treePlace(), away()),
    removeTree: () => rmSync(treePlace(), { recursive: true }),
    remake() {
      const path = join(root, pick(DIRECTORIES.slice(1)))
      rmSync(path, { recursive: true, force: true })
      mkdirSync(path, { recursive: true })
      writeFileSync(join(path, pick(NAMES)), content())
    },
    fileForDirectory() {
      const path = treePlace()
      rmSync(path, { recursive: true, force: true })
      writeFileSync(path, content())
    },
    closeFile: () => chmodSync(existing(), 0),
    openFile: () => chmodSync(existing(), 0o644),
    closeDirectory() {
      const path = treePlace()
      if (!lstatSync(path).isDirectory()) return
      chmodSync(path, 0)
      closed.add(path)
    },
    link: () => symlinkSync(pick([existing(), directory(), theirs, 'nowhere']), place()),
    hardLink: () => linkSync(existing(), place()),
    notUtf8: () => writeFileSync(Buffer.concat([Buffer.from(`${root}/`), NOT_UTF8]), content()),
    utf8Again: () => rmSync(Buffer.concat([Buffer.from(`${root}/`), NOT_UTF8])),
  }

  function write(some: { fd: number; rest: number }) {
    writeSync(some.fd, `piece ${some.rest} of it\n`)
    if (some.rest-- > 0) return
    closeSync(some.fd)
    slow.delete(some)
  }

  return {
    /** One operation, or the attempt at one. Returns its name. */
    step(): string {
      for (const some of slow) if (below(8) === 0) write(some)
      const name = pick(Object.keys(operations))
      attempt(() => operations[name]?.())
      return name
    },
    /** Brings to an end what takes longer than a step, and opens the directories again: from here on the tree stands still. */
    finish() {
      while (slow.size > 0) for (const some of slow) write(some)
      openAll(root)
    },
  }
}

function attempt(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!IMPOSSIBLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** The root as well: a link to it may have been closed. */
function openAll(directory: string): void {
  chmodSync(directory, 0o755)
  for (const found of readdirSync(directory, { withFileTypes: true }))
    if (found.isDirectory()) openAll(join(directory, found.name))
}

/** What is to be mirrored of the tree at `root`, and what cannot be. */
export function readTruth(root: string): Truth {
  const files = new Map<string, string>()
  const problems = new Map<string, string>()

  function read(path: string) {
    const file = join(root, path)
    const stats = regularFile(file)
    if (!stats) return
    if ((stats.mode & 0o444) === 0) return problems.set(path, 'FILE_UNREADABLE')
    if (stats.size < 6) return problems.set(path, 'MEDIA_UNACCEPTABLE')
    return files.set(path, createHash('sha256').update(readFileSync(file)).digest('hex'))
  }

  /** Also behind a link, where that stays inside. */
  function regularFile(file: string): Stats | undefined {
    try {
      if (!realpathSync(file).startsWith(`${root}/`)) return undefined
      const stats = statSync(file)
      return stats.isFile() ? stats : undefined
    } catch (error) {
      if (!['ENOENT', 'ELOOP', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
      return undefined
    }
  }

  function walk(directory: string) {
    for (const found of readdirSync(join(root, directory), { withFileTypes: true })) {
      const path = join(directory, found.name)
      if (found.name.includes('\ufffd'))
        problems.set(join(directory, NOT_UTF8_SHOWN), 'NAME_NOT_UTF8')
      else if (isIgnored(path)) continue
      else if (found.isDirectory()) walk(path)
      else read(path)
    }
  }
  walk('')
  return { files, problems }
}
