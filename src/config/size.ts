// Answers for sizes as people write and read them: `10MB`, `512KB`. As in WeCom's own pages, a KB is 2^10 and an MB 2^20 bytes.

const UNITS = [
  ['GB', 2 ** 30],
  ['MB', 2 ** 20],
  ['KB', 2 ** 10],
  ['B', 1],
] as const

const UNIT_BYTES: ReadonlyMap<string | undefined, number> = new Map(UNITS)

/** The form of a size, for the parser and for editors. */
export const SIZE_PATTERN = /^(\d+(?:\.\d+)?) ?(B|KB|MB|GB)$/

/** Bytes, or undefined for what is no size. `mb` is refused as well: for some it means bits. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = SIZE_PATTERN.exec(text) ?? []
  const unitBytes = UNIT_BYTES.get(unit)
  if (unitBytes === undefined) return undefined
  const bytes = Math.round(Number(amount) * unitBytes)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/**
 * For people: `12 MB`, `11.72 MB`. A rounded size never reads like a whole one (that is given in bytes instead), so
 * that no message can say "10 MB exceeds 10 MB".
 */
export function renderSize(sizeBytes: number): string {
  const [unit, unitBytes] = UNITS.find(([, bytes]) => sizeBytes >= bytes) ?? ['B', 1]
  const exact = sizeBytes / unitBytes
  const rounded = Math.round(exact * 100) / 100
  const misleads = Number.isInteger(rounded) && rounded !== exact
  return misleads ? `${sizeBytes} B` : `${rounded} ${unit}`
}
