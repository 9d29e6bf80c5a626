// Answers for the stream that a log goes to: it may be closed, on a full disk, or read by nobody, and the program goes on. What
// cannot be written is dropped and counted; that it is so is told once, and how much was lost when it works again.
import { Writable } from 'node:stream'
import type { Emit } from './events.ts'

/** So much may wait for a reader that does not read. */
const MAX_WAITING_BYTES = 2 ** 20

type Output = NodeJS.WritableStream & { readonly writableLength?: number }

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on the disk that the log goes to',
  EPIPE: 'nobody reads the log any more; start the program again with one that does',
}

/** A stream that never fails, in front of one that may. */
export function createLogOutput({
  stream,
  emit,
}: {
  readonly stream: Output
  readonly emit: Emit
}): Writable {
  let isFailing = false
  let lostLines = 0
  const waitingBytes = () => stream.writableLength ?? 0

  function lose(why: string, hint = 'see to where the log goes') {
    lostLines++
    if (isFailing) return
    isFailing = true
    emit({ kind: 'log-failed', message: `cannot write the log: ${why}`, hint })
  }

  function succeed() {
    // A reader that takes a line now and then is not back.
    if (!isFailing || waitingBytes() > MAX_WAITING_BYTES / 2) return
    isFailing = false
    const lines = lostLines
    lostLines = 0
    emit({ kind: 'log-recovered', lines })
  }

  return new Writable({
    decodeStrings: false,
    write(line: string, _, done) {
      if (waitingBytes() > MAX_WAITING_BYTES) lose('nobody reads it')
      else
        stream.write(line, (error?: NodeJS.ErrnoException | null) => {
          if (error) lose(error.code ?? error.message, HINTS[error.code ?? ''])
          else succeed()
        })
      done()
    },
  })
}
