// Answers for how the parts that do the work hang together, from the folder to WeCom and the manifest: what is watched, planned and
// transferred. Nothing is decided here, and nobody from outside is served: that is daemon.ts. One long function, to be read from
// top to bottom: in pieces, each would be handed a dozen parts of the others.
import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { createAskedFor } from './asked-for.ts'
import { openCallBook } from './call-book.ts'
import type { Config } from './config/config.ts'
import { parseYaml } from './config/yaml-document.ts'
import { ConfigError } from './errors.ts'
import { createFolderProblems } from './folder-problems.ts'
import { openHooks } from './hooks-in-force.ts'
import { readHostName } from './host-name.ts'
import { keepKnownTime, readKnownTime } from './known-time.ts'
import type { Files } from './manifest/files.ts'
import { openLowdbManifest } from './manifest/lowdb-manifest.ts'
import type { Manifest } from './manifest/manifest.ts'
import { readEntries } from './manifest/read-entries.ts'
import { createKindPolicy } from './media/kind.ts'
import type { MediaId, Reference } from './media/media.ts'
import { isTempName } from './media/temp-name.ts'
import { createPasses } from './pass.ts'
import { landingPath } from './plan/step.ts'
import { createAcceptance } from './references/acceptance.ts'
import { createReferenceFiles } from './references/reference-files.ts'
import { letGoOfReferences } from './references/unkept-references.ts'
import { createRenewalRelease } from './renewal-release.ts'
import { createArrivals } from './support/arrivals.ts'
import type { Clock } from './support/clock.ts'
import type { Events } from './support/events.ts'
import { isUnfinishedHint } from './support/hint-file.ts'
import { createTurns } from './support/turns.ts'
import { createDeadIds } from './transfer/dead-ids.ts'
import { createDiskRoom, measureDisk } from './transfer/disk-room.ts'
import { createDownloader } from './transfer/download.ts'
import { createHeldSteps } from './transfer/held-steps.ts'
import {
  findResumable,
  namesOfOffered,
  namesOfWaiting,
  removeLeftovers,
} from './transfer/leftovers.ts'
import { createPerform } from './transfer/perform.ts'
import { createTransferQueue, type TransferQueue } from './transfer/transfer-queue.ts'
import { createUploader } from './transfer/upload.ts'
import { createFolder, type Folder } from './watch/folder.ts'
import { createIgnore } from './watch/ignore.ts'
import { prepareFolder, resolveFolder } from './watch/marker.ts'
import { createWecomStack } from './wecom-stack.ts'

export interface EngineDeps {
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the process was called for; whoever finds the state in use is told. */
  readonly command: string
  readonly clock: Clock
  readonly random: () => number
  readonly events: Events
  /** False for commands that act once and end: they scan, and do not watch. */
  readonly isWatched: boolean
  /** An error that nobody foresaw: the program must not go on as if nothing had happened. */
  readonly onBug: (error: unknown) => void
  /** How much of a disk is free; by default the operating system is asked. */
  readonly measureDisk?: typeof measureDisk
  /** How the manifest touches the disk: as ever, unless something watches over it. */
  readonly files?: Files
}

/** What is to be given back at the end, in the order of its making. */
export type Closers = (() => Promise<void> | void)[]

export type Engine = Awaited<ReturnType<typeof createEngine>>

