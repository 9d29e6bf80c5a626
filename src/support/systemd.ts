// Answers for telling systemd how we are: READY, STOPPING, RELOADING, WATCHDOG and a line of status.
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

/** Speaks to systemd when it listens ($NOTIFY_SOCKET), and is silent otherwise. */
export function createServiceNotifier(deps: {
  env: Readonly<Record<string, string | undefined>>
  pid: number
  onTrouble: (message: string) => void
}): ServiceNotifier {
  const { env } = deps
  const listens = env.NOTIFY_SOCKET !== undefined
  const watchdogUsec = Number(env.WATCHDOG_USEC)
  const isOurs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === deps.pid

  async function notify(...assignments: string[]): Promise<void> {
    if (!listens) return
    // The sender is a child, so the unit says NotifyAccess=all.
    const child = spawn('systemd-notify', assignments, { stdio: 'ignore' })
    await new Promise<void>((resolve) => {
      child.once('error', (error) => {
        deps.onTrouble(`cannot notify systemd: ${error.message}`)
        resolve()
      })
      child.once('exit', () => resolve())
    })
  }

  const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ')

  return {
    ready: (status) => notify('READY=1', `STATUS=${oneLine(status)}`),
    status: (status) => notify(`STATUS=${oneLine(status)}`),
    stopping: () => notify('STOPPING=1', 'STATUS=stopping'),
    watchdog: () => notify('WATCHDOG=1'),
    // Half the period, as sd_watchdog_enabled(3) advises.
    watchdogEveryMs: listens && isOurs && watchdogUsec > 0 ? watchdogUsec / 2000 : undefined,
  }
}
