// Answers for where the daemon listens: a Unix socket in the state directory, however long the directory's name is.
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

const SOCKET_NAME = 'daemon.sock'
/** sun_path holds 108 bytes with the closing zero on Linux, 104 elsewhere. */
const MAX_SOCKET_PATH_BYTES = 103

export interface SocketPath {
  /** What to listen on or connect to. */
  readonly path: string
  /** The socket's true place, for people and for removing it. */
  readonly file: string
  release(): Promise<void>
}

/** A directory too deep for a socket's address is reached through an open handle of it (Linux). */
export async function openSocketPath(stateDirectory: string): Promise<SocketPath> {
  const file = join(stateDirectory, SOCKET_NAME)
  if (Buffer.byteLength(file) <= MAX_SOCKET_PATH_BYTES)
    return { path: file, file, release: () => Promise.resolve() }
  const directory: FileHandle = await open(stateDirectory, 'r')
  return {
    path: `/proc/self/fd/${directory.fd}/${SOCKET_NAME}`,
    file,
    release: () => directory.close(),
  }
}
