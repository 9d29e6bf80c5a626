// The package as an administrator sets it up: a machine with the unit, a configuration, a secret and a folder.
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { bootMachine, type Machine } from './machine.ts'

export const NAME = 'wecom-media-mirror'
const SYSTEMD = `/usr/local/lib/node_modules/${NAME}/systemd`
export const UNIT_FILE = `${SYSTEMD}/${NAME}.service`
export const FOLDER = '/srv/wecom-media'
export const STATE = `/var/lib/${NAME}`
export const SECRET_FILE = `/etc/${NAME}/secret`
export const SECRET = 'canary-secret'
const CONFIG_FILE = `/etc/${NAME}/config.yaml`
/** Longer than a watchdog, a restart and a scan together. */
const PATIENCE_MS = 30_000

const SETTINGS = {
  wecom: { baseUrl: 'simulator', corpId: 'ww-test', secret: { credential: 'wecom-secret' } },
  folder: { path: FOLDER, settle: '100ms' },
  state: STATE,
  restore: { schedule: '* * * * * *' },
}

/** Tests have no minutes to wait. All else is the unit as shipped. */
const QUICK = '[Service]\nWatchdogSec=3s\nRestartSec=200ms\nTimeoutStopSec=10s\n'

interface JournalLine {
  readonly message: string
  readonly priority: number
}

export interface Service {
  readonly machine: Machine
  /** A stopped service that has never run, with an empty folder and good settings. */
  reset(): Promise<void>
  /** Writes the configuration: sections take the place of the ordinary ones. */
  configure(sections?: Record<string, unknown>): Promise<void>
  systemctl(verb: string): Promise<void>
  /** One property of the unit, as `systemctl show` knows it. */
  show(property: string): Promise<string>
  until(property: string, expected: string | RegExp): Promise<string>
  /** All lines since the last reset. */
  journal(): Promise<JournalLine[]>
  untilJournal(message: RegExp): Promise<JournalLine>
  put(path: string, content: Buffer): Promise<void>
}

export async function installService(prefix: string): Promise<Service> {
  const machine = await bootMachine(prefix)
  await setUp(machine)
  let since = 0
  const configure: Service['configure'] = (sections) =>
    machine.write(CONFIG_FILE, stringify({ ...SETTINGS, ...sections }))
  const show: Service['show'] = async (property) =>
    (await machine.run('systemctl', 'show', NAME, '--value', '-p', property)).trim()

  async function journal(): Promise<JournalLine[]> {
    const args = ['-u', NAME, '-o', 'json', '--no-pager', '--since', `@${since}`]
    const lines = (await machine.run('journalctl', ...args)).split('\n').filter(Boolean)
    return lines.map((line) => {
      const { MESSAGE, PRIORITY } = JSON.parse(line)
      return { message: String(MESSAGE), priority: Number(PRIORITY) }
    })
  }

  async function poll<Found>(look: () => Promise<Found | undefined>, what: string): Promise<Found> {
    for (const startedAt = performance.now(); performance.now() - startedAt < PATIENCE_MS; ) {
      const found = await look()
      if (found !== undefined) return found
      await sleep(50)
    }
    const lines = (await journal()).map(({ message }) => message)
    throw new Error(`waited in vain for ${what}; the journal:\n${lines.join('\n')}`)
  }

  return {
    machine,
    configure,
    show,
    journal,
    systemctl: async (verb) => void (await machine.run('systemctl', verb, NAME)),
    until: (property, expected) =>
      poll(async () => {
        const value = await show(property)
        return value.match(expected)?.[0] === value ? value : undefined
      }, `${property} of ${expected}`),
    untilJournal: (message) =>
      poll(
        async () => (await journal()).find((line) => message.test(line.message)),
        `a line like ${message}`,
      ),
    async put(path, content) {
      await machine.write(`${FOLDER}/${path}`, content)
      await machine.run('chown', `${NAME}:`, `${FOLDER}/${path}`)
    },
    async reset() {
      await machine.run('systemctl', 'stop', NAME)
      await machine.attempt('systemctl', 'reset-failed', NAME)
      await machine.run('find', FOLDER, '-mindepth', '1', '-delete')
      await machine.run('rm', '-rf', STATE)
      await configure()
      since = Date.now() / 1000
    },
  }
}

/** As the head of the unit says. */
async function setUp(machine: Machine): Promise<void> {
  await machine.run('systemd-sysusers', `${SYSTEMD}/${NAME}.sysusers.conf`)
  await machine.run('install', '-d', '-o', NAME, '-g', NAME, FOLDER)
  await machine.write(SECRET_FILE, `${SECRET}\n`)
  await machine.run('chmod', '600', SECRET_FILE)
  await machine.run('systemctl', 'enable', UNIT_FILE)
  await machine.write(`/etc/systemd/system/${NAME}.service.d/quick.conf`, QUICK)
  await machine.run('systemctl', 'daemon-reload')
}
