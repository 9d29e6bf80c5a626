// Answers for bringing one medium whole from WeCom into a temporary file: in ranges where it is large, resumed where it broke.
// Not for where it belongs (download.ts).
import { type FileHandle, rm } from 'node:fs/promises'
import { MediaUnacceptable, WecomRefused, WecomUnreachable } from '../errors.ts'
import type { Fingerprint, MediaId } from '../media/media.ts'
import type { Arrivals } from '../support/arrivals.ts'
import type { Download, Wecom } from '../wecom/wecom.ts'
import { detectFormat, HEAD_BYTES } from './content.ts'
import type { DiskRoom } from './disk-room.ts'
import { fingerprintFile } from './fingerprint.ts'
import { openPart, type Part, RANGE_BYTES, surelyKept } from './part-file.ts'

const RANGE_ALIGNMENT = 16
/** "Too large without a range" (path/96486). */
const RANGE_REQUIRED = 830002
/** How often one download may break and go on from where it was. */
const MAX_BREAKS = 3
/** Enough for the largest medium in ranges, breaks included; a server that deals out crumbs is given up. */
const MAX_CALLS = 100
/** The largest medium that WeCom stores by any call is 200 MB (path/97126); what claims more is not one. */
const MAX_MEDIUM_BYTES = 256 * 2 ** 20
/** So often the disk is looked at: all downloads that go at once together write little more than this many times their number. */
const LOOK_EVERY_BYTES = 2 ** 20

export interface Fetched {
  readonly file: string
  readonly sizeBytes: number
  readonly fingerprint: Fingerprint
  /** By content: `jpg`, `amr` and so on; undefined when unknown. */
  readonly format: string | undefined
  readonly announcedName: string | undefined
  readonly contentType: string | undefined
  /** Removes the temporary file; harmless when it has been placed. */
  discard(): Promise<void>
}

interface FetchDeps {
  readonly wecom: Pick<Wecom, 'download'>
  readonly room: Pick<DiskRoom, 'require'>
  /** Told with every piece that is written. */
  readonly onArrival?: Arrivals['tell']
}

interface Wanted {
  readonly mediaId: MediaId
  readonly isHd?: boolean | undefined
  readonly directory: string
  readonly expectedBytes?: number
  /** An earlier time of modification, so that the file comes back as it was. */
  readonly modifiedAtMs?: number
  /** What it must be, where that is known: a resumed download that is something else begins anew. */
  readonly fingerprint?: Fingerprint
  /** What came before the program ended is gone on from. Only for who sees to it that the id is never fetched twice at once. */
  readonly isResumed?: true
}

