// Answers for which renewals a pass looks at: what has fallen due since the last one, what is in danger whatever the schedule
// says, and what is begun early because the coming deaths would otherwise need more than the allowed rate, or come in herds.
// The numbers behind it are plan/capacity.ts; this file asks the manifest and remembers what was released.
import { setImmediate } from 'node:timers/promises'
import type { ManifestReader, MomentRange } from './manifest/manifest.ts'
import { isDue, isEndangered, type RenewalPolicy } from './media/lifetime.ts'
import type { ManifestEntry, MediaPath } from './media/media.ts'
import type { Rate } from './media/rate.ts'
import {
  type Capacity,
  earlyCreditMs,
  foresee,
  isWorthLeveling,
  measureCapacity,
  type Outlook,
  sumOfWork,
  type Work,
  workMs,
} from './plan/capacity.ts'
import type { TransferQueue } from './transfer/transfer-queue.ts'

/** Entries are asked for this many at a time. */
const BATCH = 1000
/** So many of the next deaths are looked through for early renewals; what stands in the way (missing files) ends it there. */
const MAX_BATCHES = 50
/** So many of what was released before are looked at again each time, should any have been lost on the way: a few, however many wait. */
const SOUGHT_BATCHES = 3
/** In danger: with less than this part of its life left. */
const DANGER_PART = 12

/** What is to be looked at: because its time has come, and although it has not. */
export interface Released {
  readonly due: ReadonlySet<MediaPath>
  readonly early: ReadonlySet<MediaPath>
}

export interface RenewalRelease {
  /** What is to be looked at now. */
  take(): Promise<Released>
  /** When something will be in danger that nobody has released, as things stand; undefined when nothing will. */
  nextDangerAtMs(): Promise<number | undefined>
  /** As last foreseen. */
  outlook(): Outlook
  capacity(): Promise<Capacity>
}

