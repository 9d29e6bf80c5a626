// Answers for the body of an answer: that it is never held whole, that its failures are ours, and that dropping it frees
// the connection.
import type { IncomingMessage } from 'node:http'
import { Transform } from 'node:stream'

/** The body as it arrives. Node itself fails it when it ends before its `Content-Length`; here that gets its name. */
export function receiveBody(
  incoming: IncomingMessage,
  on: { readonly onMoved: () => void; readonly toError: (error: unknown) => Error },
): Transform {
  const body = new Transform({
    transform(chunk, _encoding, done) {
      on.onMoved()
      done(null, chunk)
    },
    // An upload that was answered early leaves a connection on which nothing more can be said.
    destroy(error, done) {
      if (!incoming.complete) incoming.destroy()
      done(error)
    },
  })
  // Whoever waits for the body hears of it; if nobody listens yet, the failure is not to crash the program.
  body.on('error', () => undefined)
  incoming.on('error', (error) => body.destroy(on.toError(error)))
  incoming.pipe(body)
  return body
}
