// Answers for the audit: whether ids live that should, by a sample, and what is done when one does not. Not for choosing the
// sample (audit-sample.ts) nor for asking (audit-check.ts). One run at a time, one call at a time.

import { checkId, type Verdict } from './audit-check.ts'
import { isMirrorError, type MirrorError } from './errors.ts'
import type { Manifest } from './manifest/manifest.ts'
import type { ManifestEntry, MediaId } from './media/media.ts'
import { type Candidate, createSample, hasRested, isNearlyDue } from './plan/audit-sample.ts'
import type { Clock } from './support/clock.ts'
import type { Emit } from './support/events.ts'
import type { DeadIds } from './transfer/dead-ids.ts'
import type { Wecom } from './wecom/wecom.ts'

/** Between two calls: five a second at most, whatever the quota has room for. */
const SPACING_MS = 200
/** So many proofs of life are recorded at once; a crash forgets no more. */
const MAX_UNRECORDED = 50
/** From so many checked ids on, a majority of dead ones is not believed without a control. */
const MIN_FOR_DOUBT = 10
/** Twice the largest sample: ids that were asked for, so that none is hammered although no entry tells of it. */
const MAX_TRIED = 20_000

/** What came of an audit. */
export interface AuditReport {
  readonly startedAtMs: number
  readonly tookMs: number
  readonly checked: number
  readonly alive: number
  readonly dead: number
  /** Refused for a reason that says nothing about life. */
  readonly unclear: number
  /** Why it ended before its sample did. */
  readonly endedBecause: string | undefined
  readonly hint: string | undefined
}

export interface Audit {
  /** Checks one sample; resolves when its outcome is recorded and told. While one runs, it is that one. */
  run(signal: AbortSignal): Promise<void>
  /** Resolves when none runs. */
  settled(): Promise<void>
  /** The last one since the program started. */
  state(): { readonly isRunning: boolean; readonly last: AuditReport | undefined }
}

export interface AuditDeps {
  readonly manifest: Pick<Manifest, 'entries' | 'findEntry' | 'findByFingerprint' | 'commit'>
  readonly wecom: Pick<Wecom, 'download'>
  readonly circuit: {
    state(): { readonly kind: 'closed' | 'open' | 'half-open'; readonly error?: MirrorError }
  }
  readonly deadIds: DeadIds
  /** At most so many ids each time; 0 turns it off. */
  readonly sampleCount: number
  /** The service's clock. */
  readonly clock: { nowMs(): number }
  readonly sleep: Clock['sleep']
  readonly random: () => number
  readonly emit: Emit
}

/** Why a run ends early, and what a person can do. */
interface Ending {
  readonly because: string
  readonly hint?: string | undefined
}

/** A run under way. */
interface Round {
  readonly count: Record<Verdict, number>
  /** Found alive, and not yet so in the manifest. */
  readonly unrecorded: { readonly candidate: Candidate; readonly atMs: number }[]
  readonly signal: AbortSignal
}

