// Answers for the bytes around one medium in a multipart body. Pure: the boundary is given, nothing is sent or read.

export interface MultipartFrame {
  readonly head: Buffer
  readonly tail: Buffer
  /** Of the whole request, with its boundary; without one WeCom answers 44001. */
  readonly contentType: string
  readonly totalBytes: number
}

/** Bytes before and after the medium, as the official example has them (path/96484), `filelength` included. */
export function createMultipartFrame(medium: {
  readonly wireName: string
  readonly sizeBytes: number
  readonly boundary: string
}): MultipartFrame {
  const { boundary, sizeBytes } = medium
  const filename = safeInQuotes(medium.wireName)
  const head = Buffer.from(
    `--${boundary}\r\n` +
      `Content-Disposition: form-data; name="media"; filename="${filename}"; filelength=${sizeBytes}\r\n` +
      'Content-Type: application/octet-stream\r\n\r\n',
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    head,
    tail,
    contentType: `multipart/form-data; boundary=${boundary}`,
    totalBytes: head.length + sizeBytes + tail.length,
  }
}

/**
 * Raw UTF-8, since the service understands neither `filename*` nor percent-encoding and shows receivers the very text.
 * What would end the quotes or the header line becomes `_`; an empty name is refused with 44001, so there is always one.
 */
function safeInQuotes(wireName: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get through.
  const safe = wireName.toWellFormed().replace(/["\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '_')
  return safe === '' ? 'media' : safe
}
