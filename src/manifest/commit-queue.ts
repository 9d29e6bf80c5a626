// Answers for the order of commits and for sharing flushes: what is queued during one flush goes into the next. A commit
// becomes visible only when it is durable. The queue has no limit of its own: each of its callers waits for its promise.
import type { Ahead } from './alteration.ts'

/** More than this is not put into one flush, unless a single commit is larger. */
const MAX_BATCH_CHARS = 4 * 2 ** 20

interface Commit {
  /** Its record, made when its turn has come: everything of earlier flushes is visible by then. Empty when it alters nothing. */
  readonly render: (ahead: Ahead) => string
  /** Makes it visible; called once, after the flush. */
  readonly apply: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface CommitQueue {
  add(render: (ahead: Ahead) => string, apply: () => void): Promise<void>
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
      if (waiting.length > 0) await flushBatch(...takeBatch())
    }
    draining = undefined
  }

  /** One that finds no room any more is rendered again with the next batch. */
  const takeBatch = (): [readonly Commit[], string] => {
    const ahead: Ahead = new Map()
    let records = ''
    const end = waiting.findIndex((commit, index) => {
      const record = commit.render(ahead)
      if (index > 0 && records.length + record.length > MAX_BATCH_CHARS) return true
      records += record
      return false
    })
    const batch = end === -1 ? waiting : waiting.slice(0, end)
    waiting = end === -1 ? [] : waiting.slice(end)
    return [batch, records]
  }

  const flushBatch = async (batch: readonly Commit[], records: string) => {
    try {
      if (records !== '') await flush(Buffer.from(records))
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
    add: (render, apply) =>
      new Promise((resolve, reject) => {
        waiting.push({ render, apply, resolve, reject })
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
