// Answers for keeping media on disk until they die: bytes in one file each, what is known of them in the index.
// Media die by the clock; nothing sets a timer, the dead are swept out whenever somebody asks.
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Content, createContentLook } from './content-look.ts'
import { type MediaIndex, openMediaIndex, type StoredMedium } from './media-index.ts'

/** Bytes on their way in: kept by `commit`, or gone. */
export interface Intake {
  write(bytes: Buffer): Promise<void>
  /** What came so far. */
  content(): Content
  commit(
    about: Omit<StoredMedium, 'mediaId' | 'createdAtMs' | keyof Content>,
  ): Promise<StoredMedium>
  discard(): Promise<void>
}

export interface MediaStore {
  open(): Promise<void>
  /** Starts a new medium; beyond `keepBytes` it is measured but no longer written. */
  receive(keepBytes: number): Intake
  /** A medium that is alive now. */
  find(mediaId: string): Promise<StoredMedium | undefined>
  /** Its bytes from first to last, or undefined if it died since it was found. */
  read(medium: StoredMedium, firstByte: number, lastByte: number): Promise<Readable | undefined>
  remove(mediaId: string): Promise<boolean>
  /** The living, oldest first. */
  list(): readonly StoredMedium[]
}

const INDEX_NAME = 'index.ndjson'
const CONTENT_SUFFIX = '.bin'

/** Ids look like the real ones: 65 URL-safe characters. */
const createMediaId = () => `3${randomBytes(48).toString('base64url')}`

export function createMediaStore(deps: {
  directory: string
  lifetimeMs: () => number
  clock: { nowMs(): number }
}): MediaStore {
  const media = new Map<string, StoredMedium>()
  let index: MediaIndex | undefined

  const contentPath = (mediaId: string) => join(deps.directory, `${mediaId}${CONTENT_SUFFIX}`)
  const isAlive = (medium: StoredMedium) =>
    deps.clock.nowMs() < medium.createdAtMs + deps.lifetimeMs()

  async function remove(mediaId: string) {
    if (!media.delete(mediaId)) return false
    await index?.append({ remove: mediaId })
    await rm(contentPath(mediaId), { force: true })
    return true
  }

  /** Oldest first, so it ends at the first one alive. */
  async function sweep() {
    for (const medium of media.values()) {
      if (isAlive(medium)) return
      await remove(medium.mediaId)
    }
  }

  return {
    async open() {
      await mkdir(deps.directory, { recursive: true, mode: 0o700 })
      media.clear()
      index = await openMediaIndex(join(deps.directory, INDEX_NAME), media)
      await removeStrays(deps.directory, media)
      await sweep()
    },
    receive(keepBytes) {
      const mediaId = createMediaId()
      const spool = createSpool(contentPath(mediaId))
      const look = createContentLook()
      return {
        async write(bytes) {
          look.add(bytes)
          if (look.sizeBytes() <= keepBytes) await spool.write(bytes)
        },
        content: look.result,
        async commit(about) {
          await spool.close()
          const medium = { ...about, ...look.result(), mediaId, createdAtMs: deps.clock.nowMs() }
          await index?.append({ add: medium })
          media.set(mediaId, medium)
          return medium
        },
        discard: spool.discard,
      }
    },
    async find(mediaId) {
      await sweep()
      const medium = media.get(mediaId)
      return medium && isAlive(medium) ? medium : undefined
    },
    async read(medium, start, end) {
      if (!media.has(medium.mediaId)) return undefined
      // Once open, the bytes stay readable though the medium may die meanwhile.
      const file = await open(contentPath(medium.mediaId))
      return file.createReadStream({ start, end })
    },
    remove,
    list: () => [...media.values()].filter(isAlive),
  }
}

/** Bytes that no line of the index speaks of were never acknowledged. */
async function removeStrays(directory: string, media: ReadonlyMap<string, unknown>) {
  for (const name of await readdir(directory)) {
    const isStray =
      name.endsWith(CONTENT_SUFFIX) && !media.has(name.slice(0, -CONTENT_SUFFIX.length))
    if (isStray) await rm(join(directory, name), { force: true })
  }
}

/** A file that comes into being with its first byte. */
function createSpool(path: string) {
  let opening: ReturnType<typeof open> | undefined
  const close = async () => {
    const file = await opening
    opening = undefined
    await file?.close()
  }
  return {
    async write(bytes: Buffer) {
      opening ??= open(path, 'wx', 0o600)
      const file = await opening
      // Unlike `write`, never stops half-way.
      await file.writeFile(bytes)
    },
    close,
    async discard() {
      await close()
      await rm(path, { force: true })
    },
  }
}
