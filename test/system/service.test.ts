// The unit as shipped, in a real boot: what systemd, the journal and the administrator see of the daemon.
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aJpg, aPng } from '../helpers/samples.ts'
import {
  FOLDER,
  installService,
  NAME,
  SECRET,
  SECRET_FILE,
  type Service,
  STATE,
  UNIT_FILE,
} from './service.ts'

let service: Service

beforeAll(async () => {
  const prefix = process.env.INSTALLED
  if (!prefix) throw new Error('$INSTALLED is not set: run these with `npm run test:system`')
  service = await installService(prefix)
})
afterAll(() => service?.machine.powerOff())
beforeEach(() => service.reset())

const mediaInManifest = async () => {
  const { media } = JSON.parse(await service.machine.read(`${STATE}/manifest.json`))
  return media as Record<string, { media_id: string; expires_at: string }>
}

describe('the unit', () => {
  it('has nothing that systemd would complain about', async () => {
    expect(await service.machine.attempt('systemd-analyze', 'verify', UNIT_FILE)).toEqual({
      code: 0,
      output: '',
    })
  })

  it('is called OK by systemd, so well is the daemon locked in', async () => {
    const { code, output } = await service.machine.attempt(
      'systemd-analyze',
      'security',
      '--offline=true',
      '--threshold=20',
      UNIT_FILE,
    )
    expect(output).toMatch(/Overall exposure level .*: \d\.\d OK/)
    expect(code).toBe(0)
  })
})

describe('systemctl start', () => {
  it('returns when the first scan is done, and the status line follows the uploads', async () => {
    await service.put('poster.jpg', aJpg())
    await service.put('prices/today.png', aPng())
    await service.systemctl('start')
    expect(await service.show('ActiveState')).toBe('active')
    expect(await service.show('StatusText')).toMatch(/^\d media, 0 problems$/)
    expect((await service.journal()).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^ready: /),
    )
    await service.until('StatusText', '2 media, 0 problems')
  })

  it('takes nothing away that the daemon needs: it watches, uploads, restores, and answers', async () => {
    await service.systemctl('start')
    await service.put('poster.jpg', aJpg())
    await service.untilJournal(/^uploaded poster.jpg as image/)
    const [entry] = Object.values(await untilInManifest('poster.jpg'))
    expect(await service.machine.run(NAME, 'id', 'poster.jpg')).toBe(`${entry?.media_id}\n`)

    await rm(service.machine.path(`${FOLDER}/poster.jpg`))
    await service.untilJournal(/^restored poster.jpg/)
    expect((await service.machine.run('stat', '-c', '%U %a', `${FOLDER}/poster.jpg`)).trim()).toBe(
      'wecom-media-mirror 640',
    )
    const troubles = (await service.journal()).filter(({ priority }) => priority <= 4)
    expect(troubles).toEqual([])
  })

  it('keeps the state for its user and group, and the secret out of the environment and the journal', async () => {
    await service.put('poster.jpg', aJpg())
    await service.systemctl('start')
    await untilInManifest('poster.jpg')
    const stat = (path: string) => service.machine.run('stat', '-c', '%U:%G %a', path)
    expect(await stat(STATE)).toBe('wecom-media-mirror:wecom-media-mirror 750\n')
    expect(await stat(`${STATE}/manifest.json`)).toBe('wecom-media-mirror:wecom-media-mirror 640\n')
    const pid = await service.show('MainPID')
    const seen = [
      await service.machine.read(`/proc/${pid}/environ`),
      await service.machine.read(`/proc/${pid}/cmdline`),
    ]
    const journal = (await service.journal()).map(({ message }) => message)
    expect([...seen, ...journal].filter((text) => text.includes(SECRET))).toEqual([])
  })
})

