// Answers for what a failed step means: the file's own fault is recorded as its problem, everyone else's waits for a later pass.
import { FileUnreadable, isMirrorError, type MirrorError } from './errors.ts'
import type { Manifest } from './manifest/manifest.ts'
import type { Problem, ProblemCode, Reference } from './media/media.ts'
import { landingPath, type Step } from './plan/step.ts'
import type { Emit } from './support/events.ts'

const PROBLEM_CODES: Readonly<Record<MirrorError['code'], ProblemCode>> = {
  MEDIA_UNACCEPTABLE: 'MEDIA_UNACCEPTABLE',
  FILE_UNREADABLE: 'FILE_UNREADABLE',
  WECOM_REFUSED: 'MEDIA_REFUSED',
  WECOM_UNREACHABLE: 'MEDIA_REFUSED',
  CONFIG: 'MEDIA_REFUSED',
  MANIFEST_UNREADABLE: 'FILE_UNREADABLE',
  MANIFEST_UNWRITABLE: 'FILE_UNREADABLE',
}

export function createFailedSteps(deps: {
  manifest: Pick<Manifest, 'findProblem' | 'commit'>
  /** The service's clock. */
  clock: { nowMs(): number }
  emit: Emit
}) {
  const { manifest, clock, emit } = deps

  /** Records or tells the failure; answers whether the path stays undone, to be looked at on the next tick. */
  async function takeIn(step: Step, thrown: unknown): Promise<'undone' | 'done'> {
    const error = asForeseen(step, thrown)
    if (error.remedy !== 'skip') {
      emit({ kind: 'step-postponed', path: step.path, error })
      return 'undone'
    }
    if (step.kind === 'land') await recordLoss(step.reference, error)
    else await recordProblem(step, error)
    // What could not be read may be readable at the next tick, with no sign of it in the file itself.
    return error.code === 'FILE_UNREADABLE' ? 'undone' : 'done'
  }

  async function recordProblem(step: Step, error: MirrorError): Promise<void> {
    const known = await manifest.findProblem(step.path)
    const problem = describeProblem(step, error, known, clock.nowMs())
    if (known?.message === problem.message && known.stamp === problem.stamp) return
    await manifest.commit([{ kind: 'put-problem', problem }])
    emit({ kind: 'problem-found', problem, hint: error.hint })
  }

  async function recordLoss(reference: Reference, { message }: MirrorError): Promise<void> {
    const { mediaId, path } = reference
    await manifest.commit([
      { kind: 'put-reference', reference: { ...reference, state: 'lost', message } },
    ])
    emit({ kind: 'lost', path: landingPath(mediaId, path), mediaId, message })
  }

  return { takeIn }
}

function describeProblem(
  step: Step,
  error: MirrorError,
  known: Problem | undefined,
  nowMs: number,
): Problem {
  const code = PROBLEM_CODES[error.code]
  return {
    path: step.path,
    code,
    message: error.message,
    sinceMs: known?.code === code ? known.sinceMs : nowMs,
    ...('file' in step ? { stamp: step.file.stamp } : {}),
  }
}

/** What the operating system refuses (a full disk, a lost permission) is foreseen; anything else is a bug and goes on as one. */
function asForeseen(step: Step, error: unknown): MirrorError {
  if (isMirrorError(error)) return error
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) throw error
  return new FileUnreadable(
    `cannot ${step.kind} \`${step.path}\`: ${syscall} failed with ${code}`,
    {
      cause: error,
      hint: 'See that the disk has room and that the daemon may read and write the folder; it is tried again on every tick.',
    },
  )
}
