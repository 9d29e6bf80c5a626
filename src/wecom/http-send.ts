// Answers for sending exactly the announced bytes, at the pace of the line. Never chunked: 公众号 servers answer 412 to it.
import type { ClientRequest } from 'node:http'

export interface RequestBody {
  readonly sizeBytes: number
  /** Opens the content anew; stops reading when told to. Throws what the caller is to see when it cannot go on. */
  chunks(stop: AbortSignal): AsyncIterable<Buffer>
}

/** Resolves when all is handed over or nobody wants the rest any more; rejects when the content itself fails. */
export async function sendBody(
  outgoing: ClientRequest,
  body: RequestBody | undefined,
  on: {
    readonly stop: AbortSignal
    readonly onMoved: () => void
    /** Whether the content is waited for, and not the line. */
    readonly onContent: (isAwaited: boolean) => void
  },
): Promise<void> {
  try {
    on.onContent(true)
    for await (const chunk of body?.chunks(on.stop) ?? []) {
      on.onContent(false)
      if (on.stop.aborted) return
      const isRoomLeft = outgoing.write(chunk, on.onMoved)
      if (!isRoomLeft) await waitForRoom(outgoing, on.stop)
      on.onContent(true)
    }
    on.onContent(false)
    if (!on.stop.aborted) outgoing.end()
  } catch (error) {
    // The content was cut off because nobody wants it any more: that is not its failure.
    if (!on.stop.aborted) throw error
  }
}

/** Waits for `drain`, or for the end of the whole exchange. */
function waitForRoom(outgoing: ClientRequest, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done)
      stop.removeEventListener('abort', done)
      resolve()
    }
    outgoing.on('drain', done)
    stop.addEventListener('abort', done, { once: true })
    if (stop.aborted) done()
  })
}
