// Answers for the folder as the rest of the program sees it: which files are there and stand still, and what of it is news.
// It announces; what an announcement means is decided elsewhere.
import type { FileFacts, MediaPath, Problem } from '../media/media.ts'
import type { Clock, Timer } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'
import { type Changes, createFolderIndex } from './folder-index.ts'
import { createFolderReader } from './folder-reader.ts'
import { createFolderScan } from './folder-scan.ts'
import { createIgnore } from './ignore.ts'
import { type Belief, judgeFolder, sightFolder } from './marker.ts'
import { createWatcher } from './watcher.ts'

/** How soon a folder that is not believed is looked at again: a mount must not wait for the next rescan. */
const DOUBTED_RESCAN_MS = 5_000
/** How often the folder is scanned while some of its directories cannot be watched. */
const DEGRADED_RESCAN_MS = 60_000

export interface FolderDeps {
  /** The real path, and whether it is marked, as `prepareFolder` tells. */
  readonly root: string
  readonly isMarked: boolean
  readonly settings: {
    readonly ignore: readonly string[]
    readonly settleMs: number
    readonly rescanMs: number
  }
  /** False for a single pass: nothing is watched and no timer is set, only `scan` and `lookAgain` look at the disk. */
  readonly isWatched: boolean
  readonly clock: Clock
  readonly emit: Emit
  readonly random: () => number
  /** News since the last time; never of the scan that `start` makes. */
  readonly onChange: (changes: Changes) => void
  /** The whole folder was read in its own time: the moment to compare it with everything that is known of it. */
  readonly onRescanned: () => void
  /** The folder is believed again, or no longer. */
  readonly onBelief: (belief: Belief) => void
  /** An error that nobody foresaw. */
  readonly onBug: (error: unknown) => void
}

export interface Folder {
  /** Sets up the watch, then scans; resolves after both. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Reads the whole folder, beginning after this call; resolves when it is read and announced. */
  scan(because: string): Promise<void>
  /** Looks again at what may have settled by now; resolves when that is announced. */
  lookAgain(): Promise<void>
  /** Looks at one path, and announces what is news. */
  lookAt(path: MediaPath): void
  /** When the next file that is still being written may have settled; undefined when none is. */
  nextSettleAtMs(): number | undefined
  /** The file at the path, once it stands still and can be read. */
  get(path: MediaPath): FileFacts | undefined
  /** Something is or may be there that cannot be judged now: still being written, or out of our reach. */
  isUnsettled(path: MediaPath): boolean
  /** Every file that is there, settled or not. */
  paths(): Iterable<MediaPath>
  files(under?: string): Iterable<FileFacts>
  fileCount(): number
  unsettledCount(): number
  /** What stands in the way of files right now: names, permissions, endless writing. */
  problems(): Iterable<Problem>
  belief(): Belief
  isBelieved(): boolean
}

