// Answers for ids that come on standard input: one a line, blank lines and comments skipped. What an id is, is not decided here.
import { addAbortSignal, type Readable } from 'node:stream'
import { CommandFailed } from './command-failed.ts'
import { EXIT } from './exit-code.ts'

/** No id comes near; a longer line is a mistake, such as a file of another kind. */
export const MOST_CHARACTERS = 1024

/** The ids, in their order. Rejects with `CommandFailed` for more than `most` of them, or a line that is too long. */
export async function readIdLines(
  stream: Readable,
  most: number,
  signal: AbortSignal,
): Promise<string[]> {
  const ids: string[] = []
  let lineNumber = 0
  for await (const line of linesOf(stream, signal)) {
    lineNumber++
    if (line.length > MOST_CHARACTERS)
      throw wrong(`line ${lineNumber} of the ids is longer than ${MOST_CHARACTERS} characters`)
    const id = line.trim()
    if (id === '' || id.startsWith('#')) continue
    if (ids.push(id) > most) throw tooMany(most)
  }
  return ids
}

export const tooMany = (most: number): CommandFailed =>
  wrong(`cannot pull more than ${most} media at once`, 'Pull them in several goes.')

const wrong = (message: string, hint?: string) =>
  new CommandFailed(message, { exitCode: EXIT.wrongUsage, ...(hint !== undefined && { hint }) })

/** A line that does not end is given up as soon as it is too long. */
async function* linesOf(stream: Readable, signal: AbortSignal): AsyncGenerator<string> {
  let rest = ''
  try {
    for await (const text of addAbortSignal(signal, stream.setEncoding('utf8'))) {
      const lines = `${rest}${text}`.split('\n')
      rest = lines.pop() ?? ''
      yield* lines
      if (rest.length > MOST_CHARACTERS) break
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
  if (rest !== '') yield rest
}
