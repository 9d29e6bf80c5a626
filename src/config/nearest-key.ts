// Answers for typos: which known key was probably meant. Knows nothing of where keys are.

/** Longer words are no typos of ours; this also bounds the work for one word. */
const MAX_WORD_LENGTH = 40

/** The most similar candidate, or undefined when none is similar enough to be meant. */
export function findNearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > MAX_WORD_LENGTH) return undefined
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: countEdits(plain(word), plain(candidate)) }))
    .sort((a, b) => a.edits - b.edits)
  const [best] = ranked
  if (best === undefined) return undefined
  const mostEdits = Math.max(1, Math.floor(best.candidate.length / 3))
  return best.edits <= mostEdits ? best.candidate : undefined
}

/** `corp_id`, `corp-id` and `CorpID` are all `corpId` to a person. */
const plain = (word: string) => word.toLowerCase().replaceAll(/[-_]/g, '')

/** Letters to insert, drop, change or swap with their neighbour (optimal string alignment). */
function countEdits(from: string, to: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current[column] = Math.min(
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        swapped ? (beforePrevious[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforePrevious = previous
    previous = current
  }
  return previous[to.length] ?? 0
}
