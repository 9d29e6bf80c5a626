// Answers for what `status` shows: the state of everything in one answer. Reads, and changes nothing.
import { type MirrorError, WecomRefused } from '../errors.ts'
import { isAlive, isDue } from '../media/lifetime.ts'
import { capacityAnswer, failureAnswer, iso, problemAnswer } from './answers.ts'
import type { ProblemAnswer, StatusAnswer } from './desk.ts'
import { findLateRenewals, type LateRenewal, type LateRenewals } from './late-renewals.ts'
import type { ReaderDeskDeps } from './reader-desk.ts'

/** So many of the next renewals are told. */
const NEXT_RENEWALS = 5

/** What only a running daemon knows. */
export interface LiveFacts {
  readonly startedAtMs: number
  readonly pid: number
  readonly missing: number
  readonly queue: StatusAnswer['queue']
  readonly circuit: {
    readonly kind: 'closed' | 'open' | 'half-open'
    readonly error?: MirrorError
    readonly sinceMs?: number
    readonly nextProbeAtMs?: number
  }
  readonly doubt: StatusAnswer['doubt']
  /** Undefined when none are configured. */
  readonly referenceFiles?: StatusAnswer['reference_files'] | undefined
  readonly troubles: StatusAnswer['troubles']
  readonly renewals: NonNullable<StatusAnswer['renewals']>
  /** Undefined when no messages are received. */
  readonly callback?:
    | (Omit<NonNullable<StatusAnswer['callback']>, 'last_accepted_at'> & {
        readonly lastAcceptedAtMs: number | undefined
      })
    | undefined
}

export async function gatherStatus(deps: ReaderDeskDeps): Promise<StatusAnswer> {
  const { manifest, setUp, clock } = deps
  const live = await deps.live()
  const nowMs = clock.nowMs()
  const media = {
    total: 0,
    alive: 0,
    due: 0,
    expired: 0,
    unkept: 0,
    missing: live?.missing ?? null,
  }
  const next: { path: string; atMs: number }[] = []
  for await (const entry of manifest.entries()) {
    media.total++
    if (isAlive(entry, nowMs)) media.alive++
    else if (entry.renewAtMs === undefined) media.unkept++
    else media.expired++
    if (isDue(entry, nowMs)) media.due++
    if (entry.renewAtMs !== undefined)
      keepSmallest(next, { path: entry.path, atMs: entry.renewAtMs })
  }
  const late = await findLateRenewals(deps, nowMs)
  const problems: ProblemAnswer[] = late.named.map((one) => lateProblem(one, nowMs))
  let forgotten = 0
  for await (const problem of manifest.problems()) {
    // What a person wished for is no problem that somebody must see to.
    if (problem.code === 'FORGOTTEN') forgotten++
    else problems.push(problemAnswer(problem))
  }
  const references = { accepted: 0, landing: 0, landed: 0, lost: 0 }
  const inFlight = new Set(live?.queue.in_flight)
  for await (const { state, mediaId, dismissedAtMs } of manifest.references())
    if (dismissedAtMs === undefined)
      references[state === 'accepted' && inFlight.has(mediaId) ? 'landing' : state]++
  return {
    corp_id: setUp.corpId,
    folder: setUp.folder,
    state: setUp.state,
    daemon: {
      running: live !== undefined,
      pid: live?.pid ?? null,
      started_at: live ? iso(live.startedAtMs) : null,
    },
    media,
    problems,
    late: lateAnswer(late),
    forgotten,
    references,
    reference_files: live?.referenceFiles ?? [],
    callback: callbackAnswer(live?.callback),
    next_renewals: next.map(({ path, atMs }) => ({ path, renew_at: iso(atMs) })),
    renewals: live?.renewals ?? null,
    capacity: capacityAnswer(await deps.capacity()),
    queue: live?.queue ?? { waiting: 0, in_flight: [] },
    circuit: circuitAnswer(live?.circuit),
    doubt: live?.doubt ?? null,
    hooks: (await deps.hooks?.()) ?? [],
    troubles: live?.troubles ?? [],
    clock_skew_ms: clock.skewMs(),
    not_available_yet: setUp.notAvailableYet,
  }
}

function callbackAnswer(callback: LiveFacts['callback']): StatusAnswer['callback'] {
  if (!callback) return null
  const { lastAcceptedAtMs, ...counts } = callback
  return {
    ...counts,
    last_accepted_at: lastAcceptedAtMs === undefined ? null : iso(lastAcceptedAtMs),
  }
}

const lateAnswer = ({ count, isMore, expired, nextDeathAtMs }: LateRenewals) => ({
  count,
  is_more: isMore,
  expired,
  next_death_at: nextDeathAtMs === undefined ? null : iso(nextDeathAtMs),
})

function lateProblem({ entry, sinceMs, prospect }: LateRenewal, nowMs: number): ProblemAnswer {
  const { path, expiresAtMs } = entry
  const death = `its media_id ${expiresAtMs > nowMs ? 'dies' : 'died'} at ${iso(expiresAtMs)}`
  return {
    path,
    code: 'RENEWAL_LATE',
    message: `\`${path}\` was not renewed in time, ${death}: ${prospect.because}`,
    since: iso(sinceMs),
  }
}

function keepSmallest(
  kept: { path: string; atMs: number }[],
  candidate: { path: string; atMs: number },
) {
  const last = kept[NEXT_RENEWALS - 1]
  if (last && candidate.atMs >= last.atMs) return
  kept.push(candidate)
  kept.sort((a, b) => a.atMs - b.atMs)
  kept.length = Math.min(kept.length, NEXT_RENEWALS)
}

function circuitAnswer(circuit: LiveFacts['circuit'] | undefined): StatusAnswer['circuit'] {
  const { error, sinceMs, nextProbeAtMs } = circuit ?? {}
  return {
    state: circuit?.kind ?? 'unknown',
    since: sinceMs === undefined ? null : iso(sinceMs),
    next_probe_at: nextProbeAtMs === undefined ? null : iso(nextProbeAtMs),
    because: error ? failureAnswer(error) : null,
    from_ip: error instanceof WecomRefused ? (error.fromIp ?? null) : null,
  }
}
