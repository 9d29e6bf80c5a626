// Answers for the order of commits and for sharing flushes: what is queued during one flush goes into the next. A commit
// becomes visible only when it is durable. The queue has no limit of its own: each of its callers waits for its promise.

/** More than this is not put into one flush, unless a single commit is larger. */
const MAX_BATCH_CHARS = 4 * 2 ** 20

interface Commit {
  readonly record: string
  /** Makes it visible; called once, after the flush. */
  readonly apply: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface CommitQueue {
  add(record: string, apply: () => void): Promise<void>
  /** Runs the act while no flush is under way and all that was flushed is visible. */
  between<T>(act: () => Promise<T>): Promise<T>
  /** Resolves when nothing is left to be done. */
  drained(): Promise<void>
}

export function createCommitQueue(flush: (bytes: Buffer) => Promise<void>): CommitQueue {
  let waiting: Commit[] = []
  const acts: (() => Promise<void>)[] = []
  let draining: Promise<void> | undefined

  const drain = async () => {
    // One turn later, so that commits made in the same breath share the first flush too.
    await Promise.resolve()
    while (acts.length > 0 || waiting.length > 0) {
      for (const act of acts.splice(0)) await act()
      if (waiting.length > 0) await flushBatch(takeBatch())
    }
    draining = undefined
  }

  const takeBatch = (): readonly Commit[] => {
    let chars = 0
    const end = waiting.findIndex((commit, index) => {
      chars += commit.record.length
      return index > 0 && chars > MAX_BATCH_CHARS
    })
    const batch = end === -1 ? waiting : waiting.slice(0, end)
    waiting = end === -1 ? [] : waiting.slice(end)
    return batch
  }

  const flushBatch = async (batch: readonly Commit[]) => {
    try {
      await flush(Buffer.from(batch.map((commit) => commit.record).join('')))
    } catch (error) {
      for (const commit of batch) commit.reject(error)
      return
    }
    for (const commit of batch) {
      commit.apply()
      commit.resolve()
    }
  }

  const wake = () => void (draining ??= drain())

  return {
    add: (record, apply) =>
      new Promise((resolve, reject) => {
        waiting.push({ record, apply, resolve, reject })
        wake()
      }),
    between: (act) =>
      new Promise((resolve, reject) => {
        acts.push(() => act().then(resolve, reject))
        wake()
      }),
    drained: async () => draining,
  }
}
