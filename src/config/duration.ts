// Answers for durations as people write and read them: `200ms`, `90s`, `1h 30m`, `3d`. The program itself counts milliseconds.

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

const UNIT_MS: ReadonlyMap<string | undefined, number> = new Map(UNITS)

/** The form of a duration, for the parser and for editors; that units descend is left to the parser. */
export const DURATION_PATTERN = /^\d+(\.\d+)?(ms|[smhd])( ?\d+(\.\d+)?(ms|[smhd]))*$/

/**
 * Milliseconds, or undefined for what is no duration. Decimals (`1.5h`) and sums (`2h 5m`, each unit once, largest
 * first) are taken; a bare number is not, since nobody can see whether it means seconds.
 */
export function parseDuration(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined
  let totalMs = 0
  let previousUnitMs = Number.POSITIVE_INFINITY
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|[smhd])/g)) {
    const unitMs = UNIT_MS.get(unit)
    if (unitMs === undefined || unitMs >= previousUnitMs) return undefined
    totalMs += Number(amount) * unitMs
    previousUnitMs = unitMs
  }
  const wholeMs = Math.round(totalMs)
  return Number.isSafeInteger(wholeMs) ? wholeMs : undefined
}

/** For people: the two largest units, such as `3d` or `2h 5m`; cut off, so "time left" never promises more than there is. */
export function renderDuration(durationMs: number): string {
  const wholeMs = Math.floor(Math.abs(durationMs))
  const largest = UNITS.findIndex(([, unitMs]) => wholeMs >= unitMs)
  if (largest === -1) return '0s'
  let restMs = wholeMs
  const parts: string[] = []
  for (const [unit, unitMs] of UNITS.slice(largest, largest + 2)) {
    const amount = Math.floor(restMs / unitMs)
    restMs -= amount * unitMs
    if (amount > 0) parts.push(`${amount}${unit}`)
  }
  return `${durationMs < 0 ? '-' : ''}${parts.join(' ')}`
}
