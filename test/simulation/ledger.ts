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
  /** All renewals since, also of what was not in it. */
  renewals(): number
  /** Called when the last of it is renewed. */
  onDone(callback: () => void): void
}

const PAGE_MS = 60_000
const NOBODY = -1

/** `capacity`: the highest number of a medium, and one. */
export function createLedger(deps: {
  readonly capacity: number
  readonly startMs: number
  readonly endMs: number
  readonly nowMs: () => number
}): Ledger {
  const { capacity, startMs, nowMs } = deps
  const expires = new Float64Array(capacity)
  const renews = new Float64Array(capacity)
  const isDead = new Uint8Array(capacity)
  // Lists by the minute of death, threaded through the media themselves.
  const firstMs = startMs - PAGE_MS
  const first = new Int32Array(Math.ceil((deps.endMs - firstMs) / PAGE_MS) + 1).fill(NOBODY)
  const next = new Int32Array(capacity).fill(NOBODY)
  const previous = new Int32Array(capacity).fill(NOBODY)
  const page = new Int32Array(capacity).fill(NOBODY)
  let settledPage = 0
  let renewals = 0
  let everAlive = 0
  let deaths = 0
  let dead = 0
  let backlog: { left: number; renewals: number; isIn: Uint8Array; done: () => void } | undefined

  const pageOf = (atMs: number) =>
    Math.max(0, Math.min(first.length - 1, Math.floor((atMs - firstMs) / PAGE_MS)))

  function link(index: number, number: number) {
    const head = first[number] ?? NOBODY
    next[index] = head
    previous[index] = NOBODY
    if (head !== NOBODY) previous[head] = index
    first[number] = index
    page[index] = number
  }

  function unlink(index: number) {
    const number = page[index] ?? NOBODY
    if (number === NOBODY) return
    const before = previous[index] ?? NOBODY
    const after = next[index] ?? NOBODY
    if (before === NOBODY) first[number] = after
    else next[before] = after
    if (after !== NOBODY) previous[after] = before
    page[index] = NOBODY
  }

  function die(index: number) {
    unlink(index)
    isDead[index] = 1
    deaths++
    dead++
  }

  function* on(number: number): Generator<number> {
    for (let index = first[number] ?? NOBODY; index !== NOBODY; ) {
      const following = next[index] ?? NOBODY
      yield index
      index = following
    }
  }

  return {
    renewed(index, life) {
      if (isDead[index] === 0 && page[index] !== NOBODY && (expires[index] ?? 0) <= nowMs())
        die(index)
      if (isDead[index] === 1) dead--
      isDead[index] = 0
      unlink(index)
      renewals++
      if (expires[index] === 0) everAlive++
      expires[index] = life.expiresAtMs
      renews[index] = life.renewAtMs
      link(index, pageOf(life.expiresAtMs))
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
        for (const index of on(number)) if ((expires[index] ?? 0) <= atMs) die(index)
      }
      settledPage = last
    },
    dying(afterMs, untilMs) {
      const found: number[] = []
      for (let number = pageOf(afterMs); number <= pageOf(untilMs); number++) {
        for (const index of on(number)) {
          const atMs = expires[index] ?? 0
          if (atMs > afterMs && atMs <= untilMs) found.push(index)
        }
      }
      return found
    },
    expiresAtMs: (index) => expires[index] ?? 0,
    renewals: () => renewals,
    everAlive: () => everAlive,
    deaths: () => deaths,
    dead: () => dead,
    deadlines: (atMs) => expires.filter((expiresAtMs) => expiresAtMs > atMs).sort(),
    watchBacklog(atMs) {
      const isIn = new Uint8Array(capacity)
      let size = 0
      for (let index = 0; index < capacity; index++) {
        if ((expires[index] ?? 0) === 0 || (renews[index] ?? 0) > atMs) continue
        isIn[index] = 1
        size++
      }
      const watched = { left: size, renewals: 0, isIn, done: () => {} }
      backlog = watched
      return {
        size,
        left: () => watched.left,
        renewals: () => watched.renewals,
        onDone: (callback) => {
          watched.done = callback
          if (size === 0) callback()
        },
      }
    },
  }
}
