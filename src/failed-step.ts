// Answers for what a failed step means: the file's own fault is recorded as its problem, everyone else's waits for a later pass.
import { FileUnreadable, isMirrorError, type MirrorError } from './errors.ts'
import type { Manifest } from './manifest/manifest.ts'
import {
  isSameWish,
  type MediaId,
  type MediaPath,
  NO_PATH,
  type Problem,
  type ProblemCode,
  type Reference,
} from './media/media.ts'
import { renderPlace, type Step } from './plan/step.ts'
import type { Emit } from './support/events.ts'
import { createTurns, type Turns } from './support/turns.ts'

/** What the service failed on waits for nothing but the next look, whatever the clock says. */
const AT_ANY_LOOK = 0

/** The fault of no medium and of no call: this machine's. */
const HOSTS: ReadonlySet<MirrorError['code']> = new Set([
  'MANIFEST_UNWRITABLE',
  'HOST_UNABLE',
  'DISK_SHORT',
])

/** Of the paths that were postponed last; an outage stops all steps long before so many have failed. */
const MOST_REMEMBERED = 10_000

export function createFailedSteps(deps: {
  manifest: Pick<Manifest, 'findProblem' | 'findReference' | 'commit'>
  /** The service's clock. */
  clock: { nowMs(): number }
  /** Whether WeCom is not called at present, which was told: then it is no news that a path cannot be transferred. */
  isOutage: () => boolean
  /** Of whoever decides about a reference. */
  referenceTurns?: Turns<MediaId> | undefined
  emit: Emit
}) {
  const { manifest, clock, emit, referenceTurns = createTurns<MediaId>() } = deps
  /** Why paths were postponed last. Each is told once, and again after it has come through. */
  const postponed = new Map<
    MediaPath,
    { error: MirrorError; isTold: boolean; readonly sinceMs: number }
  >()

  /** Answers since when the path has failed. */
  function postpone(path: MediaPath, error: MirrorError): number {
    const { isTold: wasTold = false, sinceMs = clock.nowMs() } = postponed.get(path) ?? {}
    const isWecoms = error.code === 'WECOM_UNREACHABLE' || error.code === 'WECOM_REFUSED'
    // What the machine does not give was told as one thing for all.
    const isHosts = HOSTS.has(error.code)
    const isNews = !wasTold && !isHosts && !(isWecoms && deps.isOutage())
    emit({ kind: 'step-postponed', path, error, isNews })
    postponed.delete(path)
    postponed.set(path, { error, isTold: wasTold || isNews, sinceMs })
    const [oldest] = postponed.keys()
    if (postponed.size > MOST_REMEMBERED && oldest !== undefined) postponed.delete(oldest)
    return sinceMs
  }

  /** Records or tells the failure; answers from when on the path is to be looked at again, undefined when that needs no tick. */
  async function takeIn(step: Step, thrown: unknown): Promise<number | undefined> {
    const error = asForeseen(step, thrown)
    try {
      if (error.remedy === 'skip') return await record(step, error)
      postpone(step.path, error)
    } catch (second) {
      // Not even the failure could be recorded (a full disk): it will be met again.
      if (!isMirrorError(second) || second.remedy !== 'retry') throw second
      postpone(step.path, second)
    }
    return AT_ANY_LOOK
  }

  async function record(step: Step, error: MirrorError): Promise<number | undefined> {
    // What could not be read or written may be possible at the next tick, with no sign of it in the file itself.
    const mayPass = error.code === 'FILE_UNREADABLE'
    // Nothing is wrong with the file that one only wanted to see gone: whoever closed its directory is told of that.
    if (mayPass && isGivingUp(step)) {
      postpone(step.path, error)
      return AT_ANY_LOOK
    }
    if (step.kind === 'take' && !mayPass) {
      // No fault of a file of ours: that id is not tried again, and the other host's next one is.
      const { mediaId, path, createdAtMs } = step.entry
      await recordLoss(
        { mediaId, path, createdAtMs, acceptedAtMs: clock.nowMs(), state: 'lost' },
        error,
      )
      return undefined
    }
    if (step.kind !== 'land' && step.kind !== 'take') {
      const problem = await recordProblem(step, error)
      return mayPass ? triedAgainAtMs(problem.sinceMs, clock.nowMs()) : undefined
    }
    if (mayPass) return triedAgainAtMs(postpone(step.path, error), clock.nowMs())
    if (step.kind === 'land')
      await referenceTurns.take(step.reference.mediaId, () => endLanding(step.reference, error))
    return undefined
  }

  /** What was wished anew, or dismissed, since the step was planned has another fate. */
  async function endLanding(planned: Reference, error: MirrorError): Promise<void> {
    const standing = await manifest.findReference(planned.mediaId)
    if (standing && isSameWish(standing, planned)) await recordLoss(standing, error)
  }

  async function recordProblem(step: Step, error: MirrorError): Promise<Problem> {
    const known = await manifest.findProblem(step.path)
    const problem = describeProblem(step, error, known, clock.nowMs())
    const isNews = known?.message !== problem.message || known.stamp !== problem.stamp
    const isSame = known?.sinceMs === problem.sinceMs && known.triedAtMs === problem.triedAtMs
    if (!isNews && isSame) return problem
    await manifest.commit([{ kind: 'put-problem', problem }])
    if (isNews) emit({ kind: 'problem-found', problem, hint: error.hint })
    return problem
  }

  async function recordLoss(reference: Reference, { message }: MirrorError): Promise<void> {
    const { mediaId, path = NO_PATH } = reference
    await manifest.commit([
      { kind: 'put-reference', reference: { ...reference, state: 'lost', message } },
    ])
    emit({ kind: 'lost', path, mediaId, message })
  }

  return {
    takeIn,
    succeeded: (path: MediaPath) => void postponed.delete(path),
    lastError: (path: MediaPath) => postponed.get(path)?.error,
  }
}

