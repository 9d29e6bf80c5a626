// The composition root: the engine that does the work, the desk that answers for it, and what wakes it, joined, started in order
// and stopped in reverse. Nothing is decided here.
import { createAudit } from './audit.ts'
import { createCallback, resolveCallbackSecrets } from './callback.ts'
import { createCapacityWatch } from './capacity-watch.ts'
import { createCircumstances } from './circumstances.ts'
import type { Config } from './config/config.ts'
import { resolveSecret } from './config/secret.ts'
import { createDangerWatch } from './danger-watch.ts'
import { type Closers, createEngine, type Engine, type EngineDeps } from './engine.ts'
import { createHooks } from './hook-set-up.ts'
import { createMirrorDesk } from './mirror-desk.ts'
import { forgetOldDismissals } from './references/old-dismissals.ts'
import { forgetOldReferences } from './references/old-references.ts'
import { createRetries } from './retries.ts'
import { createSchedule } from './schedule.ts'
import type { Desk } from './serve/desk.ts'
import { findLateRenewals } from './serve/late-renewals.ts'
import { createLateWatch } from './serve/late-watch.ts'
import { createLocalServer } from './serve/server.ts'
import { createTroubles } from './serve/troubles.ts'
import { resolveFolder } from './watch/marker.ts'

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

export interface MirrorDeps extends EngineDeps {
  readonly pid: number
}

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
  const { clock, events } = deps
  const { emit } = events
  const startedAtMs = clock.nowMs()
  // Before anything can go wrong.
  const troubles = createTroubles({ events, clock })
  closers.push(troubles.start())
  const engine = await createEngine(config, deps, closers)
  const { manifest, circuit, passes } = engine
  const circumstances = createCircumstances({ ...engine, lastError: engine.passes.lastError })
  const { corpId } = config.wecom
  const callback = config.callback && createCallback(config.callback, deps, { ...engine, corpId })
  const desk = createMirrorDesk(config, deps, {
    engine,
    callback,
    circumstances,
    troubles,
    startedAtMs,
  })
  const watches = createWatches(config, deps, { engine, circumstances })
  const schedule = createTicks(config, deps, engine, closers)
  const server = createLocalServer({ stateDirectory: config.state, desk, onBug: deps.onBug })

  return {
    desk,
    async start() {
      emit({ kind: 'started', folder: engine.root, state: config.state })
      for (const key of config.notAvailableYet) emit({ kind: 'not-available-yet', key })
      closers.push(() => server.stop())
      await server.start()
      engine.hooks.start()
      if (callback) {
        closers.push(() => callback.stop())
        // Before the first scan, which may take long: what comes meanwhile is remembered, and landed after it.
        await callback.start()
      }
      await engine.firstScan()
      passes.request({ because: 'start', all: true, due: true, again: true })
      await passes.planned()
      engine.referenceFiles.start()
      closers.push(() => schedule.stop())
      schedule.start()
      const { entries } = await manifest.count()
      emit({ kind: 'ready', entries, tookMs: clock.nowMs() - startedAtMs })
      for (const watch of watches) closers.push(watch.start())
    },
    async heartbeat() {
      passes.request({ because: 'heartbeat' })
      await passes.planned()
    },
    async statusLine() {
      const { entries, problems: count } = await manifest.count()
      const { kind, error } = circuit.state()
      const outage = error ? `; no calls to WeCom (${kind}): ${error.message}` : ''
      const scarce = troubles.all().map(({ message }) => `; ${message}`)
      return `${entries} media, ${count} problems${outage}${scarce.join('')}`
    },
  }
}

/** What wakes the engine between the ticks, and what tells people. */
function createWatches(
  config: Config,
  { clock, random, events, onBug }: MirrorDeps,
  parts: {
    readonly engine: Engine
    readonly circumstances: ReturnType<typeof createCircumstances>
  },
) {
  const { engine, circumstances } = parts
  const { manifest, circuit, held, serviceClock, passes, queue, renewals } = engine
  const { lifetimeMs } = config.renewal
  const retries = createRetries({
    clock,
    random,
    events,
    // While the circuit is not closed, what waits is probe enough.
    isWorthwhile: () =>
      !held.error('everything') &&
      (circuit.state().kind === 'closed' || queue.load().waiting === 0),
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
    emit: events.emit,
    lifetimeMs,
    late: () => findLateRenewals({ manifest, lifetimeMs, circumstances }, serviceClock.nowMs()),
    onBug,
  })
  return [retries, dangerWatch, lateWatch, capacityWatch]
}

/** What the schedules of the configuration start. */
function createTicks(config: Config, deps: MirrorDeps, engine: Engine, closers: Closers) {
  const { clock, random, events, onBug } = deps
  const { passes, problems } = engine
  const { lifetimeMs } = config.renewal
  let forgetting = Promise.resolve()
  closers.push(() => forgetting)
  const audit = createAudit({
    ...engine,
    clock: engine.serviceClock,
    emit: events.emit,
    sampleCount: config.audit.sampleCount,
    sleep: clock.sleep,
    random,
  })
  const stopping = new AbortController()
  closers.push(() => {
    stopping.abort(new Error('the mirror is stopping'))
    return audit.settled()
  })
  return createSchedule({
    clock,
    ticks: [
      {
        name: 'renewal',
        expression: config.renewal.schedule,
        onTick() {
          passes.request({ because: 'renewal tick', due: true })
          problems.catchUp().catch(onBug)
          const moment = { nowMs: engine.serviceClock.nowMs(), lifetimeMs }
          // One after the other: the last is the one that is waited for at the end.
          forgetting = forgetting
            .then(() => forgetOldReferences(engine, moment))
            .then(() => forgetOldDismissals(engine, moment))
            .catch(onBug)
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
    emit: events.emit,
  })
}

/** What can be known to be wrong before anything is stopped for it: folder, state directory, secrets. Throws `ConfigError`. */
export async function rehearse(
  config: Config,
  { env, clock }: Pick<MirrorDeps, 'env' | 'clock'>,
): Promise<void> {
  await resolveFolder(config.folder.path, config.state)
  const secretDeps = { env, warn: () => {} }
  await resolveSecret({ key: 'wecom.secret', source: config.wecom.secret }, secretDeps)
  await createHooks(config, { ...secretDeps, clock })
  if (config.callback) await resolveCallbackSecrets(config.callback, secretDeps)
}
