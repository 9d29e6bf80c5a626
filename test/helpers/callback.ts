// People who send media to the app of a real program: its settings, their messages, and what became of each.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { MessageOptions, SentMessage } from '../../src/simulator/messages.ts'
import type { Site } from './program.ts'
import { aPng } from './samples.ts'
import type { RunningSimulator } from './with-simulator.ts'

/** Both are told apart from everything else that could be written somewhere. */
export const TOKEN = 'CANARYtoken0123456789'
export const AES_KEY = 'CANARYkey0123456789CANARYkey0123456789ABCDA'
const PATH = '/wecom/callback'
/** So many people send at the same time. */
const SENDERS = 20
/** Nothing takes this long, also on a machine that does much else. */
const PATIENCE_MS = 90_000

export interface Receiver {
  readonly url: string
  readonly settings: Record<string, unknown>
  /** What a sender must know. */
  readonly secrets: Pick<MessageOptions, 'url' | 'token' | 'encodingAesKey' | 'corpId'>
}

/** A receiver on a port that nobody has, so that a program finds it again after its death. */
export async function aReceiver(): Promise<Receiver> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}${PATH}`
  return {
    url,
    settings: {
      callback: { listen: `127.0.0.1:${port}`, token: TOKEN, encodingAesKey: AES_KEY },
    },
    secrets: { url, token: TOKEN, encodingAesKey: AES_KEY, corpId: 'ww-test' },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export interface Sent extends SentMessage {
  readonly sha256: string
}

/** So many pictures, no two of them alike, all called the same. */
export async function sendPictures(
  controls: RunningSimulator['controls'],
  { secrets }: Receiver,
  { count, firstNumber = 0, pauseMs }: { count: number; firstNumber?: number; pauseMs: number },
): Promise<Sent[]> {
  const sent: Sent[] = []
  let next = firstNumber
  async function send() {
    while (next < firstNumber + count) {
      const number = next++
      const content = aPng(200 + number)
      const message = await controls.sendMessage({
        ...secrets,
        from: `person${number % 7}`,
        content: content.toString('base64'),
        form: number % 3 === 0 ? 'json' : 'xml',
        pauseMs,
      })
      sent.push({ ...message, sha256: createHash('sha256').update(content).digest('hex') })
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, send))
  return sent
}

/** Waits until each of these has landed, and answers with how often each fingerprint is in the folder. */
export async function landedCounts(
  { folder }: Site,
  wanted: readonly Sent[],
): Promise<ReadonlyMap<string, number>> {
  const known = new Map<string, string>()
  for (const deadline = performance.now() + PATIENCE_MS; ; ) {
    const counts = await countFiles(folder, known)
    if (wanted.every(({ sha256 }) => counts.has(sha256))) return counts
    if (performance.now() > deadline)
      throw new Error(`of ${wanted.length} media ${counts.size} have landed, and no more come`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function countFiles(folder: string, known: Map<string, string>) {
  const counts = new Map<string, number>()
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const one of found) {
    // A temporary file has not landed.
    if (!one.isFile() || one.name.startsWith('.')) continue
    const path = join(one.parentPath, one.name)
    const sha256 =
      known.get(path) ??
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex')
    known.set(path, sha256)
    counts.set(sha256, (counts.get(sha256) ?? 0) + 1)
  }
  return counts
}
