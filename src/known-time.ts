// Answers for what is known of the service's clock from one run of the program to the next, and to commands that only read the
// state: one small file beside the manifest. It is a hint: without it, or with nonsense in it, this machine's clock is believed.
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isSystemError } from './serve/answers.ts'
import type { Events } from './support/events.ts'
import type { KnownServiceTime, ServiceClock } from './wecom/service-clock.ts'

const FILE = 'clock.json'
/** Jitter below this is not worth a write. */
const WORTH_KNOWING_MS = 5_000
/** How old the moment in it may be: as far as a clock that is set back while nothing runs can mislead the next run. */
const WRITTEN_EVERY_MS = 60 * 60_000

const KnownTime = z.object({ skew_ms: z.number(), at: z.iso.datetime() })

/** Undefined when nothing is known. */
export async function readKnownTime(directory: string): Promise<KnownServiceTime | undefined> {
  let text: string
  try {
    text = await readFile(join(directory, FILE), 'utf8')
  } catch (error) {
    if (isSystemError(error)) return undefined
    throw error
  }
  const found = KnownTime.safeParse(parseJson(text))
  return found.success ? { skewMs: found.data.skew_ms, atMs: Date.parse(found.data.at) } : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
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
  let written: KnownServiceTime | undefined
  let writing: Promise<void> | undefined
  let isFailing = false

  async function write(known: KnownServiceTime) {
    try {
      await replace(join(deps.directory, FILE), known)
      written = known
      isFailing = false
    } catch (error) {
      if (!isSystemError(error)) throw error
      // Not tried again before it is due again, and told once.
      written = known
      if (!isFailing)
        events.emit({
          kind: 'warned',
          message: `cannot write \`${FILE}\`: ${error.message}`,
          hint: 'See to the space and the permissions of the state directory.',
        })
      isFailing = true
    }
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

/** A reader finds the one before or this one, whole. */
async function replace(path: string, { skewMs, atMs }: KnownServiceTime): Promise<void> {
  const known: z.infer<typeof KnownTime> = { skew_ms: skewMs, at: new Date(atMs).toISOString() }
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(known)}\n`)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