export function createAudit(deps: AuditDeps): Audit {
  const { manifest, circuit, clock } = deps
  /** When an id was last asked for, latest last: what was asked in vain stands in no entry. */
  const tried = new Map<MediaId, number>()
  let running: Promise<void> | undefined
  let last: AuditReport | undefined

  async function runOne(signal: AbortSignal): Promise<void> {
    const startedAtMs = clock.nowMs()
    const round: Round = { count: { alive: 0, dead: 0, unclear: 0 }, unrecorded: [], signal }
    const early = await endingOf(signal, async () => checkAll(await choose(), round))
    const ending = (await endingOf(signal, () => record(round))) ?? early
    // Cut short by the end of the program: what was found is recorded, and there is no outcome to tell.
    if (signal.aborted) return
    const { alive, dead, unclear } = round.count
    last = {
      startedAtMs,
      tookMs: clock.nowMs() - startedAtMs,
      checked: alive + dead + unclear,
      ...round.count,
      endedBecause: ending?.because,
      hint: ending?.hint,
    }
    deps.emit({ kind: 'audited', ...last })
  }

  /** One walk: the sample, and the newest upload of all as a control. */
  async function choose() {
    const sample = createSample(deps.sampleCount, deps.random)
    let newest: ManifestEntry | undefined
    for await (const entry of manifest.entries()) {
      const nowMs = clock.nowMs()
      const provenAtMs = Math.max(entry.createdAtMs, lastAskedMs(entry))
      if (hasRested(entry, provenAtMs, nowMs) && !isNearlyDue(entry, nowMs))
        sample.offer({ ...nameOf(entry), provenAtMs })
      const isNewer = entry.createdAtMs > (newest?.createdAtMs ?? 0)
      if (isNewer && hasRested(entry, lastAskedMs(entry), nowMs)) newest = entry
    }
    const control = newest && { ...nameOf(newest), provenAtMs: newest.createdAtMs }
    return { candidates: sample.candidates(), control }
  }

  /**
   * Every dead id is believed, one by one: to be wrong about it costs an upload, to be wrong the other way hands out a dead
   * id. What a majority of dead ones among many says about the others is not believed unless the newest upload lives.
   */
  async function checkAll(
    { candidates, control }: Awaited<ReturnType<typeof choose>>,
    round: Round,
  ): Promise<Ending | undefined> {
    let isDoubtSettled = false
    for (const candidate of candidates) {
      if (!(await isToBeAsked(candidate))) continue
      if (circuit.state().kind !== 'closed') return noCalls(circuit.state().error)
      await ask(candidate, round)
      if (isDoubtSettled || !isMostlyDead(round.count)) continue
      isDoubtSettled = true
      const isControlled = control !== undefined && (await isToBeAsked(control))
      if (!isControlled || (await ask(control, round)) !== 'alive') return mostlyDead(round.count)
    }
    return undefined
  }

  /** Looked at again: since the walk it may have been renewed, found dead, or asked for as the control. */
  async function isToBeAsked({ path, mediaId }: Candidate): Promise<boolean> {
    const entry = await manifest.findEntry(path)
    return entry?.mediaId === mediaId && hasRested(entry, lastAskedMs(entry), clock.nowMs())
  }

  const lastAskedMs = ({ mediaId, checkedAtMs = 0 }: ManifestEntry): number =>
    Math.max(checkedAtMs, tried.get(mediaId) ?? 0)

  async function ask(candidate: Candidate, round: Round): Promise<Verdict> {
    const { mediaId } = candidate
    remember(mediaId)
    const verdict = await checkId(deps.wecom, mediaId, round.signal)
    round.count[verdict]++
    if (verdict === 'dead') await deps.deadIds.end(mediaId)
    if (verdict === 'alive') round.unrecorded.push({ candidate, atMs: clock.nowMs() })
    if (round.unrecorded.length >= MAX_UNRECORDED) await record(round)
    await deps.sleep(SPACING_MS, round.signal)
    return verdict
  }

  function remember(mediaId: MediaId): void {
    tried.delete(mediaId)
    tried.set(mediaId, clock.nowMs())
    const [oldest] = tried.size > MAX_TRIED ? tried.keys() : []
    if (oldest !== undefined) tried.delete(oldest)
  }

  async function record({ unrecorded }: Round): Promise<undefined> {
    await Promise.all(unrecorded.splice(0).map(recordOne))
  }

  // Renewed or forgotten meanwhile, even by a commit that is not flushed yet: then the manifest leaves the mark out.
  async function recordOne({ candidate, atMs }: Round['unrecorded'][number]): Promise<void> {
    const twins = await manifest.findByFingerprint(candidate.fingerprint)
    const holders = twins.filter(({ mediaId }) => mediaId === candidate.mediaId)
    await manifest.commit(
      holders.map(({ path, mediaId }) => ({ kind: 'mark-checked', path, mediaId, atMs })),
    )
  }

  return {
    run(signal) {
      if (deps.sampleCount === 0) return Promise.resolve()
      running ??= runOne(signal).finally(() => {
        running = undefined
      })
      return running
    },
    async settled() {
      // How it ended is told to whoever ran it.
      await running?.catch(() => undefined)
    },
    state: () => ({ isRunning: running !== undefined, last }),
  }
}

const nameOf = ({ mediaId, path, fingerprint }: ManifestEntry) => ({ mediaId, path, fingerprint })

const isMostlyDead = ({ alive, dead }: Round['count']): boolean =>
  alive + dead >= MIN_FOR_DOUBT && dead > alive

/** What is foreseen ends a run early; anything else is a bug and goes on as one. */
async function endingOf(
  signal: AbortSignal,
  work: () => Promise<Ending | undefined>,
): Promise<Ending | undefined> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined
    if (!isMirrorError(error)) throw error
    return { because: error.message, hint: error.hint }
  }
}

const noCalls = (error: MirrorError | undefined): Ending => ({
  because: `no calls to WeCom at the moment${error ? `: ${error.message}` : ''}`,
  hint: error?.hint,
})

const mostlyDead = ({ alive, dead }: Round['count']): Ending => ({
  because: `${dead} of ${alive + dead} ids are dead, and the newest upload could not be shown to live: either WeCom answers wrongly, or it has lost its media`,
  hint: 'Those found dead are uploaded again at once, the others in their own time. If `wecom.baseUrl` was changed, or WeCom has lost its media, stop the daemon and move its state directory away: everything is uploaded anew.',
})
