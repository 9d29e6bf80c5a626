// Answers for time in a simulation: it stands still while anything is being done, and leaps to the next timer when all of it is
// done. Not for who sets the timers.
import { type Clock, createSleep, type Timer } from '../../src/support/clock.ts'

export interface VirtualClock extends Clock {
  /** Changes what the clock on the wall says without letting time pass: a leap, forward or back. */
  leap(byMs: number): void
  /**
   * Lets time pass until the monotonic moment. While `isBusy`, time stands still and real turns of the event loop are taken
   * instead, for whoever yields to it.
   */
  runUntil(untilMs: number, isBusy: () => boolean): Promise<void>
  /** Forgets every timer, as the death of a process does. */
  forgetTimers(): void
}

interface Alarm extends Timer {
  readonly atMs: number
  readonly sequence: number
  /** Undefined once cancelled or fired. */
  callback: (() => void) | undefined
}

/** After so many moments a real turn is taken, so that what waits for one (a document being written) gets on. */
const MOMENTS_PER_TURN = 512

/** A clock that stands still until told to run; the wall shows `startMs` at the monotonic moment 0. */
export function createVirtualClock(startMs: number): VirtualClock {
  let elapsedMs = 0
  let wallMs = startMs
  let sequence = 0
  const alarms: Alarm[] = []

  const after: Clock['after'] = (delayMs, callback) => {
    const atMs = elapsedMs + Math.max(0, delayMs)
    const alarm: Alarm = { atMs, sequence: sequence++, callback, cancel }
    siftUp(alarms, alarm)
    return alarm
  }

  /** The next alarm that still counts, left in its place. */
  function peek(): Alarm | undefined {
    for (let alarm = alarms[0]; alarm; alarm = alarms[0]) {
      if (alarm.callback) return alarm
      pop(alarms)
    }
    return undefined
  }

  /** Fires the next alarm that is not later than `untilMs`; false when there is none. */
  function fireNext(untilMs: number): boolean {
    const alarm = peek()
    if (alarm === undefined || alarm.atMs > untilMs) return false
    pop(alarms)
    elapsedMs = alarm.atMs
    const { callback } = alarm
    alarm.callback = undefined
    callback?.()
    return true
  }

  return {
    nowMs: () => wallMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after,
    sleep: createSleep(after),
    leap: (byMs) => void (wallMs += byMs),
    forgetTimers: () => void (alarms.length = 0),
    runUntil: (untilMs, isBusy) =>
      new Promise((resolve, reject) => {
        let moments = 0
        const step = () => {
          try {
            if (isBusy()) return void setImmediate(step)
            if (!fireNext(untilMs)) {
              elapsedMs = untilMs
              return resolve()
            }
          } catch (error) {
            return reject(error)
          }
          if (++moments % MOMENTS_PER_TURN === 0) setImmediate(step)
          else queueMicrotask(whenDry)
        }
        // A tick that is asked for by a microtask comes when the last microtask of them all is done: every chain of promises
        // has run dry by then, however long it was, for a tenth of what a turn of the event loop costs.
        const whenDry = () => process.nextTick(step)
        setImmediate(step)
      }),
  }
}

function cancel(this: Alarm): void {
  this.callback = undefined
}

const precedes = (a: Alarm, b: Alarm) =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)

/** A binary heap: few timers are set at a time, one for each transfer under way. */
function siftUp(heap: Alarm[], alarm: Alarm): void {
  let index = heap.push(alarm) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent]
    if (!above || !precedes(alarm, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = alarm
}

function pop(heap: Alarm[]): void {
  const alarm = heap.pop()
  if (alarm === undefined || heap.length === 0) return
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    const left = heap[child]
    if (!left) break
    const right = heap[child + 1]
    const smaller = right && precedes(right, left) ? right : left
    if (smaller === right) child++
    if (!precedes(smaller, alarm)) break
    heap[index] = smaller
    index = child
  }
  heap[index] = alarm
}
