// Answers for reading an upload's body as strictly as the service does: what it cannot read, it calls "empty media data".
// A stream in, a stream out; nothing here knows what a medium is.

export type MultipartEvent =
  | { readonly kind: 'part'; readonly head: string }
  | { readonly kind: 'content'; readonly bytes: Buffer }
  | { readonly kind: 'part-end' }
  /** The closing delimiter came; without it the body was cut short or is not multipart at all. */
  | { readonly kind: 'end' }

const CRLF = '\r\n'
const LONGEST_HEAD_BYTES = 16 * 1024

/** The boundary of a Content-Type, bare; a quoted one is not understood, as .NET's users found out. */
export function parseBoundary(contentType: string | undefined): string | undefined {
  if (!contentType?.toLowerCase().startsWith('multipart/form-data')) return undefined
  return /;\s*boundary=([^\s;"]{1,200})/i.exec(contentType)?.[1]
}

type Stage = 'preamble' | 'delimiter' | 'head' | 'content' | 'over'

/** Splits a body into its parts. Ends without an `end` event when the body is broken; always reads it to its end. */
export async function* readMultipart(
  body: AsyncIterable<Buffer>,
  boundary: string,
): AsyncGenerator<MultipartEvent> {
  const splitter = createSplitter(Buffer.from(`${CRLF}--${boundary}`, 'latin1'))
  for await (const chunk of body) yield* splitter.push(chunk)
}

function createSplitter(delimiter: Buffer) {
  let stage: Stage = 'preamble'
  // The body's first delimiter has no line before it; pretend that it has.
  let pending: Buffer = Buffer.from(CRLF)

  function* push(chunk: Buffer): Generator<MultipartEvent> {
    if (stage === 'over') return
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    // Each step consumes bytes or asks for more, so this ends with the chunk.
    for (let events = step(); events; events = step()) yield* events
  }

  /** One step through the bytes at hand, or undefined when it takes more of them. */
  function step(): MultipartEvent[] | undefined {
    switch (stage) {
      case 'preamble':
        return skipPreamble()
      case 'delimiter':
        return endDelimiter()
      case 'head':
        return readHead()
      case 'content':
        return readContent()
      case 'over':
        return undefined
    }
  }

  function skipPreamble(): MultipartEvent[] | undefined {
    const at = pending.indexOf(delimiter)
    if (at < 0) {
      keepLast(delimiter.length - 1)
      return undefined
    }
    consume(at + delimiter.length)
    stage = 'delimiter'
    return []
  }

  function endDelimiter(): MultipartEvent[] | undefined {
    if (pending.length < 2) return undefined
    const mark = pending.toString('latin1', 0, 2)
    consume(2)
    stage = mark === CRLF ? 'head' : 'over'
    return mark === '--' ? [{ kind: 'end' }] : []
  }

  function readHead(): MultipartEvent[] | undefined {
    const at = pending.indexOf(CRLF + CRLF)
    if (at < 0 || at > LONGEST_HEAD_BYTES) {
      if (pending.length <= LONGEST_HEAD_BYTES) return undefined
      stage = 'over'
      return []
    }
    const head = pending.toString('utf8', 0, at)
    consume(at + 4)
    stage = 'content'
    return [{ kind: 'part', head }]
  }

  function readContent(): MultipartEvent[] | undefined {
    const at = pending.indexOf(delimiter)
    // Without a delimiter in sight, all but what may be the start of one is content.
    const end = at < 0 ? Math.max(0, pending.length - delimiter.length + 1) : at
    const bytes = pending.subarray(0, end)
    const content: MultipartEvent[] = end > 0 ? [{ kind: 'content', bytes }] : []
    consume(at < 0 ? end : at + delimiter.length)
    if (at < 0) return end > 0 ? content : undefined
    stage = 'delimiter'
    return [...content, { kind: 'part-end' }]
  }

  function consume(bytes: number) {
    pending = pending.subarray(bytes)
  }
  function keepLast(bytes: number) {
    pending = pending.subarray(Math.max(0, pending.length - bytes))
  }
  return { push }
}
