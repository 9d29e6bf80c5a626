// `run`: the daemon, in the foreground, until it is told to stop.
import type { Config } from '../config/config.ts'
import { type Mirror, openMirror, rehearse } from '../daemon.ts'
import { ConfigError, isMirrorError } from '../errors.ts'
import { createEvents, type Events } from '../support/events.ts'
import { chooseFormat, createLog, type Log } from '../support/log.ts'
import { createServiceNotifier, type ServiceNotifier } from '../support/systemd.ts'
import type { Command, Context } from './command.ts'
import { readConfig } from './desk-access.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { renderError } from './failure.ts'

/** Without a watchdog the status line under systemd is brought up to date this often. */
const STATUS_EVERY_MS = 30_000

export const runCommand: Command = {
  name: 'run',
  summary: 'the daemon, in the foreground',
  run: async (context) => runDaemon(context, await readConfig(context)),
}

/** Runs until the context's signal; a narrator may listen in and speak (`demo`). */
export async function runDaemon(
  context: Context,
  config: Config,
  narrate: (events: Events, mirror: Mirror) => void = () => {},
): Promise<ExitCode> {
  const events = createEvents()
  context.outliveStdout()
  const notifier = createServiceNotifier({
    env: context.env,
    pid: context.pid,
    onTrouble: (message) => events.emit({ kind: 'warned', message, hint: undefined }),
  })
  const bug = Promise.withResolvers<never>()
  // It may come before anybody waits for it.
  bug.promise.catch(() => {})
  const running: Running = { config, log: openLog(context, config, events), mirror: undefined }
  const open = (wanted: Config) => openAndStart(context, wanted, events, bug.reject)
  const started = Promise.withResolvers<void>()
  // Listens from the beginning: a SIGHUP that nobody listens to ends a process.
  const reloads = createReloads({
    context,
    events,
    open,
    running,
    started: started.promise,
    onBug: bug.reject,
  })
  try {
    running.mirror = await open(config)
    narrate(events, running.mirror)
    await notifier.ready(await running.mirror.statusLine())
    started.resolve()
    const beat = startHeartbeat(context, notifier, running, bug.reject)
    await Promise.race([untilAborted(context.signal), bug.promise])
    beat.stop()
    // A reload under way comes to its end first, so that it is the mirror in force which is stopped.
    await reloads.settled()
    events.emit({ kind: 'stopping', because: context.signal.reason?.message ?? 'asked to' })
    return EXIT.done
  } finally {
    reloads.stopListening()
    await notifier.stopping()
    const { mirror } = running
    await mirror?.stop()
    if (mirror) events.emit({ kind: 'stopped' })
    await running.log.close()
  }
}

/** What is in force; a reload replaces it. */
interface Running {
  config: Config
  log: Log
  mirror: Mirror | undefined
}

async function openAndStart(
  context: Context,
  config: Config,
  events: Events,
  onBug: (error: unknown) => void,
): Promise<Mirror> {
  const { env, pid, clock, random } = context
  const mirror = await openMirror(config, {
    command: 'run',
    env,
    pid,
    clock,
    random,
    events,
    isWatched: true,
    onBug,
  })
  try {
    await mirror.start()
    return mirror
  } catch (error) {
    await mirror.stop()
    throw error
  }
}

const openLog = (context: Context, { log }: Config, events: Events): Log =>
  createLog({
    events,
    level: log.level,
    format: chooseFormat(log.format, {
      isTerminal: context.stdoutIsTerminal,
      journalStream: context.env.JOURNAL_STREAM,
    }),
    stream: context.stdout,
    clock: context.clock,
  })

/** SIGHUP: a good new file takes the place of the old, a bad one is refused; one reload at a time. */
function createReloads(deps: {
  context: Context
  events: Events
  open: (config: Config) => Promise<Mirror>
  running: Running
  /** A wish that comes before is granted then. */
  started: Promise<void>
  onBug: (error: unknown) => void
}) {
  const { context, events, open, running, onBug } = deps
  let turn = deps.started

  async function reload() {
    const config = await readConfig(context)
    requireSameState(config, running.config)
    await rehearse(config, context)
    const before = running.mirror
    running.mirror = undefined
    await before?.stop()
    try {
      running.mirror = await open(config)
    } catch (error) {
      // Should the old one not come back either, nothing would run: that must not look like a daemon, and ends.
      running.mirror = await open(running.config)
      throw error
    }
    running.config = config
    await running.log.close()
    running.log = openLog(context, config, events)
    events.emit({ kind: 'config-reloaded' })
  }

  function refuse(error: unknown) {
    if (!isMirrorError(error) || !running.mirror) return onBug(error)
    events.emit({ kind: 'config-refused', message: renderError(error) })
  }

  const stopListening = context.onReload(() => {
    turn = turn.then(reload).catch(refuse)
  })
  return {
    stopListening,
    async settled() {
      stopListening()
      await turn
    },
  }
}

/** Another directory has another manifest: all would be uploaded anew, and nobody would look at what the old one promised. */
function requireSameState({ file, state }: Config, before: Config): void {
  if (state === before.state) return
  throw new ConfigError(
    `${file}: \`state\` cannot become \`${state}\` while the daemon runs with \`${before.state}\``,
    [],
    { hint: 'Stop the daemon, move the state directory there, and start it again.' },
  )
}

/** The watchdog is fed by the work loop: a pass must come round before each beat. */
function startHeartbeat(
  { clock }: Context,
  notifier: ServiceNotifier,
  running: Running,
  onBug: (error: unknown) => void,
) {
  const aborter = new AbortController()
  const everyMs = notifier.watchdogEveryMs ?? STATUS_EVERY_MS
  // A function of its own: while the loop sleeps, its last mirror may have been replaced, and is to be let go.
  async function beatOnce() {
    const { mirror } = running
    await mirror?.heartbeat()
    await notifier.watchdog()
    if (mirror) await notifier.status(await mirror.statusLine())
  }
  async function beat() {
    while (!aborter.signal.aborted) {
      await clock.sleep(everyMs, aborter.signal)
      await beatOnce()
    }
  }
  beat().catch((error: unknown) => {
    if (!aborter.signal.aborted) onBug(error)
  })
  return { stop: () => aborter.abort() }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
