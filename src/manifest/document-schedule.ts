// Answers for the document following the journal: one write at a time, at the cadence, retried when the disk does not
// take it. Not for how it is written.
import { ManifestUnwritable } from '../errors.ts'
import type { Clock, Timer } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'
import { documentRetryDelayMs, nextDocumentDelayMs } from './document-cadence.ts'

export interface DocumentSchedule {
  /** Something is durable that the document does not have. */
  changed(): void
  /** Writes what is outstanding, once, and no more after that. A failure is told and costs nothing: the journal has it. */
  stop(): Promise<void>
}

interface ScheduleDeps {
  readonly clock: Clock
  readonly emit: Emit
  /** The size of the document that is there now. */
  readonly documentBytes: number
  readonly write: () => Promise<{ entries: number; sizeBytes: number }>
}

export function createDocumentSchedule(deps: ScheduleDeps): DocumentSchedule {
  const { clock, emit, write } = deps
  let documentBytes = deps.documentBytes
  let lastWriteAtMs = Number.NEGATIVE_INFINITY
  let isOutstanding = false
  let isStopped = false
  let failureCount = 0
  let failingSinceMs: number | undefined
  let timer: Timer | undefined
  let writing: Promise<void> | undefined

  const delayMs = () =>
    failureCount > 0
      ? documentRetryDelayMs(failureCount)
      : nextDocumentDelayMs({ documentBytes, sinceLastWriteMs: clock.nowMs() - lastWriteAtMs })

  const plan = () => {
    if (!isOutstanding || isStopped || timer !== undefined || writing !== undefined) return
    timer = clock.after(delayMs(), () => {
      timer = undefined
      writing = writeOnce().finally(() => {
        writing = undefined
        plan()
      })
    })
  }

  const writeOnce = async () => {
    const startedAtMs = clock.nowMs()
    isOutstanding = false
    try {
      const { entries, sizeBytes } = await write()
      documentBytes = sizeBytes
      failureCount = 0
      const nowMs = clock.nowMs()
      const failedForMs = failingSinceMs === undefined ? undefined : nowMs - failingSinceMs
      failingSinceMs = undefined
      const tookMs = nowMs - startedAtMs
      emit({ kind: 'document-written', entries, bytes: sizeBytes, tookMs, failedForMs })
    } catch (error) {
      if (!(error instanceof ManifestUnwritable)) throw error
      isOutstanding = true
      failureCount++
      failingSinceMs ??= clock.nowMs()
      if (failureCount === 1)
        emit({ kind: 'document-failed', message: error.message, hint: error.hint ?? '' })
    }
    lastWriteAtMs = clock.nowMs()
  }

  return {
    changed() {
      isOutstanding = true
      plan()
    },
    async stop() {
      isStopped = true
      timer?.cancel()
      await writing
      if (isOutstanding) await writeOnce()
    },
  }
}
