// A disk whose power can be cut: whatever was not flushed may be lost, piece by piece. Bytes survive by sectors until their file is
// flushed, names each for themselves until their directory is. That is less than any file system in use promises.
import { basename } from 'node:path'
import type { Files, OpenFile } from '../../src/manifest/files.ts'

type Alteration =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly length: number }

interface Inode {
  readonly number: number
  bytes: Buffer
  /** What a flush vouches for. */
  durable: Buffer
  /** Since then, in order. */
  pending: Alteration[]
}

/** What a name has meant since its directory was flushed, that moment first; the last counts while the power is on. */
type Meanings = (Inode | undefined)[]

export interface VolatileDisk {
  readonly files: Files
  /** The disk as it may be found when the power comes back, `survival` (0 to 1) of what was not flushed being there. */
  afterPowerLoss(random: () => number, survival: number): VolatileDisk
  /** Called before each operation: where the power may be cut. */
  beforeEach(act: (operation: string) => void): void
  /** From now on there are no second names, as on some file systems. */
  forbidLinks(): void
  names(): string[]
  bytesOf(name: string): Buffer | undefined
  /** The disk itself turns a bit of the file. */
  damage(name: string): void
}

const SECTOR_BYTES = 512

/** One state directory, which is not there before it is made. */
export const createVolatileDisk = (): VolatileDisk => mount(new Map(), [false])

function mount(names: Map<string, Meanings>, made: boolean[]): VolatileDisk {
  let tell: (operation: string) => void = () => {}
  let hasLinks = true
  let nextNumber = 1 + Math.max(0, ...[...names.values()].flat().map((inode) => inode?.number ?? 0))
  let stateDirectory = ''

  const meaning = (path: string) => names.get(basename(path))?.at(-1)
  const mean = (path: string, inode: Inode | undefined) => {
    const name = basename(path)
    names.set(name, [...(names.get(name) ?? [undefined]), inode])
  }
  const find = (path: string): Inode => meaning(path) ?? fail('ENOENT', path)
  const acting =
    <A extends readonly unknown[], R>(operation: string, act: (...call: A) => R) =>
    async (...call: A): Promise<R> => {
      tell(`${operation} ${call.filter((one) => typeof one === 'string').join(' ')}`)
      return act(...call)
    }

  const flushNames = (path: string) => {
    if (path !== stateDirectory) made.splice(0, made.length, made.at(-1) === true)
    else for (const [name, meanings] of names) names.set(name, meanings.slice(-1))
  }
  const openDirectory = (path: string): OpenFile => ({
    write: () => fail('EISDIR', path),
    truncate: () => fail('EISDIR', path),
    datasync: acting('sync directory', () => flushNames(path)),
    sync: acting('sync directory', () => flushNames(path)),
    chmod: async () => {},
    close: async () => {},
  })
  const openFile = (inode: Inode, path: string): OpenFile => {
    const alter = (alteration: Alteration) => {
      inode.pending.push(alteration)
      inode.bytes = altered(inode.bytes, alteration)
    }
    const flush = () => {
      inode.durable = inode.bytes
      inode.pending = []
    }
    return {
      write: acting(`write ${basename(path)}`, (bytes, offset, length, position) => {
        const part = Buffer.from(bytes.subarray(offset, offset + length))
        alter({ kind: 'write', position, bytes: part })
        return { bytesWritten: length }
      }),
      truncate: acting(`truncate ${basename(path)}`, (length) =>
        alter({ kind: 'truncate', length }),
      ),
      datasync: acting(`datasync ${basename(path)}`, flush),
      sync: acting(`sync ${basename(path)}`, flush),
      chmod: async () => {},
      close: async () => {},
    }
  }
  const link = (from: string, to: string) => {
    if (!hasLinks) fail('EPERM', to)
    if (meaning(to)) fail('EEXIST', to)
    mean(to, find(from))
  }
  const create = (path: string): Inode => {
    const inode = { number: nextNumber++, bytes: EMPTY, durable: EMPTY, pending: [] }
    mean(path, inode)
    return inode
  }

  return {
    beforeEach: (act) => {
      tell = act
    },
    forbidLinks: () => {
      hasLinks = false
    },
    names: () => [...names].flatMap(([name, meanings]) => (meanings.at(-1) ? [name] : [])),
    bytesOf: (name) => meaning(name)?.bytes,
    damage(name) {
      const inode = find(name)
      for (const bytes of new Set([inode.bytes, inode.durable]))
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4
    },
    afterPowerLoss: (random, survival) => survivors(names, made, () => random() < survival, random),
    files: {
      open: acting('open', (path, flags) => {
        if (flags === 'r' && !meaning(path)) return openDirectory(path)
        const inode = flags === 'w' ? (meaning(path) ?? create(path)) : find(path)
        const file = openFile(inode, path)
        if (flags === 'w' && inode.bytes.length > 0) {
          inode.pending.push({ kind: 'truncate', length: 0 })
          inode.bytes = EMPTY
        }
        return file
      }),
      readFile: acting('readFile', (path) => Buffer.from(find(path).bytes)),
      readdir: acting('readdir', (path) => {
        if (made.at(-1) !== true) fail('ENOENT', path)
        return [...names].flatMap(([name, meanings]) => (meanings.at(-1) ? [name] : []))
      }),
      stat: acting('stat', (path) => {
        const { number, bytes } = find(path)
        return { ino: number, size: bytes.length, mtimeMs: 0 }
      }),
      rename: acting('rename', (from, to) => {
        const inode = find(from)
        if (meaning(to) === inode) return
        mean(to, inode)
        mean(from, undefined)
      }),
      link: acting('link', link),
      copyFile: acting('copyFile', (from, to) => {
        const inode = meaning(to) ?? create(to)
        inode.bytes = Buffer.from(find(from).bytes)
        inode.pending = [
          { kind: 'truncate', length: 0 },
          { kind: 'write', position: 0, bytes: inode.bytes },
        ]
      }),
      unlink: acting('unlink', (path) => {
        find(path)
        mean(path, undefined)
      }),
      mkdir: acting('mkdir', (path) => {
        stateDirectory = path
        if (made.at(-1) === true) return undefined
        made.push(true)
        return path
      }),
    },
  }
}

