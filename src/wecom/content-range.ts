// Answers for the range that an answer says it holds. Pure.

export interface ContentRange {
  readonly firstByte: number
  readonly lastByte: number
  /** Undefined for `*`: the sender did not say. */
  readonly totalBytes: number | undefined
}

/** `bytes 0-1023/2048` as numbers, or undefined for anything that is not a sound range. */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const match = /^\s*bytes\s+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)\s*$/i.exec(header ?? '')
  if (!match) return undefined
  const firstByte = Number(match[1])
  const lastByte = Number(match[2])
  const totalBytes = match[3] === '*' ? undefined : Number(match[3])
  if (lastByte < firstByte || (totalBytes !== undefined && lastByte >= totalBytes)) return undefined
  return { firstByte, lastByte, totalBytes }
}

/** Whether the answer is what was asked: from the same byte, to the same byte or to the medium's end. */
export function isAskedRange(
  got: ContentRange,
  asked: { readonly firstByte: number; readonly lastByte: number },
): boolean {
  if (got.firstByte !== asked.firstByte || got.lastByte > asked.lastByte) return false
  return (
    got.lastByte === asked.lastByte ||
    got.totalBytes === undefined ||
    got.lastByte === got.totalBytes - 1
  )
}
