// Answers for what the manifest of a simulation promises, kept a second time and apart from it: when each medium dies, when it is
// due, and which have died. By numbers in typed arrays, so that a million media make no garbage.

export interface Ledger {
  /** The medium has a new id. */
  renewed(index: number, life: { readonly expiresAtMs: number; readonly renewAtMs: number }): void
  /** Takes note of the deaths up to this moment. */
  settle(nowMs: number): void
  /** Media whose id dies after the one moment and not after the other. */
  dying(afterMs: number, untilMs: number): number[]
  /** When the id of a medium dies; 0 for one that never had any. */
  expiresAtMs(index: number): number
  /** New ids so far, and media that ever had one. */
  renewals(): number
  everAlive(): number
  /** How many ids have died before they were replaced. */
  deaths(): number
  /** How many media are without a living id at this moment, of those that ever had one. */
  dead(): number
  /** The deadlines of everything that lives, in order. */
  deadlines(nowMs: number): Float64Array
  /** From now on the renewals of what is due at this moment are counted, until all are done. */
  watchBacklog(nowMs: number): Backlog
}

export interface Backlog {
  readonly size: number
  left(): number
  /** Whether this medium is still to be renewed. */
  has(index: number): boolean
  /** All renewals since, also of what was not in it. */
  renewals(): number
  /** Called when the last of it is renewed. */
  onDone(callback: () => void): void
}

const PAGE_MS = 60_000

/** `capacity`: the highest number of a medium, and one. */
export function createLedger(deps: {
  readonly capacity: number
  readonly startMs: number
  readonly endMs: number
  readonly nowMs: () => number
}): Ledger {
  const { capacity, startMs, nowMs } = deps
  // Side by side, since a medium is never asked for the one without the other: when it dies, and when it is due.
  const lives = new Float64Array(2 * capacity)
  const isDead = new Uint8Array(capacity)
  // Pages by the minute of death. A medium is put down on a page and never taken off; how many on it still count is known, and
  // in good times that is nobody when its minute comes.
  const firstMs = startMs - PAGE_MS
  const pageCount = Math.ceil((deps.endMs - firstMs) / PAGE_MS) + 1
  const pages: (number[] | undefined)[] = Array(pageCount).fill(undefined)
  const counts = new Int32Array(pageCount)
  let settledPage = 0
  let renewals = 0
  let everAlive = 0
  let deaths = 0
  let dead = 0
  let backlog: { left: number; renewals: number; isIn: Uint8Array; done: () => void } | undefined

  const expiresAtMs = (index: number) => lives[2 * index] ?? 0
  const isAlive = (index: number) => isDead[index] === 0 && expiresAtMs(index) > 0
  const pageOf = (atMs: number) =>
    Math.max(0, Math.min(pageCount - 1, Math.floor((atMs - firstMs) / PAGE_MS)))

  /** The page of a minute may come again as long as it lies ahead. */
  function putDown(index: number, number: number) {
    counts[number] = (counts[number] ?? 0) + 1
    const page = pages[number]
    if (page === undefined) pages[number] = [index]
    else page.push(index)
  }

  const strikeOff = (number: number) => {
    counts[number] = (counts[number] ?? 0) - 1
  }

  function die(index: number) {
    strikeOff(pageOf(expiresAtMs(index)))
    isDead[index] = 1
    deaths++
    dead++
  }

  /** Who still counts on a page, each once. */
  function on(number: number): readonly number[] {
    const count = counts[number] ?? 0
    if (count === 0) return []
    const current = (pages[number] ?? []).filter(
      (index) => isAlive(index) && pageOf(expiresAtMs(index)) === number,
    )
    return current.length === count ? current : [...new Set(current)]
  }

  return {
    renewed(index, life) {
      if (isAlive(index) && expiresAtMs(index) <= nowMs()) die(index)
      if (isDead[index] === 1) dead--
      else if (expiresAtMs(index) === 0) everAlive++
      else strikeOff(pageOf(expiresAtMs(index)))
      isDead[index] = 0
      renewals++
      lives[2 * index] = life.expiresAtMs
      lives[2 * index + 1] = life.renewAtMs
      putDown(index, pageOf(life.expiresAtMs))
      if (backlog === undefined) return
      backlog.renewals++
      if (backlog.isIn[index] !== 1) return
      backlog.isIn[index] = 0
      if (--backlog.left > 0) return
      backlog.done()
      backlog = undefined
    },
    settle(atMs) {
      const last = pageOf(atMs)
      for (let number = settledPage; number <= last; number++) {
        for (const index of on(number)) if (expiresAtMs(index) <= atMs) die(index)
        if (number < last) pages[number] = undefined
      }
      settledPage = last
    },
    dying(afterMs, untilMs) {
      const found: number[] = []
      for (let number = pageOf(afterMs); number <= pageOf(untilMs); number++) {
        for (const index of on(number)) {
          const atMs = expiresAtMs(index)
          if (atMs > afterMs && atMs <= untilMs) found.push(index)
        }
      }
      return found
    },
    expiresAtMs,
    renewals: () => renewals,
    everAlive: () => everAlive,
    deaths: () => deaths,
    dead: () => dead,
    deadlines: (atMs) => lives.filter((moment, at) => at % 2 === 0 && moment > atMs).sort(),
    watchBacklog(atMs) {
      const isIn = new Uint8Array(capacity)
      let size = 0
      for (let index = 0; index < capacity; index++) {
        if (expiresAtMs(index) === 0 || (lives[2 * index + 1] ?? 0) > atMs) continue
        isIn[index] = 1
        size++
      }
      const watched = { left: size, renewals: 0, isIn, done: () => {} }
      backlog = watched
      return {
        size,
        left: () => watched.left,
        has: (index) => isIn[index] === 1,
        renewals: () => watched.renewals,
        onDone: (callback) => {
          watched.done = callback
          if (size === 0) callback()
        },
      }
    },
  }
}
