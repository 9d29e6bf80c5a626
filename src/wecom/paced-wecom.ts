// Wraps the port: what media are made of goes no faster than the bandwidth allows, up and down together. Meters contents;
// what HTTP adds to them is a few hundred bytes a call, and is not counted.
import { pipeline, Readable, Transform } from 'node:stream'
import type { Bandwidth } from './bandwidth.ts'
import type { UploadRequest, Wecom } from './wecom.ts'

export function createPacedWecom(deps: {
  readonly wecom: Wecom
  readonly bandwidth: Bandwidth
}): Wecom {
  const { wecom, bandwidth } = deps
  return Object.freeze({
    upload: (request, signal) =>
      wecom.upload(
        { ...request, content: () => pace(openContent(request, bandwidth), bandwidth, signal) },
        signal,
      ),
    async download(request, signal) {
      const download = await wecom.download(request, signal)
      return { ...download, body: pace(download.body, bandwidth, signal) }
    },
  } satisfies Wecom)
}

const openContent = ({ content }: UploadRequest, { sliceBytes }: Bandwidth): Readable =>
  Buffer.isBuffer(content)
    ? Readable.from(slicesOf(content, sliceBytes), { objectMode: false })
    : content()

function* slicesOf(bytes: Buffer, sliceBytes: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += sliceBytes) {
    yield bytes.subarray(start, start + sliceBytes)
  }
}

/** One reason for all: left to itself, each abort would record a stack. */
const GONE = new Error('nobody reads this any more')

/** The same stream, held back. It ends with the signal, and dropping it drops what it reads from. */
function pace(source: Readable, bandwidth: Bandwidth, signal: AbortSignal): Readable {
  const leaving = new AbortController()
  const passOn = async (chunk: Buffer) => {
    for (const slice of slicesOf(chunk, bandwidth.sliceBytes)) {
      await bandwidth.take(slice.length, leaving.signal)
      paced.push(slice)
    }
  }
  const paced = new Transform({
    transform: (chunk, _encoding, done) => void passOn(chunk).then(() => done(), done),
    destroy(error, done) {
      signal.removeEventListener('abort', onAbort)
      leaving.abort(GONE)
      done(error)
    },
  })
  // What has arrived already is beyond the reach of whoever ends the exchange: a slow rest would outlive it for minutes.
  const onAbort = () => paced.destroy(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  // A failure reaches whoever reads `paced`; here nobody is left to tell.
  return pipeline(source, paced, () => undefined)
}
