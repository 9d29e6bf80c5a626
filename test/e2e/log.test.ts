// The real program whose log goes nowhere.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

interface Status {
  troubles: { of: string; message: string }[]
}

/** A daemon whose standard output is a full disk, or a pipe that nobody holds the other end of. */
function startDaemon(configFile: string, output: 'full disk' | 'broken pipe') {
  const full = output === 'full disk' ? openSync('/dev/full', 'w') : undefined
  const child = spawn(process.execPath, [MAIN, 'run', '-c', configFile], {
    stdio: ['ignore', full ?? 'pipe', 'pipe'],
  })
  if (full !== undefined) closeSync(full)
  child.stdout?.destroy()
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, ended }
}

it.each([
  ['full disk', 'cannot write the log: ENOSPC'],
  ['broken pipe', 'cannot write the log: EPIPE'],
] as const)('goes on with its work when its log goes to a %s', async (output, message) => {
  const wecom = await withSimulator({ clock: systemClock })
  const site = await createSite(wecom.baseUrl)
  await site.write('a.png', aPng())
  const { child, ended } = startDaemon(site.configFile, output)
  // After its first lines have failed.
  await until(() => (wecom.controls.counts().upload ?? 0) > 0, { what: 'an upload' })
  const { troubles } = await site.ask<Status>('status')
  expect(troubles).toMatchObject([{ of: 'log', message }])
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})
