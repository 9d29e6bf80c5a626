// Answers for what a failure looks like at the end of a command, whether it was thrown here or came over the wire.
import { renderConfigError } from '../config/render-config-error.ts'
import { ConfigError, isMirrorError, type MirrorError, type Remedy } from '../errors.ts'
import type { FailureAnswer } from '../serve/desk.ts'
import { showName } from '../support/show-name.ts'
import { CommandFailed } from './command-failed.ts'
import { type ExitCode, exitCodeOfFailure } from './exit-code.ts'

/** What happened and what to do, for a person. An error that nobody foresaw is shown whole: it is for us. */
export function renderError(error: unknown): string {
  if (error instanceof ConfigError) return renderConfigError(error)
  if (isMirrorError(error) || error instanceof CommandFailed)
    return renderFailure({ message: error.message, hint: error.hint ?? null })
  return `this is a bug in wecom-media-mirror, please report it:\n${error instanceof Error ? error.stack : String(error)}`
}

export const renderFailure = ({
  message,
  hint,
}: {
  message: string
  hint: string | null
}): string => (hint === null ? showName(message) : `${showName(message)}\n  → ${showName(hint)}`)

export const exitCodeOfAnswer = (failure: FailureAnswer): ExitCode =>
  exitCodeOfFailure({ code: failure.code as MirrorError['code'], remedy: failure.remedy as Remedy })
