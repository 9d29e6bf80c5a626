// Answers for ticks: node-cron wakes us by the clock on the wall, and every tick, also a missed one, becomes a callback.
// Not for what is due: that stands in the manifest, so a tick that never comes costs a delay and nothing else.
import cron, { type ScheduledTask } from 'node-cron'
import type { Emit } from './support/events.ts'

/** A tick reached later than this is reported as missed by node-cron, which then skips it; we make it good. */
const TOLERANCE_MS = 60_000

export interface Schedule {
  start(): void
  stop(): Promise<void>
}

export function createSchedule(deps: {
  ticks: readonly { name: string; expression: string; onTick: () => void }[]
  emit: Emit
}): Schedule {
  let tasks: ScheduledTask[] = []

  return {
    start() {
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
    },
    async stop() {
      await Promise.all(tasks.map((task) => task.destroy()))
      tasks = []
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