const isGivingUp = ({ kind }: Step): boolean =>
  kind === 'forget' || kind === 'report-lost' || kind === 'drop-problem'

function describeProblem(
  step: Step,
  error: MirrorError,
  known: Problem | undefined,
  nowMs: number,
): Problem {
  const code = problemCodeOf(error)
  const stamp = 'file' in step ? step.file.stamp : undefined
  const isOld = known?.code === code && known.stamp === stamp
  return {
    path: step.path,
    code,
    message: error.message,
    sinceMs: isOld ? known.sinceMs : nowMs,
    // How long it has been refused already tells how long to wait before the next try.
    ...(isOld && code === 'MEDIA_REFUSED' ? { triedAtMs: nowMs } : {}),
    ...(stamp === undefined ? {} : { stamp }),
  }
}

/** A file's own fault is met again after as long as it has lasted: at the next tick, later ever more rarely, at least hourly. */
const triedAgainAtMs = (sinceMs: number, nowMs: number): number =>
  nowMs + Math.min(nowMs - sinceMs, LONGEST_WAIT_MS)

const LONGEST_WAIT_MS = 60 * 60 * 1000

const problemCodeOf = ({ code }: MirrorError): ProblemCode =>
  code === 'MEDIA_UNACCEPTABLE' || code === 'FILE_UNREADABLE' ? code : 'MEDIA_REFUSED'

/** What the operating system refuses (a full disk, a lost permission) is foreseen; anything else is a bug and goes on as one. */
function asForeseen(step: Step, error: unknown): MirrorError {
  if (isMirrorError(error)) return error
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) throw error
  return new FileUnreadable(
    `cannot ${step.kind} ${subjectOf(step)}: ${syscall} failed with ${code}`,
    {
      cause: error,
      hint: 'See that the disk has room and that the daemon may read and write the folder; it is tried again by itself.',
    },
  )
}

/** What is to land under its own name has no path yet that anybody knows. */
const subjectOf = (step: Step): string =>
  step.kind === 'land' && step.reference.path === undefined
    ? `${step.reference.mediaId} ${renderPlace(step.reference)}`
    : `\`${step.path}\``
