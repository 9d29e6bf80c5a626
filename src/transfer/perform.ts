// Answers for carrying out one step: which part does it, and that nothing is given up as gone before one more look at the disk.
// What else may have changed since the plan is looked at again by upload.ts and download.ts. Errors pass through to pass.ts.
import { assertNever } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { describeForgotten, hadFile, type ManifestEntry } from '../media/media.ts'
import type { Step } from '../plan/step.ts'
import type { Emit } from '../support/events.ts'
import type { createDownloader } from './download.ts'
import { isFileAt } from './place.ts'
import type { createUploader } from './upload.ts'

type ForgetStep = Extract<Step, { kind: 'forget' }>
type AdoptStep = Extract<Step, { kind: 'adopt' }>
type DropProblemStep = Extract<Step, { kind: 'drop-problem' }>

export type Perform = (step: Step, signal: AbortSignal) => Promise<void>

/** Performs steps of every kind; each resolves when its outcome is durable and told. */
export function createPerform(deps: {
  root: string
  manifest: Pick<Manifest, 'commit' | 'findEntry' | 'findProblem'>
  /** Other hosts may offer again what was deleted here: then it is remembered that it was. */
  remembersForgotten?: boolean
  upload: ReturnType<typeof createUploader>
  download: ReturnType<typeof createDownloader>
  clock: { nowMs(): number }
  emit: Emit
}): Perform {
  const { root, manifest, emit } = deps

  async function forget({ path, because, evenIfThere }: ForgetStep): Promise<void> {
    if (!evenIfThere && (await isFileAt(root, path))) return
    // What stood in the way of restoring it, or of seeing that it is gone, matters no more.
    const hadProblem = await manifest.findProblem(path)
    const entry = deps.remembersForgotten ? await manifest.findEntry(path) : undefined
    await manifest.commit([
      { kind: 'drop-entry', path },
      ...(hadProblem ? [{ kind: 'drop-problem', path } as const] : []),
      ...(entry && hadFile(entry)
        ? [{ kind: 'put-problem', problem: describeForgotten(entry, deps.clock.nowMs()) } as const]
        : []),
    ])
    emit({ kind: 'forgotten', path, because })
    if (hadProblem) emit({ kind: 'problem-solved', path })
  }

  async function adopt({ path, over, entry }: AdoptStep): Promise<void> {
    const standing = await manifest.findEntry(path)
    if (standing?.mediaId !== over.mediaId || standing.version !== over.version) return
    if (standing.fingerprint !== entry.fingerprint) return
    // What the file is like now is for those to say who looked last.
    const { stamp, modifiedAtMs } = standing
    const adopted = { ...entry, stamp, modifiedAtMs }
    await manifest.commit([{ kind: 'put-entry', entry: adopted }])
    if (entry.mediaId !== over.mediaId) emit({ kind: 'adopted', entry: adopted })
  }

  async function reportLost(entry: ManifestEntry): Promise<void> {
    if (await isFileAt(root, entry.path)) return
    await deps.download.reportLost(entry, 'its file is gone and its media_id has expired')
  }

  async function dropProblem({ path, evenIfThere }: DropProblemStep): Promise<void> {
    if (!evenIfThere && (await isFileAt(root, path))) return
    if (!(await manifest.findProblem(path))) return
    await manifest.commit([{ kind: 'drop-problem', path }])
    emit({ kind: 'problem-solved', path })
  }

  return (step, signal) => {
    switch (step.kind) {
      case 'upload':
      case 'renew':
        return deps.upload(step, signal)
      case 'restore':
        return deps.download.restore(step, signal)
      case 'land':
        return deps.download.land(step, signal)
      case 'take':
        return deps.download.take(step, signal)
      case 'adopt':
        return adopt(step)
      case 'forget':
        return forget(step)
      case 'report-lost':
        return reportLost(step.entry)
      case 'drop-problem':
        return dropProblem(step)
      default:
        return assertNever(step)
    }
  }
}
