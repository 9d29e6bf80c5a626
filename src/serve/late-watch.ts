// Answers for telling that media were not renewed in time: all in one line a day, not one for each of them or for each attempt,
// and one line when it is over. Which media those are is serve/late-renewals.ts.

import type { Clock, Timer } from '../support/clock.ts'
import type { Events } from '../support/events.ts'
import type { LateRenewals } from './late-renewals.ts'
import type { Prospect } from './prospect.ts'

/** Looked at this often in a lifetime (each quarter of an hour of three days), and not at once: a backlog is first worked on. */
const LOOKS = 288
const SHORTEST_WAIT_MS = 1000
const TOLD_EVERY_MS = 24 * 60 * 60_000
/** It is over when nothing was late for this part of a lifetime: what comes and goes within an hour is one trouble. */
const QUIET_PART = 72
/** So many are told by name. */
const MOST_NAMED = 3

export function createLateWatch(deps: {
  clock: Pick<Clock, 'after'>
  /** The service's clock. */
  serviceClock: { nowMs(): number }
  emit: Events['emit']
  lifetimeMs: number
  late: () => Promise<LateRenewals>
  onBug: (error: unknown) => void
}) {
  const { clock, serviceClock, emit } = deps
  let timer: Timer | undefined
  let stopped = false
  /** What is being told of, if anything is. */
  let trouble: { sinceMs: number; toldAtMs: number; lastSeenAtMs: number } | undefined

  function arm() {
    if (stopped) return
    timer = clock.after(Math.max(deps.lifetimeMs / LOOKS, SHORTEST_WAIT_MS), () => {
      look().then(arm).catch(deps.onBug)
    })
  }

  async function look() {
    const late = await deps.late()
    if (stopped) return
    const nowMs = serviceClock.nowMs()
    const reason = mainReason(late)
    if (!reason) return endWhenQuiet(nowMs)
    const isToldToday = trouble && nowMs - trouble.toldAtMs < TOLD_EVERY_MS
    trouble = {
      sinceMs: trouble?.sinceMs ?? nowMs,
      toldAtMs: isToldToday && trouble ? trouble.toldAtMs : nowMs,
      lastSeenAtMs: nowMs,
    }
    if (isToldToday) return
    const { count, isMore, expired, nextDeathAtMs, named } = late
    const { because, hint } = reason
    const paths = named.slice(0, MOST_NAMED).map(({ entry }) => entry.path)
    emit({ kind: 'renewals-late', count, isMore, expired, nextDeathAtMs, paths, because, hint })
  }

  function endWhenQuiet(nowMs: number) {
    if (!trouble || nowMs - trouble.lastSeenAtMs < deps.lifetimeMs / QUIET_PART) return
    emit({ kind: 'renewals-in-time', lateForMs: trouble.lastSeenAtMs - trouble.sinceMs })
    trouble = undefined
  }

  return {
    /** Looks now and then from now on; returns the way to stop. */
    start() {
      arm()
      return () => {
        stopped = true
        timer?.cancel()
      }
    },
  }
}

/** What stands in the way of most of those that are named; some of them may be on their way at this moment. */
function mainReason({ named }: LateRenewals): Prospect | undefined {
  const counts = new Map<string, number>()
  for (const { prospect } of named)
    counts.set(prospect.because, (counts.get(prospect.because) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return named.find(({ prospect }) => counts.get(prospect.because) === most)?.prospect
}