describe('a hook', () => {
  /** Tries what it is not to be allowed, and says in the state directory what it was, and what it was told. */
  const TRY = `
exec 2>/dev/null
told=$(cat)
echo "$told" > ${STATE}/told
try() { if "$@"; then echo "$* goes" >> ${STATE}/tried; else echo "$* fails" >> ${STATE}/tried; fi; }
try touch /tmp/here
try touch ${FOLDER}/.here
try touch /srv/open/there
try touch /home/open/there
try unshare --user true
try grep -q NoNewPrivs:.1 /proc/self/status
rm ${FOLDER}/.here
`

  it('is a command in the sandbox of the daemon: it runs, and may no more than that', async () => {
    // Whose the directories are is not what keeps it from them.
    await service.machine.run('mkdir', '-p', '/home')
    await service.machine.run('mkdir', '-m', '777', '/srv/open', '/home/open')
    const on = [{ event: 'first-id', run: ['sh', '-c', TRY] }]
    await service.configure({ on, log: { level: 'debug' } })
    await service.systemctl('start')
    await service.put('poster.jpg', aJpg())
    const { message } = await service.untilJournal(/^told the hook|hook .* fails/)
    expect(message).toMatch(/^told/)
    expect(JSON.parse(await service.machine.read(`${STATE}/told`))).toMatchObject({
      event: 'first-id',
      path: 'poster.jpg',
    })
    expect((await service.machine.read(`${STATE}/tried`)).trim().split('\n')).toEqual([
      'touch /tmp/here goes',
      `touch ${FOLDER}/.here goes`,
      'touch /srv/open/there fails',
      'touch /home/open/there fails',
      'unshare --user true fails',
      'grep -q NoNewPrivs:.1 /proc/self/status goes',
    ])
    expect(existsSync(service.machine.path('/tmp/here'))).toBe(false)
  })
})

describe('the journal', () => {
  it('has a priority for every line, and the file that is at fault by name', async () => {
    await service.configure({ log: { level: 'debug' } })
    await service.put('empty.jpg', Buffer.alloc(0))
    await service.put('poster.jpg', aJpg())
    await service.systemctl('start')
    expect(await service.untilJournal(/^scanned 2 files/)).toMatchObject({ priority: 7 })
    expect(await service.untilJournal(/^uploaded poster.jpg/)).toMatchObject({ priority: 6 })
    expect(await service.untilJournal(/`empty.jpg`/)).toMatchObject({ priority: 4 })
    const prefixed = (await service.journal()).filter(({ message }) => /^<\d>/.test(message))
    expect(prefixed).toEqual([])
  })
})

describe('systemctl reload', () => {
  it('takes the new configuration into the running daemon, which stays alive for its watchdog', async () => {
    await service.put('poster.jpg', aJpg())
    await service.systemctl('start')
    const pid = await service.show('MainPID')
    await service.configure({ log: { level: 'debug' } })
    await service.systemctl('reload')
    await service.untilJournal(/the configuration was read again/)
    const fed = await service.show('WatchdogTimestampMonotonic')
    await service.until('WatchdogTimestampMonotonic', new RegExp(`^(?!${fed}$).*`))
    await service.until('StatusText', '1 media, 0 problems')
    await service.put('second.jpg', aJpg(5000))
    await service.untilJournal(/^uploaded second.jpg/)
    expect(await service.show('MainPID')).toBe(pid)
    expect(await service.show('NRestarts')).toBe('0')
  })

  it('refuses a broken configuration and goes on with the old one', async () => {
    await service.systemctl('start')
    await service.configure({ folder: { pathh: FOLDER } })
    await service.systemctl('reload')
    expect(await service.untilJournal(/the new configuration is refused/)).toMatchObject({
      priority: 3,
    })
    await service.put('poster.jpg', aJpg())
    await service.untilJournal(/^uploaded poster.jpg/)
    expect(await service.show('ActiveState')).toBe('active')
  })
})

