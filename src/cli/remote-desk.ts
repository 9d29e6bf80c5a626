// The desk of a daemon in another process, over the Unix socket in its state directory.
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { ConfigError } from '../errors.ts'
import type { Desk, FailureAnswer, MirrorAnswer, Progress, PullTold } from '../serve/desk.ts'
import { openSocketPath } from '../serve/socket-path.ts'
import { CommandFailed } from './command-failed.ts'
import { EXIT } from './exit-code.ts'
import { exitCodeOfAnswer } from './failure.ts'

/** A daemon that does not answer this soon is taken for hanging, and said to be. */
const ANSWER_WITHIN_MS = 10_000

/** There is a daemon, and no answer from it: it hangs, or ended in the middle. Who only looks may look at the state instead. */
export class DaemonSilent extends CommandFailed {
  constructor(message: string, cause?: unknown) {
    super(message, {
      exitCode: EXIT.unreachable,
      hint: 'See how it is (`systemctl status`, its log), and start it again if need be.',
      cause,
    })
  }
}

/** Undefined when no daemon listens there. Rejects with `ConfigError` when it is not for this user. */
export async function connectDesk(
  stateDirectory: string,
  answerWithinMs = ANSWER_WITHIN_MS,
): Promise<Desk | undefined> {
  const call = (method: string, path: string, options: CallOptions = {}) =>
    callDaemon(stateDirectory, method, path, options)
  try {
    ;(await call('GET', '/healthz', { answerWithinMs })).resume()
  } catch (error) {
    if (isNobodyThere(error)) return undefined
    if (isClosedToUs(error)) throw closedToUs(stateDirectory, error)
    throw silenceOf(error)
  }
  // The answers were made by this same program: their form is the port's, and a version ahead only adds to it.
  const ask = <Answer>(method: string, path: string, options?: CallOptions): Promise<Answer> =>
    hear(
      options?.signal,
      async () => (await readAnswer(await call(method, path, options))) as Answer,
    )

  return {
    status: () => ask('GET', '/v1/status'),
    list: (glob) =>
      ask('GET', glob === undefined ? '/v1/media' : `/v1/media?glob=${encodeURIComponent(glob)}`),
    references: () => ask('GET', '/v1/references'),
    lookUp: (path) => ask('GET', `/v1/media/${encodeURIComponent(path)}`),
    plan: () => ask('GET', '/v1/plan'),
    mirror: (onProgress, signal, options) =>
      hear(signal, async () => {
        const body = { restore_vanished: options?.restoreVanished === true }
        const response = await call('POST', '/v1/passes', { body, signal })
        return readOutcome<MirrorAnswer, { progress: Progress }>(response, ({ progress }) =>
          onProgress(progress),
        )
      }),
    pull: ({ mediaIds, to, isHd }, tell, signal) =>
      hear(signal, async () => {
        const body = { media_ids: mediaIds, hd: isHd, ...(to !== undefined && { path: to }) }
        const response = await call('POST', '/v1/references', { body, signal })
        await readOutcome<object, PullTold>(response, tell)
      }),
    forget: (paths, { deleteFile, vanished }) =>
      ask('POST', '/v1/forget', { body: { paths, delete_file: deleteFile, vanished } }),
  }
}

interface CallOptions {
  body?: unknown
  signal?: AbortSignal
  answerWithinMs?: number
}

async function callDaemon(
  stateDirectory: string,
  method: string,
  path: string,
  { body, signal, answerWithinMs }: CallOptions,
): Promise<IncomingMessage> {
  const socket = await openSocketPath(stateDirectory)
  try {
    return await new Promise((resolve, reject) => {
      const asking: ClientRequest = request({
        socketPath: socket.path,
        method,
        path,
        agent: false,
        ...(signal && { signal }),
        ...(answerWithinMs !== undefined && { timeout: answerWithinMs }),
      })
      asking.once('response', resolve).once('error', reject)
      asking.once('timeout', () => asking.destroy(new DaemonSilent('the daemon does not answer')))
      asking.end(body === undefined ? undefined : JSON.stringify(body))
    })
  } finally {
    await socket.release()
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

const isNobodyThere = (error: unknown): boolean =>
  ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(codeOf(error))

const isClosedToUs = (error: unknown): boolean => ['EACCES', 'EPERM'].includes(codeOf(error))

const closedToUs = (stateDirectory: string, cause: unknown) =>
  new ConfigError(`cannot reach the daemon of \`${stateDirectory}\`: permission denied`, [], {
    hint: 'Run this as the user that runs the daemon, or with sudo.',
    cause,
  })

/** A connection that breaks while the daemon is to answer is the daemon's silence, unless the caller broke it off. */
async function hear<Answer>(
  signal: AbortSignal | undefined,
  listen: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await listen()
  } catch (error) {
    signal?.throwIfAborted()
    throw silenceOf(error)
  }
}

const silenceOf = (error: unknown): unknown =>
  isNobodyThere(error) || ['ECONNRESET', 'EPIPE'].includes(codeOf(error))
    ? new DaemonSilent('the daemon ended before it had answered', error)
    : error

async function readAnswer(response: IncomingMessage): Promise<unknown> {
  response.setEncoding('utf8')
  let text = ''
  for await (const part of response) text += part
  const answer: unknown = JSON.parse(text)
  throwIfFailed(answer, response.statusCode)
  return answer
}

/** An answer of many lines: what is told on the way, and the outcome at its end. */
async function readOutcome<Outcome, Told extends object>(
  response: IncomingMessage,
  onTold: (told: Told) => void,
): Promise<Outcome> {
  if (response.statusCode !== 200) await readAnswer(response)
  response.setEncoding('utf8')
  let rest = ''
  for await (const part of response) {
    const lines = `${rest}${part}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const told = JSON.parse(line) as Told | { outcome: Outcome }
      throwIfFailed(told, 503)
      if ('outcome' in told) return told.outcome
      onTold(told)
    }
  }
  throw new DaemonSilent('the daemon ended before it had answered')
}

/** A failure in the daemon is one here: the same words, the same exit code. */
function throwIfFailed(answer: unknown, status: number | undefined): void {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return
  const error = answer.error as FailureAnswer
  if (status === 503)
    throw new CommandFailed(error.message, { exitCode: exitCodeOfAnswer(error), hint: error.hint })
  if (status === 400) throw new CommandFailed(error.message, { exitCode: EXIT.wrongUsage })
  throw new CommandFailed(`the daemon answered ${status}: ${error.message}`, {
    exitCode: EXIT.config,
    hint: 'It may be of another version than this command: restart it.',
  })
}
