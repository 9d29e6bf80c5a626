// Answers for taking a place to listen on, a port or a socket, and for saying in words why it cannot be had.
import { chmod, lstat, rm } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { ConfigError, isSystemError } from '../errors.ts'

export type ListenPlace =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }

/** Rejects with a `ConfigError` where it cannot be; `shownAs` is the place as the configuration has it. */
export const listenAt = (server: Server, place: ListenPlace, shownAs: string): Promise<void> =>
  listen(server, place).catch((error: unknown) => {
    throw explain(error, shownAs)
  })

/** A socket's file that a killed process left is removed; one that somebody listens on is not. */
async function listen(server: Server, place: ListenPlace): Promise<void> {
  const tryOnce = () =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(place, () => {
        server.off('error', reject)
        resolve()
      })
    })
  if (!('path' in place)) return tryOnce()
  try {
    await tryOnce()
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' || !(await isAbandoned(place.path))) throw error
    await rm(place.path)
    await tryOnce()
  }
  // Whoever reaches the directory may connect, as to a port: the proxy is another user, and messages speak for themselves.
  await chmod(place.path, 0o666)
}

/** A file of another kind may be anything, and is somebody's. */
async function isAbandoned(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error) => resolve(codeOf(error) === 'ECONNREFUSED'))
  })
}

/** With the port that was given where any would do. */
export function addressOf(server: Server, shownAs: string): string {
  const address = server.address()
  if (address === null || typeof address === 'string') return shownAs
  return shownAs.replace(/:0$/, `:${address.port}`)
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already',
  EADDRNOTAVAIL: 'this machine has no such address',
  // Of a socket, the system says the same when its directory is missing.
  EACCES: 'it may not be made there, or the directory is missing',
  ENOTFOUND: 'no such host is known',
}

function explain(error: unknown, shownAs: string): unknown {
  if (!isSystemError(error)) return error
  const message = `cannot listen on \`${shownAs}\` for messages: ${WHY[error.code ?? ''] ?? error.message}`
  return new ConfigError(message, [{ key: 'callback.listen', message }], {
    hint: 'Change `callback.listen`, or end what has its place.',
    cause: error,
  })
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code
