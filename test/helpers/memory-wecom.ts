// A WeCom that lives in memory: keeps what is uploaded for three days of its clock, and fails when told to. It passes the
// same contract as the real one (`test/contracts/wecom-contract.ts`).
import { Readable } from 'node:stream'
import { FileUnreadable, WecomRefused, WecomUnreachable } from '../../src/errors.ts'
import { type MediaId, type MediaKind, parseMediaId } from '../../src/media/media.ts'
import type { Download, UploadRequest, Wecom } from '../../src/wecom/wecom.ts'

interface StoredMedium {
  readonly mediaId: MediaId
  readonly kind: MediaKind
  readonly wireName: string
  readonly bytes: Buffer
  /** What it is in high definition, where it is had so. */
  readonly hdBytes?: Buffer
  readonly createdAtMs: number
}

export interface MemoryWecom extends Wecom {
  /** The next calls fail with these, one each, in this order. */
  failNext(...errors: Error[]): void
  /** Every call fails with this, until told `undefined`. */
  failAlways(error: Error | undefined): void
  /** Calls that go out from now on do not come back before the returned function is called. */
  hold(): () => void
  /** The media that were stored, oldest first. */
  readonly uploads: readonly StoredMedium[]
  readonly downloads: readonly MediaId[]
  /** Calls so far, also those that failed. */
  readonly attempts: number
  /** Stores a medium as if somebody else had uploaded it. */
  store(medium: { name: string; bytes: Buffer; hdBytes?: Buffer; kind?: MediaKind }): MediaId
  /** Makes the service forget a medium before its time. */
  forget(mediaId: MediaId): void
  /** An id that looks real. */
  idOf(text: string): MediaId
}

const LIFETIME_MS = 3 * 24 * 60 * 60 * 1000

/** An upload request like any other, but for what the test cares about. */
export function aMedium(about: Partial<UploadRequest> & { bytes?: Buffer } = {}): UploadRequest {
  const { bytes = Buffer.from('a medium'), ...rest } = about
  return { kind: 'file', wireName: 'medium.txt', content: bytes, sizeBytes: bytes.length, ...rest }
}

export function createMemoryWecom(deps: {
  readonly clock: { nowMs(): number }
  readonly lifetimeMs?: number
}): MemoryWecom {
  const uploads: StoredMedium[] = []
  const downloads: MediaId[] = []
  const failures: Error[] = []
  const forgotten = new Set<MediaId>()
  let always: Error | undefined
  let held: Promise<void> = Promise.resolve()
  let attempts = 0
  const lifetimeMs = deps.lifetimeMs ?? LIFETIME_MS

  const enter = async (signal: AbortSignal) => {
    signal.throwIfAborted()
    attempts++
    await held
    signal.throwIfAborted()
    const failure = failures.shift() ?? always
    if (failure) throw failure
  }

  const keep = (medium: Omit<StoredMedium, 'mediaId' | 'createdAtMs'>): StoredMedium => {
    const mediaId = idOf(`${uploads.length}-${medium.wireName}`)
    // Like the service: whole seconds.
    const createdAtMs = Math.floor(deps.clock.nowMs() / 1000) * 1000
    const stored = { ...medium, mediaId, createdAtMs }
    uploads.push(stored)
    return stored
  }

  const find = (mediaId: MediaId): StoredMedium => {
    const stored = uploads.find((upload) => upload.mediaId === mediaId)
    const isAlive = stored && deps.clock.nowMs() < stored.createdAtMs + lifetimeMs
    if (isAlive && !forgotten.has(mediaId)) return stored
    throw deadOrForeign(mediaId)
  }

  return {
    uploads,
    downloads,
    get attempts() {
      return attempts
    },
    idOf,
    failNext: (...errors) => void failures.push(...errors),
    failAlways: (error) => void (always = error),
    hold() {
      const gate = Promise.withResolvers<void>()
      held = gate.promise
      return gate.resolve
    },
    forget: (mediaId) => void forgotten.add(mediaId),
    store: ({ name, kind = 'file', ...contents }) =>
      keep({ wireName: name, kind, ...contents }).mediaId,
    async upload(request, signal) {
      await enter(signal)
      const { kind, wireName } = request
      const { mediaId, createdAtMs } = keep({ kind, wireName, bytes: await readWhole(request) })
      return { mediaId, createdAtMs }
    },
    async download({ mediaId, isHd, range }, signal) {
      await enter(signal)
      downloads.push(mediaId)
      const stored = find(mediaId)
      if (!isHd) return toDownload(stored, range)
      if (!stored.hdBytes) throw deadOrForeign(mediaId)
      return {
        ...toDownload({ ...stored, bytes: stored.hdBytes }, range),
        contentType: 'voice/speex',
      }
    },
  }
}

function deadOrForeign(mediaId: MediaId): WecomRefused {
  const refusal = { errcode: 40007, errmsg: 'invalid media_id', remedy: 'skip' } as const
  return new WecomRefused(`cannot download \`${mediaId}\`: it is dead or foreign`, refusal)
}

function idOf(text: string): MediaId {
  const mediaId = parseMediaId(Buffer.from(`memory-${text}`).toString('base64url').padEnd(44, '_'))
  if (mediaId === undefined) throw new Error('not an id')
  return mediaId
}

async function readWhole({ content, sizeBytes, wireName }: UploadRequest): Promise<Buffer> {
  const bytes = Buffer.isBuffer(content)
    ? Buffer.from(content)
    : Buffer.concat(await content().toArray())
  if (bytes.length === sizeBytes) return bytes
  throw new FileUnreadable(`cannot upload \`${wireName}\`: it changed while it was read`)
}

function toDownload(
  stored: StoredMedium,
  range: { firstByte: number; lastByte: number } | undefined,
) {
  const { bytes, wireName } = stored
  if (range && range.firstByte >= bytes.length) throw new WecomUnreachable('no such range')
  const part = range ? bytes.subarray(range.firstByte, range.lastByte + 1) : bytes
  return {
    body: Readable.from([part], { objectMode: false }),
    announcedName: wireName,
    contentType: 'application/octet-stream',
    sizeBytes: part.length,
    totalBytes: bytes.length,
  } satisfies Download
}