/** Takes the lock of the state directory. Rejects with `ConfigError` or `ManifestUnreadable`. */
export async function createEngine(config: Config, deps: EngineDeps, closers: Closers) {
  const { clock, events, random, onBug } = deps
  const { emit } = events

  // The folder first: a state directory must not be made inside it.
  await resolveFolder(config.folder.path, config.state)
  const store = await openLowdbManifest({
    directory: config.state,
    corpId: config.wecom.corpId,
    clock,
    emit,
    lock: 'exclusive',
    command: deps.command,
    documentMode: config.manifest.mode,
    ...(deps.files && { files: deps.files }),
  })
  closers.push(() => store.close())
  await removeLeftovers(config.state, isUnfinishedHint)
  if (!config.references.renew) await letGoOfReferences(store)
  const { wecom, circuit, concurrency, serviceClock, rate, waitMs } = await createWecomStack(
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
  const { root, isMarked } = await markFolder(config, store, events)
  const held = createHeldSteps({ manifest: store, root, clock, emit, onBug })
  closers.push(() => held.stop())
  const hooks = await openHooks(config, deps, { store: held.manifest, root, serviceClock }, closers)
  const { manifest } = hooks
  const hasPeers = config.references.files.length > 0
  const waiting = await namesOfWaiting(manifest)
  const isLeftover = (name: string) => isTempName(name) && !waiting.has(name)
  // Other hosts may offer what was begun: that is known when their manifests have been read.
  const undecided = hasPeers ? await findResumable(root, isLeftover) : new Set<string>()
  await removeLeftovers(root, (name) => isLeftover(name) && !undecided.has(name))

  const isIgnored = createIgnore(config.folder.ignore)
  const kindPolicy = createKindPolicy({ ...config.wecom, ...config.folder })
  const { renew: renewReferences } = config.references
  const host = await readHostName(config.state, { random, emit })
  const shared = { root, wecom, manifest, kindPolicy, emit, clock: serviceClock, host }
  const upload = createUploader({
    ...shared,
    renewal: config.renewal,
    renewReferences,
    random,
    ...(hasPeers && { offers: { withBytes: (of) => referenceFiles.offers.withBytes(of) } }),
  })
  const deadIds = createDeadIds({
    ...shared,
    onDead: (paths) => passes.request({ because: 'ids died', paths }),
  })
  const diskRoom = createDiskRoom({
    directory: root,
    measure: deps.measureDisk ?? measureDisk,
    emit,
  })
  const arrivals = createArrivals()
  const referenceTurns = createTurns<MediaId>()
  const download = createDownloader({
    ...shared,
    onArrival: arrivals.tell,
    referenceTurns,
    room: diskRoom,
    deadIds,
    lifetimeMs: config.renewal.lifetimeMs,
    inboxOf: (reference) => inboxOf(config, reference),
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
    // What no event told of, neither of the folder nor of a step that came too late, is found by this at the latest.
    onRescanned: () => passes.request({ because: 'the folder was read anew', all: true }),
    onBelief: () => passes.request({ because: 'the folder is seen in another light', all: true }),
    onBug,
  })
  const askedFor = createAskedFor(serviceClock)
  const renewals = createRenewalRelease({
    manifest,
    queue: () => queue,
    rate,
    policy: config.renewal,
    clock: serviceClock,
  })
  const passes = createPasses({
    folder,
    manifest,
    queue: () => queue,
    renewals,
    offers: {
      at: (path) => referenceFiles.offers.at(path),
      paths: () => referenceFiles.offers.paths(),
    },
    perform: held.hold(
      createPerform({
        root,
        manifest,
        remembersForgotten: hasPeers,
        upload,
        download,
        clock: serviceClock,
        emit,
      }),
    ),
    policy: {
      onDelete: config.folder.onDelete,
      lifetimeMs: config.renewal.lifetimeMs,
      renewReferences,
      isIgnored,
      host,
    },
    clock: serviceClock,
    isOutage: () => circuit.state().kind !== 'closed',
    referenceTurns,
    emit,
    onBug,
  })
  const queue: TransferQueue = createTransferQueue({
    async perform(step, signal) {
      await passes.perform(step, signal)
      // A step may have called nobody (kept, shared, renamed): a place that was kept for its probe is free again.
      circuit.release()
    },
    onOverlap: (path, isLanding) =>
      passes.request({ because: 'changed while in flight', paths: [path], due: isLanding }),
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
  const acceptance = createAcceptance({
    manifest,
    clock: serviceClock,
    emit,
    turns: referenceTurns,
    // Before the first scan nothing is landed in a folder that may not be mounted; the pass that follows it sees all.
    requestLanding({ mediaId, path }) {
      const paths = [landingPath(mediaId, path)]
      if (hasScanned) passes.request({ because: 'a reference was added', due: true, paths })
    },
  })
  const referenceFiles = createReferenceFiles({
    patterns: config.references.files,
    settleMs: config.folder.settleMs,
    clock,
    readPlaced: parseYaml,
    readEntries: (bytes, file) => readEntries(bytes, { corpId: config.wecom.corpId, file }),
    isOwn: await createOwnFiles(config.state),
    accept: acceptance.accept,
    onOffers(paths) {
      if (hasScanned) passes.request({ because: 'other hosts have news', paths })
    },
    emit,
    onBug,
  })
  closers.push(() => passes.planned())
  closers.push(() => problems.settled())
  closers.push(() => queue.stop(new Error('the mirror is stopping')))
  closers.push(circuit.onChange(() => queue.wake()))
  closers.push(concurrency.onChange(() => queue.wake()))
  closers.push(() => folder.stop())
  closers.push(() => referenceFiles.stop())

  let isScanned: Promise<void> | undefined
  let hasScanned = false
  const firstScan = () => {
    isScanned ??= folder
      .start()
      .then(() => {
        hasScanned = true
      })
      .then(() => Promise.all([problems.catchUp(), referenceFiles.look()]))
      .then(decideLeftovers)
    return isScanned
  }
  /** Who cannot be read now may offer it later: it stays until the next start. */
  async function decideLeftovers() {
    if (undecided.size === 0 || !referenceFiles.areRead()) return
    const offered = await namesOfOffered(referenceFiles.offers, manifest, serviceClock.nowMs())
    const wanted = await namesOfWaiting(manifest)
    const isUnwanted = (name: string) => !offered.has(name) && !wanted.has(name)
    await removeLeftovers(root, (name) => undecided.has(name) && isUnwanted(name))
  }

  return {
    root,
    wecom,
    manifest,
    circuit,
    held,
    serviceClock,
    folder,
    problems,
    passes,
    queue,
    renewals,
    askedFor,
    deadIds,
    hooks: hooks.dispatcher,
    diskRoom,
    arrivals,
    acceptance,
    referenceTurns,
    referenceFiles,
    /** Looks at the whole folder, if nobody has yet. */
    firstScan,
    hasScanned: () => hasScanned,
    scan: async (because: string) => {
      if (!isScanned) return firstScan()
      await Promise.all([folder.scan(because), referenceFiles.look()])
    },
    /** Why nothing may be done in the folder at the moment. */
    doubt: () => doubtOf(folder),
  }
}

/** What a manifest of our own says is said of this very mirror. */
export async function createOwnFiles(state: string): Promise<(truePath: string) => boolean> {
  const directory = await realpath(state).catch(unlessNone)
  return (truePath) => directory !== undefined && truePath.startsWith(directory + sep)
}

/** A state that is not there yet has no files. */
function unlessNone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** What a message brought has a place of its own, as long as messages are received. */
const inboxOf = ({ callback, references }: Config, { messageId }: Reference): string =>
  (messageId === undefined ? undefined : callback?.saveTo) ?? references.inbox

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
