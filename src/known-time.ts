// Answers for what is known of the service's clock from one run of the program to the next, and to commands that only read the
// state: one small file beside the manifest. It is a hint: without it, or with nonsense in it, this machine's clock is believed.
import { join } from 'node:path'
import { z } from 'zod'
import type { Events } from './support/events.ts'
import { createHintWriter, readHint } from './support/hint-file.ts'
import type { KnownServiceTime, ServiceClock } from './wecom/service-clock.ts'

const FILE = 'clock.json'
/** Jitter below this is not worth a write. */
const WORTH_KNOWING_MS = 5_000
/** How old the moment in it may be: as far as a clock that is set back while nothing runs can mislead the next run. */
const WRITTEN_EVERY_MS = 60 * 60_000

const KnownTime = z.object({ skew_ms: z.number(), at: z.iso.datetime() })

/** Undefined when nothing is known. */
export async function readKnownTime(directory: string): Promise<KnownServiceTime | undefined> {
  const found = await readHint(join(directory, FILE), KnownTime)
  return found && { skewMs: found.skew_ms, atMs: Date.parse(found.at) }
}

/** Keeps the file true from now on; returns the way to stop, which writes it a last time. */
export function keepKnownTime(deps: {
  directory: string
  serviceClock: Pick<ServiceClock, 'known'>
  /** Whenever anything happens the service may have told its time. */
  events: Events
  onBug: (error: unknown) => void
}): () => Promise<void> {
  const { serviceClock, events } = deps
  const writeHint = createHintWriter<z.infer<typeof KnownTime>>({
    path: join(deps.directory, FILE),
    isFlushed: true,
    emit: events.emit,
  })
  let written: KnownServiceTime | undefined
  let writing: Promise<void> | undefined

  async function write(known: KnownServiceTime) {
    await writeHint({ skew_ms: known.skewMs, at: new Date(known.atMs).toISOString() })
    // Where that failed too: it is not tried again before it is due again.
    written = known
  }

  function look() {
    const known = serviceClock.known()
    if (writing || !known || !isNews(known, written)) return
    writing = write(known)
      .catch(deps.onBug)
      .finally(() => {
        writing = undefined
      })
  }

  const unsubscribe = events.subscribe(look)
  return async () => {
    unsubscribe()
    await writing
    const known = serviceClock.known()
    if (known) await write(known)
  }
}

const isNews = (known: KnownServiceTime, written: KnownServiceTime | undefined): boolean =>
  !written ||
  Math.abs(known.skewMs - written.skewMs) > WORTH_KNOWING_MS ||
  known.atMs - written.atMs > WRITTEN_EVERY_MS
