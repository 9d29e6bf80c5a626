// A word with the inspector of another process, which was started with `--inspect=127.0.0.1:0`: its port is free
// to choose, so it is looked for among those that the process listens on.
import { readdir, readFile, readlink } from 'node:fs/promises'
import type { Post } from './census.ts'

interface Reply {
  readonly id: number
  readonly result?: never
  readonly error?: { readonly message: string }
}

/** Connects to the inspector of the process with this pid. Nobody ends in peace before `disconnect`: Node waits for its debugger. */
export async function connectInspector(pid: number): Promise<{ post: Post; disconnect(): void }> {
  const socket = new WebSocket(await findUrl(pid))
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', reject, { once: true })
  })
  const waiting = new Map<number, PromiseWithResolvers<never>>()
  let lastId = 0
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error }: Reply = JSON.parse(String(data))
    const asked = waiting.get(id)
    waiting.delete(id)
    if (error) asked?.reject(new Error(error.message))
    else asked?.resolve(result as never)
  })
  return {
    post(method, params = {}) {
      const id = ++lastId
      const asked = Promise.withResolvers<never>()
      waiting.set(id, asked)
      socket.send(JSON.stringify({ id, method, params }))
      return asked.promise
    },
    disconnect: () => socket.close(),
  }
}

async function findUrl(pid: number): Promise<string> {
  for (const port of await listeningPorts(pid)) {
    const targets = await fetch(`http://127.0.0.1:${port}/json/list`).then((answer) =>
      answer.json(),
    )
    const [target] = targets as { webSocketDebuggerUrl: string }[]
    if (target) return target.webSocketDebuggerUrl
  }
  throw new Error(`no inspector listens in ${pid}`)
}

/** The TCP ports on which the process listens: sockets it holds, in the state LISTEN (0A). */
async function listeningPorts(pid: number): Promise<number[]> {
  const names = await readdir(`/proc/${pid}/fd`)
  const held = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`)))
  const rows = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).split('\n').slice(1)
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(
      ([, , , state, , , , , , inode]) => state === '0A' && held.includes(`socket:[${inode}]`),
    )
    .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16))
}
