// Answers for how sizes are written for a person: in the units that the configuration takes (1 KB = 2^10 bytes).

const UNITS = ['KB', 'MB', 'GB', 'TB'] as const

/** `12 MB`, `1.5 MB`, `800 bytes`: at most one decimal, never rounded up to a unit that is not reached. */
export function renderSize(sizeBytes: number): string {
  let amount = sizeBytes
  let text = `${sizeBytes} ${sizeBytes === 1 ? 'byte' : 'bytes'}`
  for (const unit of UNITS) {
    amount /= 1024
    if (amount < 1) break
    text = `${Math.floor(amount * 10) / 10} ${unit}`
  }
  return text
}

/** `12 MB exceeds 10 MB`, in bytes where the short forms would look alike. */
export function renderExcess(sizeBytes: number, maxBytes: number): string {
  const [size, max] = [renderSize(sizeBytes), renderSize(maxBytes)]
  return size === max
    ? `${sizeBytes} bytes exceeds ${max} (${maxBytes} bytes)`
    : `${size} exceeds ${max}`
}
