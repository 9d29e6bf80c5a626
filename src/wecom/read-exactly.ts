// Answers for the content of one upload being exactly as long as announced. A file that shrank or grew meanwhile is
// `FileUnreadable`, with remedy `skip`: sending it again under the old length is pointless, so the wrapper that retries
// leaves it alone, and the uploader, who knows the path, looks at the file anew.
import { addAbortSignal } from 'node:stream'
import { FileUnreadable, isMirrorError } from '../errors.ts'
import type { UploadRequest } from './wecom.ts'

/** Small enough for the time limits to see a slow line move. */
const SLICE_BYTES = 256 * 1024

/** The bytes in pieces; throws before the first byte too many, or after the last when some are missing. */
export async function* readExactly(
  asked: UploadRequest,
  stop: AbortSignal,
): AsyncGenerator<Buffer> {
  let readBytes = 0
  for await (const chunk of open(asked, stop)) {
    readBytes += chunk.length
    if (readBytes > asked.sizeBytes) break
    yield chunk
  }
  if (readBytes === asked.sizeBytes) return
  const found = readBytes > asked.sizeBytes ? 'more' : `only ${readBytes}`
  throw new FileUnreadable(
    `cannot upload \`${asked.wireName}\`: it changed while it was read, ${asked.sizeBytes} bytes were announced and there are ${found}`,
    { hint: 'it is uploaded when it stands still' },
  )
}

async function* open(asked: UploadRequest, stop: AbortSignal): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(asked.content)) {
    for (let start = 0; start < asked.content.length; start += SLICE_BYTES) {
      yield asked.content.subarray(start, start + SLICE_BYTES)
    }
    return
  }
  try {
    yield* addAbortSignal(stop, asked.content())
  } catch (error) {
    if (stop.aborted || isMirrorError(error)) throw error
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new FileUnreadable(`cannot upload \`${asked.wireName}\`: it cannot be read${code}`, {
      hint: "check the file, its permissions and the disk's health",
      cause: error,
    })
  }
}
