// Answers for what is to be expected of a path whose id is dead, or could not be renewed: what stands in the way, and when that
// is over. An estimate means "by then, if nothing else goes wrong"; where only a person can help there is none. Pure.
import type { MirrorError } from '../errors.ts'
import { offeredAgainAtMs } from '../media/lifetime.ts'
import type { ManifestEntry, Problem, ProblemCode } from '../media/media.ts'
import { seconds } from '../support/span-text.ts'

export interface Prospect {
  /** What stands in the way. */
  readonly because: string
  readonly hint: string | undefined
  /** When that is over, in words that end the sentence "it is expected back …". */
  readonly expected: string
  /** The same as a moment, on the service's clock; undefined when nothing is done about it without a person. */
  readonly backAtMs: number | undefined
}

/** What only a running daemon knows of a path. Moments are on the service's clock. */
export interface Circumstances {
  /** `unseen`: the folder has not been looked at since the start. */
  readonly file: 'there' | 'unsettled' | 'gone' | 'unseen'
  /** Why the folder is not believed. */
  readonly doubt: { readonly because: string; readonly hint: string } | undefined
  /** Why WeCom is not called, and until when. */
  readonly circuit: { readonly error: MirrorError; readonly nextProbeAtMs: number } | undefined
  readonly place: 'in-flight' | 'waiting' | 'nowhere'
  readonly queue: { readonly waiting: number; readonly takesMs: number }
  /** What the last attempt failed with, if it failed and none has gone well since. */
  readonly lastError: MirrorError | undefined
  readonly retriedWithinMs: number
}

export interface Known {
  readonly entry: ManifestEntry | undefined
  readonly problem: Problem | undefined
}

/** `circumstances` is undefined when no daemon runs. */
export function foreseeReturn(
  known: Known,
  circumstances: Circumstances | undefined,
  nowMs: number,
): Prospect {
  // What is in the queue will be tried, whatever was known of it before.
  const isAbandoned = circumstances === undefined || circumstances.place === 'nowhere'
  return (
    (isAbandoned ? waitForFile(known) : undefined) ??
    (circumstances === undefined
      ? WITHOUT_DAEMON
      : (waitForPerson(circumstances) ??
        waitForOffer(known, circumstances, nowMs) ??
        waitForTurn(circumstances, nowMs)))
  )
}

/** Nothing is tried before somebody touches the file, whether a daemon runs or not. */
function waitForFile({ entry, problem }: Known): Prospect | undefined {
  // WeCom took these bytes once, and is asked again.
  const mayPass = problem?.code === 'MEDIA_REFUSED' && problem.stamp === entry?.stamp
  if (problem && !mayPass) return never(problem.message, BEFORE_THAT[problem.code])
  if (entry && entry.renewAtMs === undefined)
    return never(
      'it was downloaded, and its media_id is not kept alive (`references.renew` is false)',
      'never',
    )
  return undefined
}

const BEFORE_THAT: Readonly<Record<ProblemCode, string>> = {
  MEDIA_UNACCEPTABLE: 'not before the file changes',
  MEDIA_REFUSED: 'not before the file changes',
  MEDIA_LOST: 'never, unless somebody puts the file back',
  FILE_UNREADABLE: 'not before the file can be read',
  FILE_UNSETTLED: 'not before the file stands still',
  NAME_NOT_UTF8: 'not before the file is renamed',
  PATH_CONFLICT: 'not before one of the two is moved',
  FORGOTTEN: 'not before the file changes',
}

const never = (because: string, expected: string, hint?: string): Prospect => ({
  because,
  hint,
  expected,
  backAtMs: undefined,
})

const WITHOUT_DAEMON = never(
  'no daemon is running',
  'not before one runs',
  'Start it: systemctl start wecom-media-mirror, or wecom-media-mirror run',
)

function waitForPerson({ doubt, file, place }: Circumstances): Prospect | undefined {
  if (doubt)
    return never(
      `the folder is not believed: ${doubt.because}`,
      'not before the folder is back',
      doubt.hint,
    )
  if (file === 'unsettled')
    return never('its file is still being written', 'not before the file stands still')
  if (file === 'gone' && place === 'nowhere')
    return never('its file is gone', 'never, unless somebody puts the file back')
  return undefined
}

/** WeCom said no, and will be asked again after a while. */
function waitForOffer(
  { entry, problem }: Known,
  { place, queue }: Circumstances,
  nowMs: number,
): Prospect | undefined {
  if (problem?.code !== 'MEDIA_REFUSED' || !entry || place !== 'nowhere') return undefined
  const offeredAtMs = Math.max(nowMs, offeredAgainAtMs(problem, entry))
  return {
    because: problem.message,
    hint: undefined,
    expected: `not before it is offered again ${within(offeredAtMs - nowMs)}, or the file changes`,
    backAtMs: offeredAtMs + queue.takesMs,
  }
}

function waitForTurn(circumstances: Circumstances, nowMs: number): Prospect {
  const { file, circuit, place, queue, lastError, retriedWithinMs } = circumstances
  const isHosts = lastError?.code === 'MANIFEST_UNWRITABLE' || lastError?.code === 'HOST_UNABLE'
  if (lastError && isHosts && place === 'nowhere')
    return never(
      `the last attempt failed: ${lastError.message}`,
      'not before this machine gives what that takes',
      lastError.hint,
    )
  if (circuit) {
    const probeAtMs = Math.max(nowMs, circuit.nextProbeAtMs)
    return {
      because: `no calls to WeCom at present: ${circuit.error.message}`,
      hint: circuit.error.hint,
      expected: `not before WeCom is tried again, which is ${probeAtMs > nowMs ? within(probeAtMs - nowMs) : 'now'}`,
      backAtMs: probeAtMs + queue.takesMs,
    }
  }
  if (place === 'in-flight')
    return {
      because: 'it is being transferred',
      hint: undefined,
      expected: within(IN_FLIGHT_MS),
      backAtMs: nowMs + IN_FLIGHT_MS,
    }
  const takesMs = queue.takesMs + (lastError && place === 'nowhere' ? retriedWithinMs : 0)
  const before = queue.waiting > 0 ? `, where ${queue.waiting} wait` : ''
  return {
    because: lastError
      ? `the last attempt failed: ${lastError.message}`
      : place === 'waiting'
        ? `it waits in the queue${before}`
        : file === 'unseen'
          ? 'the folder is looked at for the first time since the start'
          : 'the next pass looks at it',
    hint: lastError?.hint,
    expected: within(takesMs),
    backAtMs: nowMs + takesMs,
  }
}

/** A transfer under way is mostly a matter of seconds; nobody knows better. */
const IN_FLIGHT_MS = 60_000

/** Estimates are no better than that. */
const within = (spanMs: number): string =>
  `within about ${seconds(Math.max(1, Math.ceil(spanMs / 60_000)) * 60_000)}`
