// Answers for reading one file of the folder as a medium: its bytes, what they are, and which kind takes them. Sends nothing.
import { type FileHandle, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { FileUnreadable, HostUnable, isSystemError, MediaUnacceptable } from '../errors.ts'
import { amrDurationMs } from '../media/amr.ts'
import { chooseKind, type KindPolicy } from '../media/kind.ts'
import {
  createStamp,
  type Fingerprint,
  type MediaKind,
  type MediaPath,
  type Stamp,
} from '../media/media.ts'
import { describeErrno } from '../support/errno.ts'
import { detectFormat, HEAD_BYTES } from './content.ts'
import { fingerprintBuffer, fingerprintFile } from './fingerprint.ts'
import { Obstructed, openInside } from './inside.ts'

/** Up to here a file is read once, into memory; above it is streamed, once for the fingerprint and once for the wire. */
const WHOLE_BYTES = 2 ** 20

/** No AMR codec mode writes more than this, so a larger file is at least that long without counting its frames. */
const MAX_AMR_BYTES_PER_MS = 3.05

export interface Medium {
  readonly kind: MediaKind
  /** Why it goes as `file` and not as what it is, where that is so. */
  readonly downgradedBecause: string | undefined
  readonly sizeBytes: number
  readonly modifiedAtMs: number
  readonly stamp: Stamp
  readonly fingerprint: Fingerprint
  readonly content: Buffer | (() => Readable)
  /** Whether the file at the path is still the one that was read. */
  isUnchanged(): Promise<boolean>
  close(): Promise<void>
}

/**
 * Reads what is at the path now; undefined when nothing is there any more.
 * Throws `FileUnreadable`, or `MediaUnacceptable` when no kind takes it.
 */
export async function readMedium(
  root: string,
  path: MediaPath,
  policy: KindPolicy,
): Promise<Medium | undefined> {
  const handle = await openFile(root, path)
  if (!handle) return undefined
  try {
    return await describe(handle, root, path, policy)
  } catch (error) {
    await handle.close()
    throw isSystemError(error) ? unreadable(path, error) : error
  }
}

async function openFile(root: string, path: MediaPath): Promise<FileHandle | undefined> {
  try {
    return await openInside(root, path)
  } catch (error) {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw unreadable(path, error)
  }
}

async function describe(
  handle: FileHandle,
  root: string,
  path: MediaPath,
  policy: KindPolicy,
): Promise<Medium> {
  const facts = await handle.stat()
  if (!facts.isFile())
    throw new FileUnreadable(`cannot upload \`${path}\`: it is not a regular file`)
  const sizeBytes = facts.size
  const stamp = createStamp(facts)
  const whole = sizeBytes <= WHOLE_BYTES ? await readStart(handle, sizeBytes) : undefined
  const format = await detectFormat(whole ?? (await readStart(handle, HEAD_BYTES)))
  const voice =
    format === 'amr'
      ? { durationMs: whole ? amrDurationMs(whole) : sizeBytes / MAX_AMR_BYTES_PER_MS }
      : {}
  const choice = chooseKind({ path, sizeBytes, format, ...voice }, policy)
  if ('unacceptable' in choice)
    throw new MediaUnacceptable(choice.unacceptable, {
      hint: 'Change the file, or the limits and rules of the configuration; it is tried again when it changes.',
    })
  const fingerprint = whole ? fingerprintBuffer(whole) : await fingerprintFile(handle)
  const content =
    whole ?? (() => handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 2 ** 18 }))
  const isUnchanged = () => stillThere(root, path, stamp)
  return {
    kind: choice.kind,
    downgradedBecause: choice.downgradedBecause,
    sizeBytes,
    modifiedAtMs: Math.floor(facts.mtimeMs),
    stamp,
    fingerprint,
    content,
    isUnchanged,
    close: () => handle.close(),
  }
}

async function readStart(handle: FileHandle, sizeBytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(sizeBytes)
  let filled = 0
  while (filled < sizeBytes) {
    const { bytesRead } = await handle.read(buffer, filled, sizeBytes - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/** By path, not by handle: the path may lead to another file by now. */
async function stillThere(root: string, path: MediaPath, stamp: Stamp): Promise<boolean> {
  try {
    return createStamp(await stat(join(root, path))) === stamp
  } catch (error) {
    if (isSystemError(error)) return false
    throw error
  }
}

function unreadable(path: MediaPath, cause: unknown): FileUnreadable | HostUnable {
  if (cause instanceof Obstructed)
    return new FileUnreadable(`cannot read \`${path}\`: ${cause.message}`, { hint: cause.hint })
  // Of the machine, and of no file.
  if (isSystemError(cause) && (cause.code === 'EMFILE' || cause.code === 'ENFILE'))
    return new HostUnable(`cannot read \`${path}\`: too many files are open (${cause.code})`, {
      cause,
      hint: 'raise the limit of open files (LimitNOFILE= in the unit, ulimit -n); it goes on by itself after that',
    })
  const reason = isSystemError(cause) ? describeErrno(cause.code ?? '') : String(cause)
  return new FileUnreadable(`cannot read \`${path}\`: ${reason}`, {
    cause,
    hint: 'Give the user that runs the daemon permission to read the file; it is tried again when the file changes and at every rescan.',
  })
}
