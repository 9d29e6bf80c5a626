// Answers for what happened in a run, in order: a running hash of all of it, and the last of it in words for whoever has to find
// out what went wrong.

export interface Trace {
  /** Notes what happened to which medium; `what` is one of few words. */
  note(what: string, index: number): void
  /** One number for all that was noted, the same for the same seed. */
  digest(): string
  /** The last events, oldest first. */
  tail(): string[]
}

const KEPT = 64

/** Notes moments of the monotonic clock. */
export function createTrace(clock: { monotonicMs(): number }): Trace {
  const words: string[] = Array(KEPT).fill('')
  const indexes = new Float64Array(KEPT)
  const moments = new Float64Array(KEPT)
  let count = 0
  let hash = 0x811c9dc5

  const mix = (value: number) => {
    hash = Math.imul(hash ^ (value | 0), 16_777_619)
  }

  return {
    note(what, index) {
      const atMs = clock.monotonicMs()
      const place = count++ % KEPT
      words[place] = what
      indexes[place] = index
      moments[place] = atMs
      mix(atMs)
      mix(index)
      mix(what.charCodeAt(0) * 256 + what.length)
    },
    digest: () => `${(hash >>> 0).toString(16).padStart(8, '0')}-${count}`,
    tail() {
      const first = Math.max(0, count - KEPT)
      return Array.from({ length: count - first }, (_, at) => {
        const place = (first + at) % KEPT
        const seconds = ((moments[place] ?? 0) / 1000).toFixed(3)
        const medium = (indexes[place] ?? -1) < 0 ? '' : ` medium ${indexes[place]}`
        return `${seconds} s ${words[place]}${medium}`
      })
    },
  }
}
