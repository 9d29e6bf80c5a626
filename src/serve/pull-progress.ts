// Answers for how far a `pull` has come: media that are decided, and the bytes of those under way. Told a few times a second at most.
import type { Arrival, Arrivals } from '../support/arrivals.ts'
import type { Progress, PullAnswer } from './desk.ts'

/** A person sees no more. */
const EVERY_MS = 80

export function createPullProgress(
  { clock, arrivals }: { clock: { nowMs(): number }; arrivals: Pick<Arrivals, 'watch'> },
  total: number,
  tell: (progress: Progress) => void,
) {
  /** Of what is under way, and of what has come: the last that was heard. */
  const heard = new Map<string, Arrival>()
  const decided = new Set<string>()
  let failed = 0
  let toldAtMs = Number.NEGATIVE_INFINITY

  const unwatch = arrivals.watch((arrival) => {
    if (decided.has(arrival.mediaId)) return
    heard.set(arrival.mediaId, arrival)
    tellNow()
  })

  function tellNow() {
    const nowMs = clock.nowMs()
    // A clock that was set back is no reason to fall silent.
    if (nowMs >= toldAtMs && nowMs - toldAtMs < EVERY_MS) return
    toldAtMs = nowMs
    tell(describeProgress({ heard: [...heard.values()], decided, failed, total }))
  }

  return {
    decided({ media_id, kind }: PullAnswer) {
      decided.add(media_id)
      if (kind !== 'landed') {
        failed++
        heard.delete(media_id)
      }
      tellNow()
    },
    stop: unwatch,
  }
}

function describeProgress(now: {
  heard: readonly Arrival[]
  decided: ReadonlySet<string>
  failed: number
  total: number
}): Progress {
  const underWay = now.heard.filter(({ mediaId }) => !now.decided.has(mediaId))
  const sum = (of: readonly Arrival[], bytes: (arrival: Arrival) => number) =>
    of.reduce((all, arrival) => all + bytes(arrival), 0)
  return {
    done: now.decided.size,
    total: now.total,
    failed: now.failed,
    doneBytes: sum(now.heard, ({ receivedBytes }) => receivedBytes),
    current: underWay.map(({ mediaId }) => mediaId),
    underWay: {
      parts: sum(underWay, ({ receivedBytes, totalBytes }) =>
        totalBytes ? Math.min(1, receivedBytes / totalBytes) : 0,
      ),
      totalBytes: underWay.every(({ totalBytes }) => totalBytes !== undefined)
        ? sum(underWay, ({ totalBytes = 0 }) => totalBytes)
        : null,
    },
  }
}
