// `demo`, as `npm start` runs it, on a copy of its configuration: what a newcomer is promised in the first minutes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { parse, stringify } from 'yaml'
import { createTempFolder } from '../helpers/temp-folder.ts'

const [main, shipped] = ['src/main.ts', 'config/demo.yaml'].map((path) =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url)),
) as [string, string]
/** The demo itself waits 15 s before it deletes its sample. */
const LONGEST_MS = 60_000

it('shows an upload, a deletion, its restore and a renewal, and Ctrl-C ends it', async () => {
  const place = await createTempFolder('demo')
  const settings = parse(await readFile(shipped, 'utf8'))
  settings.folder.path = join(place, 'folder')
  settings.state = join(place, 'state')
  settings.renewal = { ...settings.renewal, lifetime: '40s', before: '30s' }
  const configFile = join(place, 'demo.yaml')
  await writeFile(configFile, stringify(settings))

  const { NOTIFY_SOCKET: _, JOURNAL_STREAM: __, ...env } = process.env
  const startedAt = performance.now()
  const child = spawn(process.execPath, [main, 'demo', '-c', configFile], { env })
  onTestFinished(() => void child.kill('SIGKILL'))
  let told = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (told += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (told += text))
  const ended = once(child, 'exit')
  const see = async (what: RegExp) => {
    while (performance.now() - startedAt < LONGEST_MS && child.exitCode === null) {
      const found = what.exec(told)
      if (found) return found.index
      await Promise.race([once(child.stdout, 'data'), ended])
    }
    throw new Error(`waited in vain for ${what}; told:\n${told}`)
  }

  await see(/uploaded posters\/欢迎\.png as image /)
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  await see(/media die there after 40 s/)
  const renewed = await see(/renewed \S+: now /)
  const deleted = await see(/now deleting posters\/欢迎\.png: WeCom still has it/)
  const restored = await see(/restored posters\/欢迎\.png from /)
  expect(restored).toBeGreaterThan(deleted)
  expect(renewed).toBeGreaterThan(0)
  child.kill('SIGINT')
  expect(await ended).toEqual([0, null])
  expect(told).toContain('stopping: SIGINT')
  expect(told).not.toContain('✗')
}, 70_000)
