// The composition root: builds every part from the configuration, starts them in order, stops them in reverse.
// Nothing is decided here; whoever wants to know how the parts hang together reads this file from top to bottom, which is why
// `build` is one long function: in pieces, each would be handed a dozen parts of the others.
import { createAskedFor } from './asked-for.ts'
import { createAudit } from './audit.ts'
import { openCallBook } from './call-book.ts'
import { createCapacityWatch } from './capacity-watch.ts'
import { createCircumstances } from './circumstances.ts'
import type { Config } from './config/config.ts'
import { resolveSecret } from './config/secret.ts'
import { createDangerWatch } from './danger-watch.ts'
import { ConfigError } from './errors.ts'
import { createFolderProblems } from './folder-problems.ts'
import { runFullPass } from './full-pass.ts'
import { keepKnownTime, readKnownTime } from './known-time.ts'
import { createLateWatch } from './late-watch.ts'
import { openLowdbManifest } from './manifest/lowdb-manifest.ts'
import type { Manifest } from './manifest/manifest.ts'
import { createKindPolicy } from './media/kind.ts'
import type { MediaPath } from './media/media.ts'
import { isTempName } from './media/temp-name.ts'
import { createPasses } from './pass.ts'
import { createRenewalRelease } from './renewal-release.ts'
import { createRetries } from './retries.ts'
import { createSchedule } from './schedule.ts'
import type { Desk } from './serve/desk.ts'
import { findLateRenewals } from './serve/late-renewals.ts'
import { createLocalDesk } from './serve/local-desk.ts'
import { createLocalServer } from './serve/server.ts'
import type { LiveFacts } from './serve/status.ts'
import type { Clock } from './support/clock.ts'
import type { Events } from './support/events.ts'
import { createDeadIds } from './transfer/dead-ids.ts'
import { createDownloader } from './transfer/download.ts'
import { removeLeftovers } from './transfer/leftovers.ts'
import { createPerform, deleteFile } from './transfer/perform.ts'
import { createTransferQueue, type TransferQueue } from './transfer/transfer-queue.ts'
import { createUploader } from './transfer/upload.ts'
import { createVainLookUps } from './vain-look-ups.ts'
import { createFolder, type Folder } from './watch/folder.ts'
import { createIgnore } from './watch/ignore.ts'
import { prepareFolder, resolveFolder } from './watch/marker.ts'
import { allowedRate } from './wecom/allowed-rate.ts'
import { createWecomStack } from './wecom-stack.ts'

export interface Mirror {
  readonly desk: Desk
  /** Watches, listens and keeps its schedules from now on; resolves after the first scan has been planned. */
  start(): Promise<void>
  /** Resolves when the work loop has come round once more. */
  heartbeat(): Promise<void>
  /** How things stand, in one line. */
  statusLine(): Promise<string>
  /** Transfers in flight are abandoned whole, the manifest is flushed, everything is given back. */
  stop(): Promise<void>
}

export interface MirrorDeps {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  /** What the process was called for; whoever finds the state in use is told. */
  readonly command: string
  readonly clock: Clock
  readonly random: () => number
  readonly events: Events
  /** False for commands that act once and end: they scan, and do not watch. */
  readonly isWatched: boolean
  /** An error that nobody foresaw: the program must not go on as if nothing had happened. */
  readonly onBug: (error: unknown) => void
}

type Closers = (() => Promise<void> | void)[]