export function createRenewalRelease(deps: {
  manifest: Pick<ManifestReader, 'findDue' | 'findDying' | 'workload'>
  queue: () => Pick<TransferQueue, 'has' | 'load'>
  /** Asked each time: what the slots give is learned as they are used. */
  rate: () => Rate
  policy: RenewalPolicy
  /** The service's clock. */
  clock: { nowMs(): number }
}): RenewalRelease {
  const { manifest, policy, clock } = deps
  let outlook: Outlook = { pace: 0, pressure: 0, roundMs: 0 }
  /** Everything due at this moment has been released. */
  let releasedUntilMs = -Infinity
  /** Up to here what was released has been looked at again, in this round. */
  let soughtUntilMs = -Infinity
  /** Work that may be begun early, and when it was last counted. */
  let credit = { ms: 0, atMs: clock.nowMs() }

  const isFree = ({ path }: ManifestEntry) => !deps.queue().has(path)

  /** What has fallen due since the last time, and what is found to have been lost before. */
  async function takeDue(nowMs: number): Promise<ManifestEntry[]> {
    // A clock that was set back tells nothing of what was released under the later time: begin again.
    if (releasedUntilMs > nowMs) releasedUntilMs = -Infinity
    const due = await takeLost()
    const range = { afterMs: releasedUntilMs, untilMs: nowMs }
    for await (const batch of inBatches(range, manifest.findDue, (entry) => entry.renewAtMs))
      due.push(...batch.filter(isFree))
    releasedUntilMs = nowMs
    return due
  }

  async function takeLost(): Promise<ManifestEntry[]> {
    const lost: ManifestEntry[] = []
    const range = { afterMs: soughtUntilMs, untilMs: releasedUntilMs }
    let batches = 0
    soughtUntilMs = -Infinity
    for await (const batch of inBatches(range, manifest.findDue, (entry) => entry.renewAtMs)) {
      lost.push(...batch.filter(isFree))
      if (++batches < SOUGHT_BATCHES) continue
      // The last moment may be cut in two here; the next round of batches begins with it.
      soughtUntilMs = (batch.at(-1)?.renewAtMs ?? -Infinity) - 1
      break
    }
    return lost
  }

  /** What was not released in time, or was and came back: twice made sure, since this is what nobody may miss. */
  const takeEndangered = async (nowMs: number): Promise<ManifestEntry[]> =>
    (
      await manifest.findDying(
        { afterMs: nowMs, untilMs: nowMs + policy.lifetimeMs / DANGER_PART },
        BATCH,
      )
    ).filter((entry) => isEndangered(entry, nowMs) && isFree(entry))

  /** The earliest deaths whose work the credit covers, as long as the queue has nothing left of what is due. */
  async function takeEarly(
    nowMs: number,
    rate: Rate,
    due: ReadonlySet<MediaPath>,
  ): Promise<ManifestEntry[]> {
    if (!isWorthLeveling(outlook) || credit.ms <= 0) return []
    if (deps.queue().load().waitingRenewals > 0) return []
    const early: ManifestEntry[] = []
    const range = { afterMs: nowMs, untilMs: Infinity }
    const dying = inBatches(range, manifest.findDying, (entry) => entry.expiresAtMs)
    let batches = 0
    for await (const batch of dying) {
      for (const entry of batch) {
        if (isDue(entry, nowMs) || due.has(entry.path) || !isFree(entry)) continue
        const costMs = workMs(asWork(entry), rate)
        if (credit.ms < costMs) return early
        credit = { ...credit, ms: credit.ms - costMs }
        early.push(entry)
      }
      if (++batches === MAX_BATCHES) break
    }
    return early
  }

  function count(dueMs: number, nowMs: number) {
    const sinceMs = Math.max(0, nowMs - credit.atMs)
    const ms = earlyCreditMs({ creditMs: credit.ms, sinceMs }, outlook, dueMs, policy)
    credit = { ms, atMs: nowMs }
  }

  return {
    async take() {
      const nowMs = clock.nowMs()
      const rate = deps.rate()
      outlook = foresee(await manifest.workload(), rate, policy, nowMs)
      const due = await takeDue(nowMs)
      count(workMs(sumOfWork(due.map(asWork)), rate), nowMs)
      const paths = new Set([...due, ...(await takeEndangered(nowMs))].map(({ path }) => path))
      const early = new Set((await takeEarly(nowMs, rate, paths)).map(({ path }) => path))
      return { due: paths, early }
    },
    async nextDangerAtMs() {
      const nowMs = clock.nowMs()
      // A pass that releases nothing (for a few paths, say) may have come at the very moment.
      if ((await takeEndangered(nowMs)).length > 0) return nowMs
      const dangerMs = policy.lifetimeMs / DANGER_PART
      const afterMs = nowMs + dangerMs
      const [next] = await manifest.findDying({ afterMs, untilMs: Infinity }, 1)
      return next && next.expiresAtMs - dangerMs
    },
    outlook: () => outlook,
    async capacity() {
      // What waits for its first id will have to be kept alive as well; a first start would be measured too late without it.
      const { waitingNew } = deps.queue().load()
      const media = sumOfWork([...(await manifest.workload()), waitingNew])
      return measureCapacity(media, deps.rate(), policy)
    },
  }
}

/** Batch after batch, the event loop let through in between. One moment is never cut in two, so that the next can begin after it. */
async function* inBatches(
  { afterMs, untilMs }: Required<MomentRange>,
  find: ManifestReader['findDue'],
  momentMs: (entry: ManifestEntry) => number | undefined,
): AsyncGenerator<readonly ManifestEntry[]> {
  for (let sinceMs = afterMs; ; await setImmediate()) {
    const batch = await find({ afterMs: sinceMs, untilMs }, BATCH)
    yield batch
    const last = batch.at(-1)
    const lastMs = last && momentMs(last)
    if (batch.length < BATCH || lastMs === undefined) return
    const sameMoment = await find({ afterMs: lastMs - 1, untilMs: lastMs }, Infinity)
    const known = new Set(batch)
    yield sameMoment.filter((entry) => !known.has(entry))
    sinceMs = lastMs
  }
}

const asWork = ({ sizeBytes }: ManifestEntry): Work => ({ count: 1, sizeBytes })
