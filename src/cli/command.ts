// Answers for what a command is and what it is given: the world as values, so that nothing below main.ts touches the process.
import type { Readable } from 'node:stream'
import type { Clock } from '../support/clock.ts'
import type { ExitCode } from './exit-code.ts'

export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly pid: number
  readonly stdin: Readable
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly stdoutIsTerminal: boolean
  readonly stderrIsTerminal: boolean
  readonly clock: Clock
  readonly random: () => number
  /** Aborted by the first SIGINT or SIGTERM; a second one ends the process at once. */
  readonly signal: AbortSignal
  /** SIGHUP. Returns the way to stop listening. */
  onReload(listener: () => void): () => void
  /** From now on a stdout that fails does not end the process: for whoever writes a log there, and drops what does not go out. */
  outliveStdout(): void
  /** -c FILE */
  readonly configFile: string | undefined
  /** --json */
  readonly json: boolean
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** As commander reads them: `PATH...` in angle or square brackets, with a sentence each. */
  readonly arguments?: readonly (readonly [syntax: string, description: string])[]
  readonly options?: readonly (readonly [
    flags: string,
    description: string,
    defaultValue?: string,
  ])[]
  run(context: Context, args: Arguments): Promise<ExitCode>
}

export interface Arguments {
  readonly positional: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
}

/** One line, or a block of them, on stdout. */
export const print = (context: Context, text: string): void =>
  void context.stdout.write(`${text}\n`)

/** The machine's form of an answer: one JSON document. */
export const printJson = (context: Context, value: unknown): void =>
  print(context, JSON.stringify(value, null, 2))

/** For a person, on stderr, out of the way of answers. */
export const tell = (context: Context, text: string): void => void context.stderr.write(`${text}\n`)
