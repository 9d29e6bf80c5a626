// Answers for hints: collects what the watches tell, says where to look, and says when looking there is not enough.
// Not for what is there: the scan is the truth.
import { readFileSync } from 'node:fs'
import type { Clock, Timer } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'
import { createDirectoryWatches } from './directory-watches.ts'

/** Changes come in bursts; this much later most of one is there, and no person notices the delay. */
const DEBOUNCE_MS = 50
/** More hints in a second than this cost more than a scan, and the kernel's queue (16,384) may have overflown unnoticed. */
const MAX_HINTS_PER_SECOND = 4_000
/** During a burst hints are not even kept; the scan comes this long after its start, and again if it goes on. */
const BURST_PAUSE_MS = 500
const LAG_CHECK_MS = 1_000
/** The kernel keeps so many events for us, unless it is set otherwise, and drops what is beyond without a word that reaches us. */
const USUAL_QUEUE_LENGTH = 16_384
/** One turn of the event loop that brings this part of them found the queue full, or as good as. */
const FULL_PART = 0.9
/** A loop that stood still for longer may have let the kernel's queue overflow, which nobody is told of. */
const MAX_LAG_MS = 1_000

export interface Watcher {
  /** Watches these directories as well; resolves when the watches stand, or the system refused more of them. */
  cover(directories: readonly string[]): Promise<void>
  /** Gives up every watch whose directory is not among these. */
  keepOnly(directories: ReadonlySet<string>): void
  drop(directory: string): void
  has(directory: string): boolean
  /** Some directories have no watch: only scans see what happens there. */
  isDegraded(): boolean
  start(): void
  stop(): Promise<void>
}

export interface WatcherDeps {
  readonly root: string
  readonly clock: Clock
  readonly emit: Emit
  /** Something may have changed at these paths, or below them where they are directories. */
  readonly onHint: (paths: ReadonlySet<string>) => void
  /** Hints may have been lost: only a scan can tell. */
  readonly onUncertain: (because: string) => void
}

/** Makes the watcher of one folder. */
export function createWatcher({ root, clock, emit, onHint, onUncertain }: WatcherDeps): Watcher {
  const watches = createDirectoryWatches({ root, onHint: collect, onError: hearError })
  let hints = new Set<string>()
  let flushTimer: Timer | undefined
  let lagTimer: Timer | undefined
  let secondStartedAtMs = 0
  let hintsInSecond = 0
  let isBursting = false
  let isStopped = false
  const fullQueue = FULL_PART * readQueueLength()
  let hintsInTurn = 0
  let refusal: string | undefined
  let isToldDegraded = false

  function collect(path: string) {
    if (isStopped) return
    // What has piled up in the queue is all told in one turn, before any timer.
    if (hintsInTurn++ === 0) setImmediate(judgeTurn)
    if (isBursting) return
    const nowMs = clock.nowMs()
    if (Math.abs(nowMs - secondStartedAtMs) >= 1000) {
      secondStartedAtMs = nowMs
      hintsInSecond = 0
    }
    if (++hintsInSecond > MAX_HINTS_PER_SECOND) return waitOutBurst()
    hints.add(path)
    flushTimer ??= clock.after(DEBOUNCE_MS, flush)
  }

  function judgeTurn() {
    const isFull = hintsInTurn >= fullQueue
    hintsInTurn = 0
    if (isFull && !isStopped) startAnew('more changes at once than the system keeps')
  }

  /** The end of a directory may be among what was lost, and a watch that outlived its directory is blind: set up anew. */
  function startAnew(because: string) {
    watches.drop('')
    onUncertain(because)
  }

  function flush() {
    flushTimer = undefined
    const collected = hints
    hints = new Set()
    onHint(collected)
  }

  function waitOutBurst() {
    isBursting = true
    hintsInSecond = 0
    hints = new Set()
    flushTimer?.cancel()
    flushTimer = clock.after(BURST_PAUSE_MS, () => {
      flushTimer = undefined
      isBursting = false
      onUncertain(`more than ${MAX_HINTS_PER_SECOND} changes within a second`)
    })
  }

  function hearError(error: Error) {
    const { code } = error as NodeJS.ErrnoException
    // While watches run out there is one of these for every directory; `cover` tells it once.
    if (code === 'ENOSPC' || code === 'EMFILE') refusal = code
    // A directory may go while its watch is set up; the scan that set it up sees that too.
    else if (code !== 'ENOENT') onUncertain(`the watcher failed: ${error.message}`)
  }

  async function cover(directories: readonly string[]): Promise<void> {
    refusal = undefined
    await watches.add(directories)
    if (isStopped) return
    if (refusal !== undefined && !isToldDegraded) emit(degraded(refusal, root))
    if (refusal === undefined && isToldDegraded) emit({ kind: 'watch-restored' })
    isToldDegraded = refusal !== undefined
  }

  function checkLag() {
    const expectedAtMs = clock.nowMs() + LAG_CHECK_MS
    lagTimer = clock.after(LAG_CHECK_MS, () => {
      if (isStopped) return
      if (clock.nowMs() - expectedAtMs > MAX_LAG_MS)
        startAnew('the program stood still for a while')
      checkLag()
    })
  }

  return {
    cover,
    keepOnly(directories) {
      for (const directory of [...watches.directories()])
        if (!directories.has(directory)) watches.drop(directory)
    },
    drop: watches.drop,
    has: watches.has,
    isDegraded: () => isToldDegraded,
    start: checkLag,
    async stop() {
      isStopped = true
      flushTimer?.cancel()
      lagTimer?.cancel()
      await watches.close()
    },
  }
}

function readQueueLength(): number {
  try {
    const text = readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')
    return Number.parseInt(text, 10) || USUAL_QUEUE_LENGTH
  } catch {
    // No such thing on this system, or not for us to read: then it is as usual.
    return USUAL_QUEUE_LENGTH
  }
}

const degraded = (code: string, root: string) =>
  ({
    kind: 'watch-degraded',
    because: `cannot watch every directory of \`${root}\`: the system allows no more ${code === 'EMFILE' ? 'inotify instances' : 'inotify watches'} (${code})`,
    hint:
      code === 'EMFILE'
        ? 'Raise fs.inotify.max_user_instances (sysctl), or end other programs that watch files. Until then changes are found by scans only.'
        : 'Raise fs.inotify.max_user_watches, e.g. `sysctl fs.inotify.max_user_watches=1048576`. Until then some changes are found by scans only.',
  }) as const
