// Answers for gathering what the daemon knows of one path: where it stands in the queue, what failed last, what holds everything
// up. What that means for whoever waits is serve/prospect.ts.
import type { MirrorError } from './errors.ts'
import type { MediaPath } from './media/media.ts'
import type { FolderFacts } from './pass-facts.ts'
import { workMs } from './plan/capacity.ts'
import type { RenewalRelease } from './renewal-release.ts'
import { RETRIED_WITHIN_MS } from './retries.ts'
import type { Circumstances } from './serve/prospect.ts'
import type { TransferQueue } from './transfer/transfer-queue.ts'

export function createCircumstances(deps: {
  folder: Pick<FolderFacts, 'get' | 'isUnsettled' | 'belief'>
  /** Before the first scan nothing is known of what is there. */
  hasScanned: () => boolean
  queue: Pick<TransferQueue, 'has' | 'load'>
  /** Its moments are on this machine's clock. */
  circuit: { state(): { readonly error?: MirrorError; readonly nextProbeAtMs?: number } }
  lastError: (path: MediaPath) => MirrorError | undefined
  renewals: Pick<RenewalRelease, 'capacity'>
  serviceClock: { skewMs(): number }
}): (path: MediaPath) => Promise<Circumstances> {
  const { folder, queue, circuit, serviceClock } = deps

  function placeOf(path: MediaPath): Circumstances['place'] {
    if (!queue.has(path)) return 'nowhere'
    return queue.load().inFlight.some((step) => step.path === path) ? 'in-flight' : 'waiting'
  }

  function describeFile(path: MediaPath): Circumstances['file'] {
    if (folder.get(path)) return 'there'
    if (folder.isUnsettled(path)) return 'unsettled'
    return deps.hasScanned() ? 'gone' : 'unseen'
  }

  /** As if what waits were of the mean size, and the whole rate were for it. */
  async function describeQueue(): Promise<Circumstances['queue']> {
    const { waiting } = queue.load()
    const { media, allowed } = await deps.renewals.capacity()
    const count = waiting + 1
    const sizeBytes = media.count === 0 ? 0 : (media.sizeBytes / media.count) * count
    return { waiting, takesMs: workMs({ count, sizeBytes }, allowed) }
  }

  function describeCircuit(): Circumstances['circuit'] {
    const { error, nextProbeAtMs } = circuit.state()
    if (!error || nextProbeAtMs === undefined) return undefined
    return { error, nextProbeAtMs: nextProbeAtMs + serviceClock.skewMs() }
  }

  return async (path) => {
    const belief = folder.belief()
    return {
      file: describeFile(path),
      doubt: belief.kind === 'doubted' ? belief : undefined,
      circuit: describeCircuit(),
      place: placeOf(path),
      queue: await describeQueue(),
      lastError: deps.lastError(path),
      retriedWithinMs: RETRIED_WITHIN_MS,
    }
  }
}
