// Answers for fingerprints: of bytes in memory, of an open file, and of exactly the bytes that pass by on their way out.
import { createHash, type Hash } from 'node:crypto'
import { type Readable, Transform } from 'node:stream'
import { type Fingerprint, parseFingerprint } from '../media/media.ts'

/** Larger reads gain nothing (measured); smaller ones cost a fifth. */
const CHUNK_BYTES = 256 * 1024

/** Of bytes that are in memory already. */
export const fingerprintBuffer = (bytes: Uint8Array): Fingerprint =>
  finish(createHash('sha256').update(bytes))

/** The one method of a `FileHandle` that is needed. */
interface ReadableFile {
  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>
}

/** Of an open file from its first byte to its end, whatever its position; memory does not grow with the file. */
export async function fingerprintFile(
  file: ReadableFile,
  signal?: AbortSignal,
): Promise<Fingerprint> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let position = 0; ; ) {
    signal?.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, position)
    if (bytesRead === 0) return finish(hash)
    hash.update(buffer.subarray(0, bytesRead))
    position += bytesRead
  }
}

/**
 * Wraps what opens a stream of bytes, so that the bytes are the same and their fingerprint is known afterwards.
 * Every opening starts anew: after a retry the fingerprint is that of the bytes which were sent last.
 */
export function fingerprintPassing(open: () => Readable): {
  readonly open: () => Readable
  /** Undefined until the stream opened last has been read to its end. */
  readonly fingerprint: () => Fingerprint | undefined
} {
  let latest: Fingerprint | undefined
  let openings = 0
  return {
    open() {
      latest = undefined
      const opening = ++openings
      return tap(open(), (fingerprint) => {
        // An abandoned attempt may end late; it must not speak for the one that followed.
        if (opening === openings) latest = fingerprint
      })
    },
    fingerprint: () => latest,
  }
}

function tap(source: Readable, onEnd: (fingerprint: Fingerprint) => void): Readable {
  const hash = createHash('sha256')
  const passing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
    flush(done) {
      onEnd(finish(hash))
      done()
    },
  })
  // Either end that breaks takes the other along: neither an open file nor a waiting reader is left behind.
  source.once('error', (error) => passing.destroy(error))
  passing.once('close', () => source.destroy())
  return source.pipe(passing)
}

function finish(hash: Hash): Fingerprint {
  const fingerprint = parseFingerprint(hash.digest('hex'))
  if (!fingerprint) throw new Error('SHA-256 did not yield 64 hex digits')
  return fingerprint
}