/** Makes the face of the folder. */
export function createFolder(deps: FolderDeps): Folder {
  const { root, settings, clock, emit } = deps
  const index = createFolderIndex(settings)
  const scanner = createFolderScan({ root, isIgnored: createIgnore(settings.ignore), clock })
  const watcher = deps.isWatched
    ? createWatcher({ root, clock, emit, onHint, onUncertain: (because) => void scan(because) })
    : undefined
  const reader = createFolderReader({
    scan: scanner,
    index,
    watcher,
    clock,
    believe,
    isStopped: () => isStopped,
  })
  let belief: Belief = { kind: 'believed' }
  /** Of the root directory, as last seen. */
  let identity: string | undefined
  let hints = new Set<string>()
  let scanReasons = new Set<string>()
  let running: Promise<void> | undefined
  let rescanTimer: Timer | undefined
  let settleTimer: Timer | undefined
  let isStarted = false
  let isStopped = false

  function onHint(paths: ReadonlySet<string>) {
    for (const path of paths) hints.add(path)
    void work()
  }

  async function scan(because: string): Promise<void> {
    scanReasons.add(because)
    await work()
  }

  async function rescan(): Promise<void> {
    await scan('time for a rescan')
    if (!isStopped && belief.kind === 'believed') deps.onRescanned()
  }

  async function lookAgain(): Promise<void> {
    for (const path of index.dueLooks(clock.nowMs())) hints.add(path)
    // A timer that came too early, or after the clock fell back, finds nothing due and must not be the last.
    if (!isWorkLeft()) armSettleTimer()
    await work()
  }

  const isWorkLeft = () => !isStopped && (scanReasons.size > 0 || hints.size > 0)

  /** One look at the disk at a time; resolves when nothing that was asked for before is left. */
  async function work(): Promise<void> {
    // Asked again after waiting: what is asked for while a run comes to its end would otherwise wait for the next.
    while (isWorkLeft()) {
      running ??= workOff()
        .catch(deps.onBug)
        .finally(() => {
          running = undefined
        })
      await running
    }
  }

  async function workOff() {
    while (isWorkLeft()) {
      if (scanReasons.size > 0) await scanOnce()
      else await lookOnce()
      const changes = index.takeChanges()
      if (changes && isStarted && !isStopped) deps.onChange(changes)
    }
    armSettleTimer()
  }

  async function scanOnce() {
    const because = [...scanReasons].join(', ')
    const startedAtMs = clock.nowMs()
    scanReasons = new Set()
    if (await believe()) {
      await reader.readAll()
      if (!isStopped)
        emit({
          kind: 'scanned',
          files: index.fileCount(),
          tookMs: clock.nowMs() - startedAtMs,
          because,
        })
    }
    armRescanTimer()
  }

  async function lookOnce() {
    const taken = hints
    hints = new Set()
    // What is hinted at in a folder that is not believed tells nothing; the scan that restores belief sees it all.
    if (belief.kind === 'doubted' || taken.has('')) scanReasons.add('the folder itself changed')
    else await reader.look(taken)
  }

  async function believe(): Promise<boolean> {
    const sighting = await sightFolder(root, deps.isMarked)
    const now = judgeFolder(sighting)
    const wasBelieved = belief.kind === 'believed'
    belief = now
    // Watches stay with the directory that they were set on: another one in its place needs its own.
    if (identity !== sighting.identity) watcher?.drop('')
    identity = sighting.identity
    if (now.kind === 'doubted' && wasBelieved)
      emit({ kind: 'folder-doubted', because: now.because, hint: now.hint })
    if (now.kind === 'believed' && !wasBelieved) emit({ kind: 'folder-believed' })
    if (wasBelieved !== (now.kind === 'believed') && !isStopped) deps.onBelief(now)
    return now.kind === 'believed'
  }

  function armRescanTimer() {
    rescanTimer?.cancel()
    if (!watcher || isStopped) return
    let everyMs = settings.rescanMs
    if (watcher.isDegraded()) everyMs = Math.min(everyMs, DEGRADED_RESCAN_MS)
    if (belief.kind === 'doubted') everyMs = Math.min(everyMs, DOUBTED_RESCAN_MS)
    // Drawn anew each time, so that many folders are not all scanned at the same moment.
    const delayMs = everyMs * (0.75 + deps.random() / 2)
    rescanTimer = clock.after(delayMs, () => void rescan())
  }

  function armSettleTimer() {
    settleTimer?.cancel()
    const atMs = index.nextLookAtMs()
    // In a folder that is not believed nothing settles; the scan that restores belief looks at everything.
    if (!watcher || isStopped || atMs === undefined || belief.kind === 'doubted') return
    settleTimer = clock.after(atMs - clock.nowMs(), () => void lookAgain())
  }

  return {
    async start() {
      watcher?.start()
      await scan('start')
      isStarted = true
    },
    async stop() {
      isStopped = true
      rescanTimer?.cancel()
      settleTimer?.cancel()
      await watcher?.stop()
      await running
    },
    scan,
    lookAgain,
    lookAt: (path) => onHint(new Set([path])),
    nextSettleAtMs: () => (belief.kind === 'doubted' ? undefined : index.nextLookAtMs()),
    get: index.get,
    isUnsettled: index.isUnsettled,
    *paths() {
      for (const { path } of index.files()) yield path
    },
    files: index.files,
    fileCount: index.fileCount,
    unsettledCount: index.unsettledCount,
    problems: index.problems,
    belief: () => belief,
    isBelieved: () => belief.kind === 'believed',
  }
}
