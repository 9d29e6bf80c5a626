// Answers for reading a Range header: one span of bytes, in any of its three forms.

/** Both ends inclusive. */
export interface Span {
  readonly firstByte: number
  readonly lastByte: number
}

/** The span asked for; undefined where the header asks for none, or in a way that is ignored (several spans, other units). */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): Span | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const lastOfAll = sizeBytes - 1
  if (match[1] === '') {
    const wanted = Number(match[2])
    if (wanted === 0) return 'unsatisfiable'
    return { firstByte: Math.max(0, sizeBytes - wanted), lastByte: lastOfAll }
  }
  const firstByte = Number(match[1])
  const lastByte = match[2] === '' ? lastOfAll : Math.min(Number(match[2]), lastOfAll)
  // The ends the wrong way round make the header void; a start beyond the end cannot be satisfied.
  if (match[2] !== '' && Number(match[2]) < firstByte) return undefined
  return firstByte > lastOfAll ? 'unsatisfiable' : { firstByte, lastByte }
}
