// Answers for one full pass from beginning to end, as `sync` wants it: looks at everything, waits for the transfers, and sums up.
// The daemon itself never waits like this.
import { ConfigError, type MirrorError } from './errors.ts'
import type { ManifestReader } from './manifest/manifest.ts'
import type { MediaPath } from './media/media.ts'
import type { Passes } from './pass.ts'
import { failureAnswer } from './serve/answers.ts'
import type { MirrorAnswer, MirrorOptions, Progress } from './serve/desk.ts'
import type { Clock } from './support/clock.ts'
import type { Events, MirrorEvent } from './support/events.ts'
import type { TransferQueue } from './transfer/transfer-queue.ts'

/** A pass may bring new work to light (a rename seen whole, a file changed meanwhile); after so many it is left to the next. */
const MAX_ROUNDS = 20
/** A file that is still being written is waited for this long at most. */
const MAX_SETTLING_MS = 60_000

export interface FullPassDeps {
  folder: {
    scan(because: string): Promise<void>
    isBelieved(): boolean
    /** When the next file that is still being written may have settled; undefined when none is. */
    nextSettleAtMs(): number | undefined
    /** Looks again at what may have settled by now. */
    lookAgain(): Promise<void>
  }
  passes: Pick<Passes, 'request' | 'planned' | 'doubt' | 'findMissing' | 'takeWord'>
  queue: Pick<TransferQueue, 'idle' | 'load'>
  circuit: {
    state(): { kind: 'closed' | 'open' | 'half-open'; error?: MirrorError }
    onChange(listener: () => void): () => void
  }
  manifest: ManifestReader
  events: Pick<Events, 'subscribe'>
  clock: Clock
}

export async function runFullPass(
  deps: FullPassDeps,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  options?: MirrorOptions,
): Promise<MirrorAnswer> {
  const tally = createTally(deps, onProgress)
  const unsubscribe = [deps.events.subscribe(tally.listen), deps.circuit.onChange(tally.seeCircuit)]
  try {
    await deps.folder.scan('asked for')
    // In a folder that is not believed nothing is known to be missing.
    if (options?.restoreVanished && deps.folder.isBelieved())
      deps.passes.takeWord(await deps.passes.findMissing())
    const giveUpAtMs = deps.clock.nowMs() + MAX_SETTLING_MS
    for (let round = 0; round < MAX_ROUNDS && !tally.stoppedBy(); round++) {
      const before = tally.endedCount()
      deps.passes.request({
        because: 'asked for',
        all: true,
        due: true,
        missing: true,
        again: round === 0,
        asked: true,
      })
      await deps.passes.planned()
      await raceAbort(Promise.race([deps.queue.idle(), tally.stopped]), signal)
      const settleAtMs = deps.folder.nextSettleAtMs()
      const waits =
        settleAtMs !== undefined && Math.max(settleAtMs, deps.clock.nowMs()) < giveUpAtMs
      if (waits) {
        await deps.clock.sleep(settleAtMs - deps.clock.nowMs(), signal)
        await deps.folder.lookAgain()
        round--
      } else if (tally.endedCount() === before) break
    }
    return tally.sumUp()
  } finally {
    for (const stop of unsubscribe) stop()
  }
}

function createTally(
  { passes, queue, circuit, manifest }: FullPassDeps,
  onProgress: (progress: Progress) => void,
) {
  const counts = {
    uploaded: 0,
    renewed: 0,
    shared: 0,
    renamed: 0,
    restored: 0,
    landed: 0,
    forgotten: 0,
  }
  const failed = new Map<MediaPath, string>()
  let stoppedBy: MirrorError | undefined
  let unreachable: MirrorError | undefined
  let doneBytes = 0
  /** Of what changed the manifest and of what only confirmed it: either may have stood in the way of a landing at its path. */
  let endedCount = 0
  let stop = () => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  /** Open, also anew after a probe in vain: the queue goes no further, and nobody knows for how long. */
  function seeCircuit() {
    const { kind, error } = circuit.state()
    if (kind !== 'open') return
    stoppedBy ??= error
    stop()
  }
  seeCircuit()

  const doneCount = () => Object.values(counts).reduce((sum, count) => sum + count, 0)

  function listen(event: MirrorEvent) {
    if (event.kind in counts) counts[event.kind as keyof typeof counts]++
    if (event.kind in counts || event.kind === 'unchanged') endedCount++
    if ('entry' in event) {
      doneBytes += event.entry.sizeBytes
      failed.delete(event.entry.path)
    }
    if (event.kind === 'step-postponed') {
      failed.set(event.path, event.error.message)
      unreachable = event.error
    }
    if (event.kind === 'lost') failed.set(event.path, event.message)
    const { waiting, inFlight } = queue.load()
    const done = doneCount() + failed.size
    onProgress({
      done,
      total: done + waiting + inFlight.length,
      failed: failed.size,
      doneBytes,
      current: inFlight.map((step) => step.path),
    })
  }

  async function sumUp(): Promise<MirrorAnswer> {
    let problems = 0
    for await (const problem of manifest.problems()) if (problem.code !== 'FORGOTTEN') problems++
    // Too few calls to open the circuit, and still none that went through: it is WeCom that is out of reach.
    if (doneCount() === 0) stoppedBy ??= unreachable
    const doubt = await passes.doubt()
    if (doubt)
      stoppedBy ??= new ConfigError(`the folder is not believed: ${doubt.because}`, [], doubt)
    return {
      ...counts,
      failed: [...failed].map(([path, message]) => ({ path, message })),
      problems,
      stopped_by: stoppedBy ? failureAnswer(stoppedBy) : null,
    }
  }

  return {
    listen,
    seeCircuit,
    sumUp,
    endedCount: () => endedCount,
    stopped,
    stoppedBy: () => stoppedBy,
  }
}

async function raceAbort(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