/** Takes the lock of the state directory and builds the mirror. Rejects with `ConfigError` or `ManifestUnreadable`. */
export async function openMirror(config: Config, deps: MirrorDeps): Promise<Mirror> {
  const closers: Closers = []
  const stop = async () => {
    const failures: unknown[] = []
    // Each is closed whatever became of the one before: above all the manifest, which is the last.
    for (const close of closers.splice(0).reverse()) {
      await Promise.resolve()
        .then(close)
        .catch((error: unknown) => failures.push(error))
    }
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1) throw new AggregateError(failures, 'several parts could not be closed')
  }
  try {
    return { ...(await build(config, deps, closers)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function build(
  config: Config,
  deps: MirrorDeps,
  closers: Closers,
): Promise<Omit<Mirror, 'stop'>> {
  const { clock, events, random, onBug } = deps
  const { emit } = events
  const startedAtMs = clock.nowMs()

  // The folder first: a state directory must not be made inside it.
  await resolveFolder(config.folder.path, config.state)
  const manifest = await openLowdbManifest({
    directory: config.state,
    corpId: config.wecom.corpId,
    clock,
    emit,
    lock: 'exclusive',
    command: deps.command,
  })
  closers.push(() => manifest.close())
  const { wecom, circuit, concurrency, serviceClock, waitMs } = await createWecomStack(
    config,
    {
      ...deps,
      emit,
      known: await readKnownTime(config.state),
      book: await openCallBook({ directory: config.state, clock, emit }),
    },
    closers,
  )
  closers.push(keepKnownTime({ directory: config.state, serviceClock, events, onBug }))
  const { root, isMarked } = await markFolder(config, manifest, events)
  await removeLeftovers(root, isTempName)

  const isIgnored = createIgnore(config.folder.ignore)
  const kindPolicy = createKindPolicy({ ...config.wecom, ...config.folder })
  const { renew: renewReferences, inbox } = config.references
  const shared = { root, wecom, manifest, kindPolicy, emit, clock: serviceClock }
  const upload = createUploader({ ...shared, renewal: config.renewal, renewReferences, random })
  const deadIds = createDeadIds({
    ...shared,
    onDead: (paths) => passes.request({ because: 'ids died', paths }),
  })
  const download = createDownloader({
    ...shared,
    deadIds,
    lifetimeMs: config.renewal.lifetimeMs,
    inbox,
    isIgnored,
  })

  const problems = createFolderProblems({
    manifest,
    emit,
    present: () => (folder.isBelieved() ? folder.problems() : undefined),
  })
  const folder = createFolder({
    root,
    isMarked,
    settings: config.folder,
    isWatched: deps.isWatched,
    clock,
    emit,
    random,
    onChange: (changes) => {
      problems.take(changes).catch(onBug)
      passes.request({
        because: 'the folder changed',
        paths: [...changes.settled, ...changes.vanished],
      })
    },
    onBelief: () => passes.request({ because: 'the folder is seen in another light', all: true }),
    onBug,
  })
  const askedFor = createAskedFor(serviceClock)
  const renewals = createRenewalRelease({
    manifest,
    queue: () => queue,
    rate: allowedRate({
      quota: config.wecom.quota,
      bandwidthBytesPerSecond: config.transfer.bandwidthBytesPerSecond,
    }),
    policy: config.renewal,
    clock: serviceClock,
  })
  const passes = createPasses({
    folder,
    manifest,
    queue: () => queue,
    renewals,
    perform: createPerform({ root, manifest, upload, download, emit }),
    policy: { onDelete: config.folder.onDelete, renewReferences, isIgnored },
    clock: serviceClock,
    isOutage: () => circuit.state().kind !== 'closed',
    emit,
    onBug,
  })
  const queue: TransferQueue = createTransferQueue({
    async perform(step, signal) {
      await passes.perform(step, signal)
      // A step may have called nobody (kept, shared, renamed): a place that was kept for its probe is free again.
      circuit.release()
    },
    onOverlap: (path) => passes.request({ because: 'changed while in flight', paths: [path] }),
    admits: circuit.admits,
    waitMs,
    isProbing: () => circuit.state().kind !== 'closed',
    slots: concurrency.slots,
    random,
    pressure: () => renewals.outlook().pressure,
    askedAtMs: askedFor.atMs,
    clock: serviceClock,
    after: clock.after,
  })
  closers.push(() => passes.planned())
  closers.push(() => problems.settled())
  closers.push(() => queue.stop(new Error('the mirror is stopping')))
  closers.push(circuit.onChange(() => queue.wake()))
  closers.push(concurrency.onChange(() => queue.wake()))
  closers.push(() => folder.stop())

  let isScanned: Promise<void> | undefined
  let hasScanned = false
  const firstScan = () => {
    isScanned ??= folder
      .start()
      .then(() => {
        hasScanned = true
      })
      .then(() => problems.catchUp())
    return isScanned
  }
  const circumstances = createCircumstances({
    folder,
    hasScanned: () => hasScanned,
    queue,
    circuit,
    lastError: passes.lastError,
    renewals,
    serviceClock,
  })
  const { lifetimeMs } = config.renewal
  const live = async (): Promise<LiveFacts> => ({
    startedAtMs,
    pid: deps.pid,
    missing: await passes.missingCount(),
    queue: describeQueue(queue),
    circuit: circuit.state(),
    doubt: await passes.doubt(),
    renewals: { ...renewals.outlook(), waiting: queue.load().waitingRenewals },
  })
  const scanned = {
    ...folder,
    scan: (because: string) => (isScanned ? folder.scan(because) : firstScan()),
  }
  const localDesk = createLocalDesk({
    manifest,
    setUp: {
      corpId: config.wecom.corpId,
      folder: root,
      state: config.state,
      notAvailableYet: config.notAvailableYet,
    },
    clock: serviceClock,
    events,
    live,
    capacity: renewals.capacity,
    circumstances,
    lifetimeMs,
    onVainLookUp: createVainLookUps({
      askedFor,
      clock: serviceClock,
      request: (path) => passes.request({ because: 'asked for in vain', paths: [path] }),
    }),
    preview: async () => {
      await firstScan()
      requireBelief(folder)
      return passes.preview()
    },
    mirror: (onProgress, signal) =>
      runFullPass(
        { folder: scanned, passes, queue, circuit, manifest, events, clock },
        onProgress,
        signal,
      ),
    missing: async () => {
      await firstScan()
      requireBelief(folder)
      return passes.findMissing()
    },
    requestLanding: () => passes.request({ because: 'a reference was added', due: true }),
    circuitError: () => circuit.state().error ?? doubtOf(folder),
    queue,
    deleteFile: (path: MediaPath) => deleteFile(root, path),
  })
  const desk: Desk = {
    ...localDesk,
    // A folder that was never looked at may not be mounted: nothing is written into it unseen.
    async pull(mediaId, path, signal) {
      await firstScan()
      return localDesk.pull(mediaId, path, signal)
    },
  }
  const retries = createRetries({
    clock,
    random,
    events,
    // While the circuit is not closed, what waits is probe enough.
    isWorthwhile: () => circuit.state().kind === 'closed' || queue.load().waiting === 0,
    request: () => passes.request({ because: 'what was postponed', due: true }),
  })
  const dangerWatch = createDangerWatch({
    clock,
    serviceClock,
    events,
    nextDangerAtMs: renewals.nextDangerAtMs,
    lifetimeMs,
    request: () => passes.request({ because: 'media in danger', due: true }),
    onBug,
  })
  const capacityWatch = createCapacityWatch({ clock, events, capacity: renewals.capacity, onBug })
  const lateWatch = createLateWatch({
    clock,
    serviceClock,
    emit,
    lifetimeMs,
    late: () => findLateRenewals({ manifest, lifetimeMs, circumstances }, serviceClock.nowMs()),
    onBug,
  })
  const audit = createAudit({
    ...shared,
    circuit,
    deadIds,
    sampleCount: config.audit.sampleCount,
    sleep: clock.sleep,
    random,
  })
  const stopping = new AbortController()
  closers.push(() => {
    stopping.abort(new Error('the mirror is stopping'))
    return audit.settled()
  })
  const server = createLocalServer({ stateDirectory: config.state, desk, onBug })
  const schedule = createSchedule({
    clock,
    ticks: [
      {
        name: 'renewal',
        expression: config.renewal.schedule,
        onTick() {
          passes.request({ because: 'renewal tick', due: true })
          problems.catchUp().catch(onBug)
        },
      },
      {
        name: 'restore',
        expression: config.restore.schedule,
        onTick: () => passes.request({ because: 'restore tick', missing: true }),
      },
      {
        name: 'audit',
        expression: config.audit.schedule,
        onTick: () => void audit.run(stopping.signal).catch(onBug),
      },
    ],
    emit,
  })

  return {
    desk,
    async start() {
      emit({ kind: 'started', folder: root, state: config.state })
      for (const key of config.notAvailableYet) emit({ kind: 'not-available-yet', key })
      closers.push(() => server.stop())
      await server.start()
      await firstScan()
      passes.request({ because: 'start', all: true, due: true, again: true })
      await passes.planned()
      closers.push(retries.start())
      closers.push(dangerWatch.start())
      closers.push(lateWatch.start())
      closers.push(() => schedule.stop())
      schedule.start()
      const { entries } = await manifest.count()
      emit({ kind: 'ready', entries, tookMs: clock.nowMs() - startedAtMs })
      closers.push(capacityWatch.start())
    },
    async heartbeat() {
      passes.request({ because: 'heartbeat' })
      await passes.planned()
    },
    async statusLine() {
      const { entries, problems: troubles } = await manifest.count()
      const { kind, error } = circuit.state()
      return `${entries} media, ${troubles} problems${error ? `; no calls to WeCom (${kind}): ${error.message}` : ''}`
    },
  }
}

/** Why nothing may be done in the folder at the moment. */
function doubtOf(folder: Folder): ConfigError | undefined {
  const belief = folder.belief()
  if (belief.kind === 'believed') return undefined
  return new ConfigError(`the folder is not believed: ${belief.because}`, [], belief)
}

/** Throws where "there is nothing" may only mean that the folder is not there. */
export function requireBelief(folder: Folder): void {
  const error = doubtOf(folder)
  if (error) throw error
}

/** What can be known to be wrong before anything is stopped for it: folder, state directory, secret. Throws `ConfigError`. */
export async function rehearse(config: Config, env: MirrorDeps['env']): Promise<void> {
  await resolveFolder(config.folder.path, config.state)
  await resolveSecret({ key: 'wecom.secret', source: config.wecom.secret }, { env, warn: () => {} })
}

/** The marker is placed once, and that it was is remembered: from then on its absence means something. */
async function markFolder(config: Config, manifest: Manifest, { emit }: Events) {
  const { path } = config.folder
  const root = await resolveFolder(path, config.state)
  const wasMarked = (await manifest.markedFolder()) === root
  const prepared = await prepareFolder({ path, stateDirectory: config.state, wasMarked })
  if (prepared.isMarked && !wasMarked)
    await manifest.commit([{ kind: 'mark-folder', folder: root }])
  if (prepared.warning !== undefined)
    emit({ kind: 'warned', message: prepared.warning, hint: undefined })
  return prepared
}

function describeQueue(queue: TransferQueue): LiveFacts['queue'] {
  const { waiting, inFlight } = queue.load()
  return {
    waiting,
    in_flight: inFlight.map((step) => (step.kind === 'land' ? step.reference.mediaId : step.path)),
  }
}
