// Answers for the desk of a running mirror: what is asked of it goes to the engine's parts. What each answer is made of and looks like
// is serve/.
import type { Callback } from './callback.ts'
import type { Config } from './config/config.ts'
import type { MirrorDeps } from './daemon.ts'
import { type Engine, requireBelief } from './engine.ts'
import { runFullPass } from './full-pass.ts'
import { describeHooks } from './hooks-in-force.ts'
import type { MediaPath } from './media/media.ts'
import type { Outlook } from './plan/capacity.ts'
import type { FileReport } from './references/reference-files.ts'
import { iso } from './serve/answers.ts'
import type { Desk, StatusAnswer } from './serve/desk.ts'
import { createLocalDesk } from './serve/local-desk.ts'
import type { Circumstances } from './serve/prospect.ts'
import type { LiveFacts } from './serve/status.ts'
import type { createTroubles } from './serve/troubles.ts'
import { removeFile } from './transfer/place.ts'
import type { QueueLoad, TransferQueue } from './transfer/transfer-queue.ts'
import { createVainLookUps } from './vain-look-ups.ts'

/** What persons and programs may ask of this mirror. */
export function createMirrorDesk(
  config: Config,
  { events, clock, pid }: Pick<MirrorDeps, 'events' | 'clock' | 'pid'>,
  parts: {
    readonly engine: Engine
    readonly callback: Callback | undefined
    readonly circumstances: (path: MediaPath) => Promise<Circumstances>
    readonly troubles: Pick<ReturnType<typeof createTroubles>, 'all'>
    readonly startedAtMs: number
  },
): Desk {
  const { engine, callback, circumstances, troubles, startedAtMs } = parts
  const { root, manifest, circuit, serviceClock, folder, passes, queue, renewals, firstScan } =
    engine
  const live = async (): Promise<LiveFacts> => {
    // There may be room again, which nobody would have asked for before the next download.
    await engine.diskRoom.lookAgain()
    return {
      startedAtMs,
      pid,
      missing: await passes.missingCount(),
      queue: describeQueue(queue),
      circuit: circuit.state(),
      doubt: await passes.doubt(),
      callback: callback?.counts(),
      referenceFiles: engine.referenceFiles.report().map(fileAnswer),
      troubles: troubles.all(),
      renewals: describeRenewals(renewals.outlook(), queue.load()),
    }
  }
  const scanned = { ...folder, scan: engine.scan }
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
    hooks: () => describeHooks(config, manifest, engine.hooks.report()),
    live,
    capacity: renewals.capacity,
    circumstances,
    lifetimeMs: config.renewal.lifetimeMs,
    onVainLookUp: createVainLookUps({
      askedFor: engine.askedFor,
      clock: serviceClock,
      request: (path) => passes.request({ because: 'asked for in vain', paths: [path] }),
    }),
    preview: async () => {
      await firstScan()
      requireBelief(folder)
      return passes.preview()
    },
    mirror: (onProgress, signal, options) =>
      runFullPass(
        { folder: scanned, passes, queue, circuit, manifest, events, clock },
        onProgress,
        signal,
        options,
      ),
    missing: async () => {
      await firstScan()
      requireBelief(folder)
      const found = await passes.findMissing()
      passes.takeWord([])
      return found
    },
    accept: (wanted) => engine.acceptance.accept(wanted, { anew: true }),
    remembersForgotten: config.references.files.length > 0,
    circuitError: () => circuit.state().error ?? engine.held.error('downloads') ?? engine.doubt(),
    arrivals: engine.arrivals,
    queue,
    referenceTurns: engine.referenceTurns,
    deleteFile: (path: MediaPath) => removeFile(root, path),
  })
  return {
    ...localDesk,
    // A folder that was never looked at may not be mounted: nothing is written into it unseen.
    async pull(wish, tell, signal) {
      await firstScan()
      await localDesk.pull(wish, tell, signal)
    },
  }
}

const fileAnswer = ({
  readAtMs,
  kind,
  problem,
  ...report
}: FileReport): StatusAnswer['reference_files'][number] => ({
  ...report,
  kind: kind ?? null,
  read_at: readAtMs === undefined ? null : iso(readAtMs),
  problem: problem ?? null,
})

const describeRenewals = (
  { pace, pressure }: Outlook,
  { waitingRenewals, waitingDead }: QueueLoad,
): LiveFacts['renewals'] => ({
  pace,
  pressure,
  waiting: waitingRenewals,
  waiting_dead: waitingDead,
})

function describeQueue(queue: TransferQueue): LiveFacts['queue'] {
  const { waiting, inFlight } = queue.load()
  return {
    waiting,
    in_flight: inFlight.map((step) => (step.kind === 'land' ? step.reference.mediaId : step.path)),
  }
}
