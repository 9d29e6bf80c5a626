// Answers for telling systemd how we are: READY, STOPPING, WATCHDOG and a line of status.
// Node cannot send to a datagram socket by itself, so `systemd-notify` does (some 6 ms a call; it is part of systemd).
import { spawn } from 'node:child_process'

export interface ServiceNotifier {
  ready(status: string): Promise<void>
  status(status: string): Promise<void>
  stopping(): Promise<void>
  watchdog(): Promise<void>
  /** How often the watchdog wants to hear from us, or undefined when there is none. */
  readonly watchdogEveryMs: number | undefined
}

/** `systemd-notify` itself gives up after 5 s when systemd does not take what it sends. */
const SEND_WITHIN_MS = 10_000

/** Speaks to systemd when it listens ($NOTIFY_SOCKET), and is silent otherwise. */
export function createServiceNotifier(deps: {
  env: Readonly<Record<string, string | undefined>>
  pid: number
  onTrouble: (message: string) => void
}): ServiceNotifier {
  const { env } = deps
  const listens = Boolean(env.NOTIFY_SOCKET)
  const watchdogUsec = Number(env.WATCHDOG_USEC)
  const isOurs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === deps.pid
  let lastTrouble: string | undefined

  async function notify(...assignments: string[]): Promise<void> {
    if (!listens) return
    const trouble = await send(assignments, env)
    // Said once: a watchdog's beat comes round too often to say it each time.
    if (trouble !== undefined && trouble !== lastTrouble)
      deps.onTrouble(`cannot tell systemd \`${assignments[0]}\`: ${trouble}`)
    lastTrouble = trouble
  }

  return {
    ready: (status) => notify('READY=1', statusLine(status)),
    status: (status) => notify(statusLine(status)),
    stopping: () => notify('STOPPING=1', statusLine('stopping')),
    watchdog: () => notify('WATCHDOG=1'),
    // Half the period, as sd_watchdog_enabled(3) advises.
    watchdogEveryMs: listens && isOurs && watchdogUsec > 0 ? watchdogUsec / 2000 : undefined,
  }
}

/** Assignments are lines, so a line feed in a status would make another assignment of what follows it. */
const statusLine = (text: string): string => `STATUS=${text.replaceAll(/\s+/g, ' ')}`

/** Resolves with what went wrong, if anything did. The sender is a child, so the unit says NotifyAccess=all. */
function send(
  assignments: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const child = spawn('systemd-notify', assignments, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: SEND_WITHIN_MS,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(0, 500)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) =>
      resolve(
        code === 0 ? undefined : `systemd-notify ended with ${code ?? signal}: ${said.trim()}`,
      ),
    )
  })
}
