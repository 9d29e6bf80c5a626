// Answers for one life of a simulated daemon: the real passes, planner, queue, quota, retries, circuit and service clock, joined
// as src/daemon.ts joins them. Modelled are the folder, the wire, and what src/transfer/upload.ts does with files.
import { createDangerWatch } from '../../src/danger-watch.ts'
import type { Manifest } from '../../src/manifest/manifest.ts'
import { isDue, planLife, type RenewalPolicy } from '../../src/media/lifetime.ts'
import type { ManifestEntry, MediaPath } from '../../src/media/media.ts'
import { createPasses } from '../../src/pass.ts'
import type { PassRequest } from '../../src/pass-wish.ts'
import type { Step } from '../../src/plan/step.ts'
import { createRenewalRelease } from '../../src/renewal-release.ts'
import { createRetries } from '../../src/retries.ts'
import { createEvents } from '../../src/support/events.ts'
import { createTransferQueue, type TransferQueue } from '../../src/transfer/transfer-queue.ts'
import { allowedRate, withSlots } from '../../src/wecom/allowed-rate.ts'
import { createCircuit } from '../../src/wecom/circuit.ts'
import { createConcurrency } from '../../src/wecom/concurrency.ts'
import { type CallBook, createLimitedWecom } from '../../src/wecom/limited-wecom.ts'
import { createObservedWecom } from '../../src/wecom/observed-wecom.ts'
import { createRetryingWecom } from '../../src/wecom/retrying-wecom.ts'
import { createServiceClock } from '../../src/wecom/service-clock.ts'
import { createTimedWecom } from '../../src/wecom/timed-wecom.ts'
import type { Ledger } from './ledger.ts'
import type { ModelledFile, ModelledFolder } from './modelled-folder.ts'
import type { ModelledRequest, ModelledService } from './modelled-service.ts'
import type { Trace } from './trace.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface ModelledMirror {
  /** The first pass of a life, over everything. */
  start(): void
  /** A tick of `renewal.schedule`. */
  tick(): void
  /** The folder's word that files were dropped in. */
  noticed(paths: readonly MediaPath[]): void
  /** While a pass plans, no time passes. */
  isPlanning(): boolean
  /** What the service's clock shows, as this life knows it. */
  serviceNowMs(): number
  /** How many calls it may have under way, as things stand. */
  slots(): number
}

export interface MirrorSettings {
  readonly renewal: RenewalPolicy
  readonly quota: { readonly perMinute: number; readonly perHour: number; readonly share: number }
  readonly uploads: number
}

const NOTHING_KNOWN = { entry: undefined, problem: undefined }
const TINY = Buffer.from('tiny')

