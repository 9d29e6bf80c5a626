// Answers for chance that can be had again: one seed, one sequence. Each part draws from a stream of its own, so that one more
// draw in one part does not change what another part sees.

/** A generator of numbers in [0, 1) (mulberry32): fast, and good enough to pick faults and moments. */
export function createChance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The seed of one part's own stream. */
export const seedOf = (seed: number, part: string): number => {
  let hash = seed | 0
  for (let at = 0; at < part.length; at++) hash = Math.imul(hash ^ part.charCodeAt(at), 16_777_619)
  return hash >>> 0
}
