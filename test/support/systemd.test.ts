// What is handed to `systemd-notify`, by one that writes it down; the real one is in test/system.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createServiceNotifier } from '../../src/support/systemd.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

const PID = 4711

/** A notifier on a machine of which this test says what `systemd-notify` does. */
async function aNotifier({
  script = 'true',
  env = {},
}: {
  script?: string | null
  env?: Record<string, string>
}) {
  const folder = await createTempFolder()
  const [program, written] = [join(folder, 'systemd-notify'), join(folder, 'written')]
  await writeFile(written, '')
  if (script !== null) {
    await writeFile(
      program,
      `#!/bin/sh\nprintf '[%s]' "$NOTIFY_SOCKET" "$@" >>"${written}"\n${script}\n`,
    )
    await chmod(program, 0o755)
  }
  const troubles: string[] = []
  const notifier = createServiceNotifier({
    env: { PATH: folder, NOTIFY_SOCKET: '/run/notify', ...env },
    pid: PID,
    onTrouble: (message) => troubles.push(message),
  })
  return { notifier, troubles, written: () => readFile(written, 'utf8') }
}

describe('the service notifier', () => {
  it('tells systemd that it is ready, alive, and stopping', async () => {
    const { notifier, troubles, written } = await aNotifier({})
    await notifier.ready('3 media, 0 problems')
    await notifier.watchdog()
    await notifier.status('4 media, 0 problems')
    await notifier.stopping()
    expect((await written()).replaceAll('[/run/notify]', '\n')).toBe(
      '\n[READY=1][STATUS=3 media, 0 problems]\n[WATCHDOG=1]\n[STATUS=4 media, 0 problems]\n[STOPPING=1][STATUS=stopping]',
    )
    expect(troubles).toEqual([])
  })

  it('lets no status forge an assignment of its own', async () => {
    const { notifier, written } = await aNotifier({})
    await notifier.status('no calls to WeCom:\nWATCHDOG=trigger\r\n')
    expect(await written()).toBe('[/run/notify][STATUS=no calls to WeCom: WATCHDOG=trigger ]')
  })

  it.each(['', undefined])(
    'is silent when nobody listens ($NOTIFY_SOCKET is %j)',
    async (socket) => {
      const { notifier, troubles, written } = await aNotifier({})
      const silent = createServiceNotifier({
        env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '3000000' },
        pid: PID,
        onTrouble: (message) => troubles.push(message),
      })
      await silent.ready('')
      await silent.stopping()
      expect([await written(), troubles, silent.watchdogEveryMs]).toEqual(['', [], undefined])
      expect(notifier.watchdogEveryMs).toBeUndefined()
    },
  )

  it('says once that it is not heard, and again after it was heard in between', async () => {
    const script = 'case "$*" in WATCHDOG*) echo "Failed to send" >&2; exit 1;; esac'
    const { notifier, troubles } = await aNotifier({ script })
    await notifier.watchdog()
    await notifier.watchdog()
    const trouble = 'cannot tell systemd `WATCHDOG=1`: systemd-notify ended with 1: Failed to send'
    expect(troubles).toEqual([trouble])
    await notifier.status('well')
    await notifier.watchdog()
    expect(troubles).toEqual([trouble, trouble])
  })

  it('says so, and goes on, where there is no systemd-notify', async () => {
    const { notifier, troubles } = await aNotifier({ script: null })
    await notifier.ready('')
    expect(troubles).toEqual([expect.stringMatching(/^cannot tell systemd `READY=1`: .*ENOENT/)])
  })

  it.each([
    ['half of its period', { WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(PID) }, 30_000],
    ['half of its period, with no word of whose it is', { WATCHDOG_USEC: '3000000' }, 1500],
    [
      'never, when it is for another process',
      { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' },
      undefined,
    ],
    ['never, when it is off', { WATCHDOG_USEC: '0' }, undefined],
    ['never, when there is none', {}, undefined],
  ])('beats for the watchdog %s', async (_, env, expected) => {
    expect((await aNotifier({ env })).notifier.watchdogEveryMs).toBe(expected)
  })
})
