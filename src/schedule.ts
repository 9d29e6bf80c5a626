// Answers for ticks: node-cron wakes us by the clock on the wall, and every tick, also a missed one, becomes a callback.
// Not for what is due: that stands in the manifest, so a tick that never comes costs a delay and nothing else.
import cron, { type ScheduledTask } from 'node-cron'
import type { Clock, Timer } from './support/clock.ts'
import type { Emit } from './support/events.ts'

/** A tick reached later than this is reported as missed by node-cron, which then skips it; we make it good. */
const TOLERANCE_MS = 60_000
/** How often the clock on the wall is held against time that nobody can set. */
const LOOK_EVERY_MS = 60_000

export interface Schedule {
  start(): void
  stop(): Promise<void>
}

export function createSchedule(deps: {
  ticks: readonly { name: string; expression: string; onTick: () => void }[]
  clock: Pick<Clock, 'nowMs' | 'monotonicMs' | 'after'>
  emit: Emit
}): Schedule {
  const { clock } = deps
  let tasks: ScheduledTask[] = []
  let ended: Promise<unknown> = Promise.resolve()
  let timer: Timer | undefined
  /** The wall against time that only passes; it falls when the clock is set back. */
  let aheadMs = 0

  function begin() {
    tasks = deps.ticks.map(({ name, expression, onTick }) => {
      const task = cron.schedule(expression, onTick, {
        name,
        noOverlap: true,
        missedExecutionTolerance: TOLERANCE_MS,
        suppressMissedWarning: true,
      })
      task.on(
        'execution:missed',
        oncePerTurn(() => {
          deps.emit({ kind: 'tick-missed', schedule: name })
          onTick()
        }),
      )
      return task
    })
  }

  function end() {
    ended = Promise.all([ended, ...tasks.map((task) => task.destroy())])
    tasks = []
  }

  /** node-cron waits for the moment that it expected; when the clock is set back by a week, that is a week without a tick. */
  function lookAtWall() {
    const nowAheadMs = clock.nowMs() - clock.monotonicMs()
    const wasSetBack = nowAheadMs < aheadMs - TOLERANCE_MS
    aheadMs = nowAheadMs
    timer = clock.after(LOOK_EVERY_MS, lookAtWall)
    if (!wasSetBack) return
    end()
    begin()
    for (const { onTick } of deps.ticks) onTick()
  }

  return {
    start() {
      aheadMs = clock.nowMs() - clock.monotonicMs()
      begin()
      lookAtWall()
    },
    async stop() {
      timer?.cancel()
      end()
      await ended
    },
  }
}

/** After a night's sleep node-cron reports every tick of the night, all in one turn: one pass makes them all good. */
function oncePerTurn(act: () => void): () => void {
  let hasActed = false
  return () => {
    if (hasActed) return
    hasActed = true
    queueMicrotask(() => {
      hasActed = false
    })
    act()
  }
}