describe('the watchdog', () => {
  it('restarts a daemon that hangs, and no media_id is lost over it', async () => {
    await service.put('poster.jpg', aJpg())
    await service.systemctl('start')
    const before = await untilInManifest('poster.jpg')
    const pid = await service.show('MainPID')
    await service.machine.run('kill', '-STOP', pid)
    await service.until('NRestarts', '1')
    await service.until('ActiveState', 'active')
    await service.untilJournal(/Failed with result 'watchdog'/)
    expect(await service.show('MainPID')).not.toBe(pid)
    await service.until('StatusText', '1 media, 0 problems')
    expect(await mediaInManifest()).toEqual(before)
  })

  it('leaves a healthy daemon alone', async () => {
    await service.systemctl('start')
    let beat = await service.show('WatchdogTimestampMonotonic')
    // Half its period apart, so four of them outlast it.
    for (const _ of Array(4).keys())
      beat = await service.until('WatchdogTimestampMonotonic', new RegExp(`^(?!${beat}$).*`))
    expect(await service.show('NRestarts')).toBe('0')
  })
})

describe('a killed daemon', () => {
  it('is started again with all that it had acknowledged', async () => {
    await service.put('poster.jpg', aJpg())
    await service.systemctl('start')
    await service.untilJournal(/^uploaded poster.jpg/)
    await service.machine.run('kill', '-KILL', await service.show('MainPID'))
    await service.until('NRestarts', '1')
    await service.until('StatusText', '1 media, 0 problems')
    const uploads = (await service.journal()).filter(({ message }) =>
      message.startsWith('uploaded'),
    )
    expect(uploads).toHaveLength(1)
  })
})

describe('systemctl stop', () => {
  it('ends it cleanly and soon, with a whole manifest of everything that was uploaded', async () => {
    for (const number of Array(50).keys())
      await service.put(`poster-${number}.jpg`, aJpg(4000 + number))
    await service.systemctl('start')
    await service.untilJournal(/^uploaded poster/)
    const startedAt = performance.now()
    await service.systemctl('stop')
    expect(performance.now() - startedAt).toBeLessThan(5000)
    expect(await service.show('Result')).toBe('success')
    expect(await service.show('ExecMainStatus')).toBe('0')

    const told = (await service.journal()).flatMap(
      ({ message }) => message.match(/^uploaded (\S+)/)?.[1] ?? [],
    )
    const media = await mediaInManifest()
    expect(Object.keys(media)).toEqual(expect.arrayContaining(told))
    for (const entry of Object.values(media)) expect(entry.media_id).toMatch(/^\S+$/)
    expect(existsSync(service.machine.path(`${STATE}/daemon.sock`))).toBe(false)
  })
})

describe('what only a person can cure', () => {
  const failsOnce = async (status: string) => {
    expect((await service.machine.attempt('systemctl', 'start', NAME)).code).not.toBe(0)
    await service.until('ActiveState', 'failed')
    expect(await service.show('ExecMainStatus')).toBe(status)
    // Longer than RestartSec, so that a restart would have shown.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await service.show('ActiveState')).toBe('failed')
    expect(await service.show('NRestarts')).toBe('0')
  }

  it('a broken configuration ends it with 78, says where, and is not tried again', async () => {
    await service.configure({ folder: { path: FOLDER, settel: '1s' } })
    await failsOnce('78')
    await service.untilJournal(/config\.yaml:\d+:\d+: .*settle/)
  })

  it('a missing secret ends it with 243 and is not tried again', async () => {
    await service.machine.run('mv', SECRET_FILE, `${SECRET_FILE}.away`)
    await failsOnce('243')
    await service.machine.run('mv', `${SECRET_FILE}.away`, SECRET_FILE)
  })
})

async function untilInManifest(path: string) {
  for (let look = 0; look < 200; look++) {
    const media = existsSync(service.machine.path(`${STATE}/manifest.json`))
      ? await mediaInManifest()
      : {}
    if (media[path]) return media
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`\`${path}\` did not come into the manifest`)
}
