// Answers for what may be found on opening a state that a clean stop did not leave so. Found by looking (`load.ts`),
// mended by whoever holds the lock (`repair.ts`).
import { type DOCUMENT, journalName, type PREVIOUS } from './files.ts'

export type Finding =
  | {
      readonly kind: 'document-damaged'
      readonly name: typeof DOCUMENT | typeof PREVIOUS
      readonly because: string
    }
  | { readonly kind: 'document-missing' }
  | {
      readonly kind: 'journal-torn'
      readonly number: number
      readonly atByte: number
      readonly sizeBytes: number
    }
  | { readonly kind: 'journal-garbled'; readonly number: number; readonly recordCount: number }
  | { readonly kind: 'journals-missing'; readonly numbers: readonly number[] }

/** The names of journals for a message. */
export const tellJournals = (numbers: readonly number[]): string =>
  numbers.length > 3
    ? `\`${journalName(numbers[0] ?? 0)}\` to \`${journalName(numbers.at(-1) ?? 0)}\``
    : numbers.map((number) => `\`${journalName(number)}\``).join(', ')
