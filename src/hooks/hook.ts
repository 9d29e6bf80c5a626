// Answers for what a hook is to those who announce and deliver: what it wants to hear of, and how it is told. How a command is run
// or an address posted to is run-command.ts and post-request.ts.
import type { Happening } from '../media/delivery.ts'
import type { MediaPath } from '../media/media.ts'

/** Why it was not told, for people and without any secret; undefined when it was. */
export type Refusal = { readonly because: string; readonly hint?: string } | undefined

/** Tells once. Resolves when nothing of the attempt is left, also after an abort; rejects for bugs only. */
export type Tell = (body: Buffer, signal: AbortSignal) => Promise<Refusal>

export interface Hook {
  readonly name: string
  readonly happenings: readonly Happening[]
  /** Asked with nothing for what has no path. */
  readonly matches: (path: MediaPath | undefined) => boolean
  /** What it does, for people and without any secret: `run tell`, `post https://host`. */
  readonly target: string
  readonly tell: Tell
  readonly timeoutMs: number
  /** What is older and could not be told is given up. */
  readonly giveUpAfterMs: number
  /** So many at once. */
  readonly concurrency: number
}
