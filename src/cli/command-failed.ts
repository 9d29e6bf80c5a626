// A command that ends for a reason of its own making: wrong usage, a daemon that refuses or does not answer. Foreseen, no bug.
import type { ExitCode } from './exit-code.ts'

export class CommandFailed extends Error {
  readonly exitCode: ExitCode
  /** What a person can do about it. */
  readonly hint: string | null
  constructor(
    message: string,
    details: { exitCode: ExitCode; hint?: string | null; cause?: unknown },
  ) {
    super(message, { cause: details.cause })
    this.name = new.target.name
    this.exitCode = details.exitCode
    this.hint = details.hint ?? null
  }
}
