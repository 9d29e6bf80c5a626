// The desk of a daemon in another process, over the Unix socket in its state directory.
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Desk, MirrorAnswer, Progress } from '../serve/desk.ts'
import { openSocketPath } from '../serve/socket-path.ts'

/** A daemon that does not answer this soon is taken for hanging, and said to be. */
const ANSWER_WITHIN_MS = 10_000

/** Undefined when no daemon listens there. */
export async function connectDesk(stateDirectory: string): Promise<Desk | undefined> {
  const call = (method: string, path: string, options: CallOptions = {}) =>
    callDaemon(stateDirectory, method, path, options)
  try {
    await (await call('GET', '/healthz', { answerWithinMs: ANSWER_WITHIN_MS })).resume()
  } catch (error) {
    if (isNobodyThere(error)) return undefined
    throw error
  }
  // The answers were made by this same program: their form is the port's, and a version ahead only adds to it.
  const ask = async <Answer>(
    method: string,
    path: string,
    options?: CallOptions,
  ): Promise<Answer> => JSON.parse(await readText(await call(method, path, options)))

  return {
    status: () => ask('GET', '/v1/status'),
    list: (glob) =>
      ask('GET', glob === undefined ? '/v1/media' : `/v1/media?glob=${encodeURIComponent(glob)}`),
    lookUp: (path) => ask('GET', `/v1/media/${encodeURIComponent(path)}`),
    plan: () => ask('GET', '/v1/plan'),
    mirror: async (onProgress, signal) =>
      readOutcome(await call('POST', '/v1/passes', { signal }), onProgress),
    pull: (mediaId, path, signal) =>
      ask('POST', '/v1/references', {
        body: { media_id: mediaId, ...(path !== undefined && { path }) },
        signal,
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
      asking.once('timeout', () => asking.destroy(new Error('the daemon does not answer')))
      asking.end(body === undefined ? undefined : JSON.stringify(body))
    })
  } finally {
    await socket.release()
  }
}

const isNobodyThere = (error: unknown): boolean =>
  ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const part of response) text += part
  if (response.statusCode === 200 || response.statusCode === 404 || response.statusCode === 409)
    return text
  throw new Error(`the daemon answered ${response.statusCode}: ${text}`)
}

async function readOutcome(
  response: IncomingMessage,
  onProgress: (progress: Progress) => void,
): Promise<MirrorAnswer> {
  response.setEncoding('utf8')
  let rest = ''
  for await (const part of response) {
    const lines = `${rest}${part}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { progress, outcome } = JSON.parse(line) as {
        progress?: Progress
        outcome?: MirrorAnswer
      }
      if (progress) onProgress(progress)
      if (outcome) return outcome
    }
  }
  throw new Error('the daemon ended before the pass did')
}