const EMPTY = Buffer.alloc(0)

function survivors(
  names: ReadonlyMap<string, Meanings>,
  made: readonly boolean[],
  survives: () => boolean,
  random: () => number,
): VolatileDisk {
  const isMade = made[0] === true || (made.at(-1) === true && survives())
  const found = new Map<Inode, Inode>()
  const asFound = (inode: Inode): Inode => {
    const known = found.get(inode)
    if (known) return known
    const bytes = survivingBytes(inode, survives, random)
    const copy = { number: inode.number, bytes, durable: Buffer.from(bytes), pending: [] }
    found.set(inode, copy)
    return copy
  }
  const left = new Map<string, Meanings>()
  for (const [name, meanings] of isMade ? names : []) {
    // Any of the names it has had since the flush: the later ones only as far as they survived.
    const at = meanings.findLastIndex((_, index) => index === 0 || survives())
    const inode = meanings[at]
    if (inode) left.set(name, [asFound(inode)])
  }
  return mount(left, [isMade])
}

function survivingBytes(inode: Inode, survives: () => boolean, random: () => number): Buffer {
  let bytes: Buffer = Buffer.from(inode.durable)
  for (const alteration of inode.pending) {
    if (alteration.kind === 'truncate') {
      if (survives()) bytes = altered(bytes, alteration)
      continue
    }
    for (const piece of sectorsOf(alteration)) {
      const isWhole = survives()
      // The length of a file may be there before its bytes are, which then are zeros; or a part of a sector.
      const isTorn = !isWhole && survives()
      const left = isTorn ? { ...piece, bytes: tornPiece(piece, bytes, random) } : piece
      if (isWhole || isTorn) bytes = altered(bytes, left)
    }
  }
  return bytes
}

type Write = Extract<Alteration, { kind: 'write' }>

function tornPiece({ position, bytes }: Write, under: Buffer, random: () => number): Buffer {
  const kept = random() < 0.5 ? 0 : Math.floor(random() * bytes.length)
  const torn = Buffer.alloc(bytes.length)
  under.subarray(position, position + bytes.length).copy(torn)
  bytes.copy(torn, 0, 0, kept)
  return torn
}

function* sectorsOf({ position, bytes }: Write): Generator<Write> {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES))
    yield { kind: 'write', position: position + at, bytes: bytes.subarray(at, end) }
    at = end
  }
}

/** A new buffer: what is durable must not change with it. */
function altered(bytes: Buffer, alteration: Alteration): Buffer {
  const length =
    alteration.kind === 'truncate'
      ? alteration.length
      : Math.max(bytes.length, alteration.position + alteration.bytes.length)
  const next = Buffer.alloc(length)
  bytes.copy(next, 0, 0, Math.min(bytes.length, length))
  if (alteration.kind === 'write') alteration.bytes.copy(next, alteration.position)
  return next
}

function fail(code: string, path: string): never {
  throw Object.assign(new Error(`${code}: ${path}`), { code, syscall: 'modelled' })
}
