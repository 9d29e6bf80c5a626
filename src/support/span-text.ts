// Answers for how spans of time are written for a person. Pure.

/** A span in the largest unit that still tells something. */
export function seconds(spanMs: number): string {
  const sign = spanMs < 0 ? '-' : ''
  const s = Math.abs(spanMs) / 1000
  if (s < 1) return `${sign}${Math.round(s * 1000)} ms`
  if (s < 120) return `${sign}${Number(s.toFixed(s < 10 ? 1 : 0))} s`
  if (s < 7200) return `${sign}${Math.round(s / 60)} min`
  if (s < 172_800) return `${sign}${Math.round(s / 3600)} h`
  return `${sign}${Math.round(s / 86_400)} d`
}