export function createModelledMirror(deps: {
  readonly clock: VirtualClock
  readonly random: () => number
  readonly folder: ModelledFolder
  readonly manifest: Manifest
  readonly book: CallBook
  readonly service: Pick<ModelledService, 'createWire'>
  readonly ledger: Pick<Ledger, 'renewed'>
  readonly trace: Trace
  readonly settings: MirrorSettings
  readonly onBug: (error: unknown) => void
}): ModelledMirror {
  const { clock, random, folder, manifest, ledger, settings, trace, onBug } = deps
  const events = createEvents()
  const { emit } = events
  const serviceClock = createServiceClock({ clock, emit })
  const circuit = createCircuit({ clock, random, emit })
  const most = { uploads: settings.uploads, downloads: settings.uploads }
  const concurrency = createConcurrency({ clock, most, emit })
  const timed = createTimedWecom({ wecom: deps.service.createWire(serviceClock), clock })
  const limited = createLimitedWecom({
    wecom: timed,
    clock,
    quota: settings.quota,
    book: deps.book,
  })
  const mayRepeat = () => circuit.state().kind === 'closed'
  const retrying = createRetryingWecom({ wecom: limited, clock, random, mayRepeat })
  const wecom = createObservedWecom({ wecom: retrying, circuit, concurrency })
  const allowed = allowedRate({ quota: settings.quota, bandwidthBytesPerSecond: undefined })
  let isPlanning = false

  const renewals = createRenewalRelease({
    manifest,
    queue: () => queue,
    rate: () => withSlots(allowed, timed.uploadTime(), concurrency.slots().uploads),
    policy: settings.renewal,
    clock: serviceClock,
  })
  const passes = createPasses({
    folder,
    manifest,
    renewals,
    queue: () => queue,
    perform: (step, signal) => performStep(step, signal),
    policy: {
      onDelete: 'restore',
      lifetimeMs: 3 * 24 * 3_600_000,
      renewReferences: false,
      isIgnored: () => false,
      host: 'here',
    },
    clock: serviceClock,
    isOutage: () => circuit.state().kind !== 'closed',
    emit,
    onBug,
  })
  const queue: TransferQueue = createTransferQueue({
    async perform(step, signal) {
      await passes.perform(step, signal)
      circuit.release()
    },
    onOverlap: (path) => request({ because: 'changed while in flight', paths: [path] }),
    admits: circuit.admits,
    isProbing: () => circuit.state().kind !== 'closed',
    slots: concurrency.slots,
    random,
    pressure: () => renewals.outlook().pressure,
    askedAtMs: () => undefined,
    clock: serviceClock,
    after: clock.after,
    waitMs: limited.waitMs,
  })
  circuit.onChange(() => queue.wake())
  concurrency.onChange(() => queue.wake())
  const retries = createRetries({
    clock,
    random,
    events,
    isWorthwhile: () => circuit.state().kind === 'closed' || queue.load().waiting === 0,
    request: () => request({ because: 'what was postponed', due: true }),
  })
  const dangerWatch = createDangerWatch({
    clock,
    serviceClock,
    events,
    nextDangerAtMs: renewals.nextDangerAtMs,
    lifetimeMs: settings.renewal.lifetimeMs,
    request: () => request({ because: 'media in danger', due: true }),
    onBug,
  })
  events.subscribe(({ kind }) => {
    if (kind === 'circuit-opened' || kind === 'circuit-closed') trace.note(kind, -1)
  })
  retries.start()
  dangerWatch.start()

  function request(wish: PassRequest) {
    passes.request(wish)
    if (isPlanning) return
    isPlanning = true
    passes
      .planned()
      .then(() => {
        isPlanning = false
      })
      .catch(onBug)
  }

  /** What src/transfer/upload.ts does, without its file. */
  async function performStep(step: Step, signal: AbortSignal): Promise<void> {
    if (step.kind !== 'upload' && step.kind !== 'renew')
      throw new Error(`a simulation has no step \`${step.kind}\``)
    const file = step.file as ModelledFile
    const [{ entry: known, problem } = NOTHING_KNOWN] = await manifest.findRows([step.path])
    if (step.kind === 'renew' && known?.mediaId !== step.entry.mediaId) return
    // Due by a clock that has been set right since.
    if (step.kind === 'renew' && !step.isEarly && !isDue(step.entry, serviceClock.nowMs())) return
    const request: ModelledRequest = {
      kind: 'image',
      wireName: step.path,
      sizeBytes: TINY.length,
      content: TINY,
      index: file.index,
      isNew: known === undefined,
    }
    const receipt = await wecom.upload(request, signal)
    const entry = createModelledEntry(
      file,
      receipt.mediaId,
      planLife(receipt.createdAtMs, settings.renewal, random()),
    )
    const put = { kind: 'put-entry', entry } as const
    await manifest.commit(problem ? [put, { kind: 'drop-problem', path: step.path }] : [put])
    ledger.renewed(file.index, entry)
    emit({ kind: 'renewed', entry, tookMs: 0 })
  }

  return {
    start: () => request({ because: 'start', all: true, due: true, again: true }),
    tick: () => request({ because: 'renewal tick', due: true }),
    noticed: (paths) => request({ because: 'the folder changed', paths }),
    isPlanning: () => isPlanning,
    serviceNowMs: () => serviceClock.nowMs(),
    slots: () => concurrency.slots().uploads,
  }
}

/** The entry of a file with this id. */
export const createModelledEntry = (
  file: ModelledFile,
  mediaId: ManifestEntry['mediaId'],
  life: { readonly createdAtMs: number; readonly expiresAtMs: number; readonly renewAtMs: number },
): ManifestEntry & { readonly renewAtMs: number } => ({
  path: file.path,
  mediaId,
  kind: 'image',
  createdAtMs: life.createdAtMs,
  expiresAtMs: life.expiresAtMs,
  renewAtMs: life.renewAtMs,
  sizeBytes: file.sizeBytes,
  modifiedAtMs: file.modifiedAtMs,
  fingerprint: file.fingerprint,
  stamp: file.stamp,
  origin: 'folder',
})
