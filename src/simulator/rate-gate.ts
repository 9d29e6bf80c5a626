// Answers for how often one may call: sliding windows, the block that follows, calls at the same time, wrong secrets.
// Decides by the clock alone; the numbers come from the settings.

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Counts what happened within the last `spanMs`. */
function createWindow(spanMs: number) {
  let times: number[] = []
  let first = 0
  const forget = (nowMs: number) => {
    // A clock set back leaves moments that have not come yet; they would count for too long.
    while (times.length > first && (times.at(-1) ?? 0) > nowMs) times.pop()
    while (first < times.length && (times[first] ?? 0) <= nowMs - spanMs) first += 1
    if (first > 10_000) {
      times = times.slice(first)
      first = 0
    }
  }
  return {
    count(nowMs: number) {
      forget(nowMs)
      return times.length - first
    },
    add: (nowMs: number) => void times.push(nowMs),
    clear() {
      times = []
      first = 0
    },
  }
}

export interface RateGate {
  /** Counts a call of `caller`; an errcode refuses it. What is let in must be let out again. */
  enter(caller: string): number | undefined
  leave(caller: string): void
}

interface Caller {
  readonly minute: ReturnType<typeof createWindow>
  readonly hour: ReturnType<typeof createWindow>
  blockedUntilMs: number
  inside: number
}

/** Keeps each caller (a corp at an API) below its limits: 45009 for too many calls, 45033 for too many at once. */
export function createRateGate(deps: {
  limits: () => { perMinute: number; perHour: number; concurrent: number }
  clock: { nowMs(): number }
}): RateGate {
  const { limits, clock } = deps
  const callers = new Map<string, Caller>()

  function find(name: string): Caller {
    const known = callers.get(name)
    if (known) return known
    const caller: Caller = {
      minute: createWindow(MINUTE_MS),
      hour: createWindow(HOUR_MS),
      blockedUntilMs: 0,
      inside: 0,
    }
    callers.set(name, caller)
    return caller
  }

  /** How long the block lasts that this call brings down, if it is one too many. */
  function blockMs(caller: Caller, nowMs: number): number {
    if (caller.hour.count(nowMs) >= limits().perHour) return HOUR_MS
    return caller.minute.count(nowMs) >= limits().perMinute ? MINUTE_MS : 0
  }

  return {
    enter(name) {
      const nowMs = clock.nowMs()
      const caller = find(name)
      // Calls during a block neither count nor lengthen it.
      if (nowMs < caller.blockedUntilMs) return 45009
      const block = blockMs(caller, nowMs)
      if (block > 0) {
        caller.blockedUntilMs = nowMs + block
        return 45009
      }
      caller.minute.add(nowMs)
      caller.hour.add(nowMs)
      if (caller.inside >= limits().concurrent) return 45033
      caller.inside += 1
      return undefined
    },
    leave(name) {
      find(name).inside -= 1
    },
  }
}

export interface SecretGuard {
  isBlocked(callerIp: string): boolean
  reportWrongSecret(callerIp: string): void
}

/** Blocks an address from gettoken after many wrong secrets: the trap behind every loop on 40001. */
export function createSecretGuard(deps: {
  limits: () => { count: number; blockMs: number }
  clock: { nowMs(): number }
}): SecretGuard {
  const { limits, clock } = deps
  const callers = new Map<string, { wrong: ReturnType<typeof createWindow>; untilMs: number }>()
  return {
    isBlocked: (callerIp) => clock.nowMs() < (callers.get(callerIp)?.untilMs ?? 0),
    reportWrongSecret(callerIp) {
      const nowMs = clock.nowMs()
      const caller = callers.get(callerIp) ?? { wrong: createWindow(HOUR_MS), untilMs: 0 }
      callers.set(callerIp, caller)
      caller.wrong.add(nowMs)
      if (caller.wrong.count(nowMs) < limits().count) return
      caller.untilMs = nowMs + limits().blockMs
      caller.wrong.clear()
    },
  }
}
