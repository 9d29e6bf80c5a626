// Answers for looking at the beginning of a stream, and at its length, without losing a byte of it.
import { pipeline, Readable, Transform } from 'node:stream'

export interface Peeked {
  readonly bytes: Buffer
  /** The bytes are all there is. */
  readonly isWhole: boolean
  /** Everything, from the first byte on. */
  readonly body: Readable
}

/** Reads until there are more than `limitBytes` or the stream ends. */
export async function peek(source: Readable, limitBytes: number): Promise<Peeked> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > limitBytes) break
  }
  const bytes = Buffer.concat(chunks)
  const isWhole = sizeBytes <= limitBytes
  if (isWhole) return { bytes, isWhole, body: Readable.from([bytes], { objectMode: false }) }
  source.unshift(bytes)
  return { bytes, isWhole, body: source }
}

/** The same stream, failing at its end when it did not hold exactly so many bytes. */
export function ofLength(source: Readable, sizeBytes: number, toError: () => Error): Readable {
  let seenBytes = 0
  const counted = new Transform({
    transform(chunk, _encoding, done) {
      seenBytes += chunk.length
      done(seenBytes > sizeBytes ? toError() : null, chunk)
    },
    flush: (done) => done(seenBytes === sizeBytes ? null : toError()),
  })
  // The failure reaches whoever reads `counted`; here nobody is left to tell.
  return pipeline(source, counted, () => undefined)
}