/** Downloads into a new temporary file of the directory, flushed to disk. */
export async function fetchMedium(
  deps: FetchDeps,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Fetched> {
  // Before anything is asked of WeCom for it.
  await deps.room.require(wanted.expectedBytes ?? 0, wanted.mediaId)
  const { file, handle, keptBytes } = await openPart(wanted)
  const discard = () => rm(file, { force: true })
  try {
    const { announced, sizeBytes } = await receiveChecked(
      deps,
      wanted,
      { handle, keptBytes },
      signal,
    )
    const { modifiedAtMs } = wanted
    // By the handle: another file may have the name by now.
    if (modifiedAtMs !== undefined) await handle.utimes(modifiedAtMs / 1000, modifiedAtMs / 1000)
    await handle.sync()
    const head = Buffer.alloc(Math.min(HEAD_BYTES, sizeBytes))
    await handle.read(head, 0, head.length, 0)
    return {
      file,
      sizeBytes,
      fingerprint: await fingerprintFile(handle),
      format: await detectFormat(head),
      announcedName: announced.announcedName,
      contentType: announced.contentType,
      discard,
    }
  } catch (error) {
    const mayGoOn = wanted.isResumed && (signal.aborted || error instanceof WecomUnreachable)
    if (!mayGoOn || surelyKept((await handle.stat()).size) === 0) await discard()
    throw error
  } finally {
    await handle.close()
  }
}

interface Received {
  readonly announced: Download
  readonly sizeBytes: number
}

/** Whatever is wrong with what was kept, the whole is asked for once more before anything is said. */
async function receiveChecked(
  deps: FetchDeps,
  wanted: Wanted,
  { handle, keptBytes }: Pick<Part, 'handle' | 'keptBytes'>,
  signal: AbortSignal,
): Promise<Received> {
  if (keptBytes > 0) {
    const resumed = await receive(deps, wanted, { handle, keptBytes }, signal).catch(unlessRefused)
    const { fingerprint } = wanted
    const isRight = fingerprint === undefined || (await fingerprintFile(handle)) === fingerprint
    if (resumed && isRight) return resumed
    await handle.truncate(0)
  }
  return receive(deps, wanted, { handle, keptBytes: 0 }, signal)
}

/** Also where what was kept ends beyond the end of what WeCom has. */
function unlessRefused(error: unknown): undefined {
  const isBeyond = error instanceof WecomUnreachable && error.status === BEYOND_END
  if (!isBeyond && !(error instanceof WecomRefused)) throw error
}

const BEYOND_END = 416

async function receive(
  { wecom, room, onArrival }: FetchDeps,
  { mediaId, isHd = false, expectedBytes = 0 }: Wanted,
  { handle, keptBytes }: Pick<Part, 'handle' | 'keptBytes'>,
  signal: AbortSignal,
): Promise<Received> {
  let ranged = expectedBytes > RANGE_BYTES || keptBytes > 0
  let received = keptBytes
  let breaks = 0
  const limit = createLimit(room, mediaId)
  for (let call = 0; call < MAX_CALLS; call++) {
    const before = received
    let position = ranged ? resumeAt(received) : 0
    try {
      const range = { firstByte: position, lastByte: position + RANGE_BYTES - 1 }
      const answer = await wecom.download(
        { mediaId, ...(isHd && { isHd }), ...(ranged && { range }) },
        signal,
      )
      const extent = extentOf(answer, ranged)
      // A server that ignores ranges answers with the whole: take it from its first byte.
      if (extent === 'whole') position = 0
      try {
        await limit.announced(position, answer)
        for await (const chunk of answer.body) {
          await limit.coming(position, chunk.length)
          position += await append(handle, chunk, position)
          received = position
          onArrival?.({ mediaId, receivedBytes: received, totalBytes: answer.totalBytes })
        }
      } finally {
        answer.body.destroy()
      }
      if (isComplete(extent, { before, received })) {
        await handle.truncate(received)
        return { announced: answer, sizeBytes: received }
      }
    } catch (error) {
      if (!ranged && error instanceof WecomRefused && error.errcode === RANGE_REQUIRED) {
        ranged = true
      } else if (error instanceof WecomUnreachable && received > 0 && breaks < MAX_BREAKS) {
        breaks++
        ranged = true
      } else throw error
    }
  }
  throw new WecomUnreachable(
    `cannot download ${mediaId}: it was not whole after ${MAX_CALLS} calls`,
    {
      hint: 'Nothing to do if this passes; otherwise see what stands between this host and WeCom.',
    },
  )
}

/** Beyond the size of any medium, or into what stays free of the disk, nothing is taken. */
function createLimit(room: Pick<DiskRoom, 'require'>, mediaId: MediaId) {
  let lookAt = 0
  const requireMedium = (sizeBytes: number) => {
    if (sizeBytes > MAX_MEDIUM_BYTES) throw tooLarge(mediaId)
  }
  return {
    async announced(position: number, { sizeBytes = 0, totalBytes }: Download) {
      const end = totalBytes ?? position + sizeBytes
      requireMedium(end)
      await room.require(Math.max(0, end - position), mediaId)
      lookAt = position + LOOK_EVERY_BYTES
    },
    /** Others write too, and not all that comes was announced. */
    async coming(position: number, moreBytes: number) {
      requireMedium(position + moreBytes)
      if (position < lookAt) return
      await room.require(moreBytes, mediaId)
      lookAt = position + LOOK_EVERY_BYTES
    },
  }
}

/** What an answer holds: the whole medium, a part of so many bytes in all, or a part of nobody says what. */
type Extent = 'whole' | 'part of unknown' | { readonly totalBytes: number }

function extentOf({ sizeBytes, totalBytes }: Download, ranged: boolean): Extent {
  if (totalBytes !== undefined) return sizeBytes === totalBytes ? 'whole' : { totalBytes }
  // An answer that tells no length at all is no range: a range tells at least its own.
  return ranged && sizeBytes !== undefined ? 'part of unknown' : 'whole'
}

/** Where nobody says how much there is, the end is where a further range brings nothing new. */
function isComplete(
  extent: Extent,
  { before, received }: { before: number; received: number },
): boolean {
  if (extent === 'whole') return true
  return extent === 'part of unknown' ? received <= before : received >= extent.totalBytes
}

/** Aligned, and always before what came last: a range beyond the end would be refused, and tell nothing. */
const resumeAt = (received: number): number =>
  Math.floor(Math.max(0, received - 1) / RANGE_ALIGNMENT) * RANGE_ALIGNMENT

async function append(handle: FileHandle, chunk: Buffer, position: number): Promise<number> {
  let written = 0
  while (written < chunk.length) {
    const at = position + written
    // What lies before is on disk before anything lies behind: so the size of a file alone tells what of it survived.
    if (at > 0 && at % RANGE_BYTES === 0) await handle.datasync()
    const room = RANGE_BYTES - (at % RANGE_BYTES)
    const length = Math.min(chunk.length - written, room)
    written += (await handle.write(chunk, written, length, at)).bytesWritten
  }
  return written
}

const tooLarge = (mediaId: MediaId) =>
  new MediaUnacceptable(
    `cannot download ${mediaId}: it is larger than ${MAX_MEDIUM_BYTES / 2 ** 20} MB, which no medium of WeCom is`,
  )
