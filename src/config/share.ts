// Answers for shares as people write them: `50%` or 0.5.

/** The form of a share written as text. */
export const PERCENT_PATTERN = /^\d+(\.\d+)?%$/

/** A part of one, above 0 and at most 1, or undefined: nothing and more than everything are no shares. */
export function parseShare(value: string | number): number | undefined {
  if (typeof value === 'string' && !PERCENT_PATTERN.test(value)) return undefined
  const share = typeof value === 'string' ? Number(value.slice(0, -1)) / 100 : value
  return share > 0 && share <= 1 ? share : undefined
}
