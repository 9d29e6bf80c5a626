// Answers for getting an answer onto the wire, whole or damaged as a fault demands.
import type { ServerResponse } from 'node:http'
import type { Fault } from './faults.ts'
import type { Wire } from './reply.ts'

/** How an answer is sent: what is announced, how much of it comes, and what happens then. */
export interface Delivery {
  readonly wire: Wire
  readonly announcedBytes: number
  readonly sentBytes: number
  /** After so many bytes there is silence, for so long or for ever. */
  readonly pause?: { readonly afterBytes: number; readonly forMs: number | undefined }
  readonly ending: 'complete' | 'hang-up' | 'reset'
}

const JSON_HALF = Buffer.from('{"errcode":0,"errm')

/** What the fault makes of an answer; without one, or one that was done with earlier, the answer as it is. */
export function planDelivery(wire: Wire, fault: Fault | undefined): Delivery {
  const size = wire.sizeBytes
  const half = Math.floor(size / 2)
  const whole = { wire, announcedBytes: size, sentBytes: size, ending: 'complete' } as const
  switch (fault?.kind) {
    case 'half-json':
      return planOther(wire, Buffer.isBuffer(wire.body) ? wire.body.subarray(0, half) : JSON_HALF)
    case 'empty':
      return planOther(wire, Buffer.alloc(0))
    case 'wrong-length': {
      if (fault.byBytes > 0) {
        return { ...whole, announcedBytes: size + fault.byBytes, ending: 'hang-up' }
      }
      const left = Math.max(0, size + fault.byBytes)
      return { ...whole, announcedBytes: left, sentBytes: left }
    }
    case 'reset':
      return { ...whole, sentBytes: half, ending: 'reset' }
    case 'stall':
      return fault.at === 'start'
        ? whole
        : { ...whole, pause: { afterBytes: half, forMs: fault.forMs } }
    default:
      return whole
  }
}

/** The same answer with another body; one read from a file is let go of. */
function planOther(wire: Wire, body: Buffer): Delivery {
  releaseBody(wire)
  const headers =
    body === JSON_HALF ? { 'Content-Type': 'application/json; charset=UTF-8' } : wire.headers
  const other = { ...wire, headers, body, sizeBytes: body.length }
  return {
    wire: other,
    announcedBytes: body.length,
    sentBytes: body.length,
    ending: 'complete',
  }
}

/** Rejects once nobody listens any more; for racing against. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  // Whoever races against it hears of it; nobody else has to.
  aborted.catch(() => undefined)
  return aborted
}

/** For an answer that will not be sent after all. */
export function releaseBody(wire: { readonly body: Wire['body'] }): void {
  if (!Buffer.isBuffer(wire.body)) wire.body.destroy()
}

/** Sends it; resolves when everything is handed to the network, rejects when the signal says that nobody listens. */
export async function deliver(
  response: ServerResponse,
  delivery: Delivery,
  deps: { date: string; pause(forMs: number | undefined): Promise<void>; signal: AbortSignal },
): Promise<void> {
  const { wire, announcedBytes, sentBytes, pause, ending } = delivery
  // The simulator has a clock of its own, and tells its time.
  response.sendDate = false
  response.writeHead(wire.status, {
    Date: deps.date,
    ...wire.headers,
    'Content-Length': announcedBytes,
  })
  const gone = untilAborted(deps.signal)
  let sent = 0
  for await (const piece of piecesOf(wire.body, sentBytes, pause?.afterBytes)) {
    if (sent === pause?.afterBytes) await deps.pause(pause.forMs)
    // The head leaves with the first piece: flushed by itself, Node would encode it as UTF-8, and names in it twice.
    await Promise.race([written(response, piece), gone])
    sent += piece.length
  }
  if (ending === 'complete') response.end()
  else if (ending === 'reset') response.socket?.resetAndDestroy()
  else response.socket?.destroySoon()
}

/** Resolves when the bytes have left the program: what is broken off afterwards does not take them along. */
const written = (response: ServerResponse, piece: Buffer) =>
  new Promise<void>((resolve) => void response.write(piece, () => resolve()))

/** The body up to `limit`, cut so that one piece ends at `cutAt`. */
async function* piecesOf(body: Wire['body'], limit: number, cutAt = limit): AsyncGenerator<Buffer> {
  let passed = 0
  for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
    const piece: Buffer = chunk.subarray(0, limit - passed)
    const cut = Math.min(Math.max(0, cutAt - passed), piece.length)
    if (cut > 0) yield piece.subarray(0, cut)
    if (cut < piece.length) yield piece.subarray(cut)
    passed += piece.length
    if (passed >= limit) return
  }
}
