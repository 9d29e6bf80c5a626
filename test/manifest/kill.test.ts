import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { all } from './rows.ts'
import { openState } from './state.ts'

const WRITER = fileURLToPath(new URL('kill-writer.ts', import.meta.url))

/** Runs the writer until it has acknowledged so many, kills it, and returns what it acknowledged. */
async function writeAndDie(directory: string, start: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, directory, String(start)])
  onTestFinished(() => void child.kill('SIGKILL'))
  const closed = once(child, 'close')
  let text = ''
  let complaints = ''
  child.stderr.on('data', (part) => (complaints += String(part)))
  child.stdout.on('data', (part) => {
    text += String(part)
    if (text.split('\n').length > count) child.kill('SIGKILL')
  })
  await closed
  expect(complaints).toBe('')
  // The last line may have been cut by the death.
  return text.slice(0, text.lastIndexOf('\n')).split('\n')
}

test('what a killed process acknowledged is there, each time', async () => {
  const directory = await createTempFolder()
  const acknowledged = new Set<string>()
  for (const [round, count] of [300, 1500, 4000].entries()) {
    for (const name of await writeAndDie(directory, round * 100_000, count)) acknowledged.add(name)
    const { manifest } = await openState(directory)
    const found = new Set<string>((await all(manifest.entries())).map((entry) => entry.path))
    expect([...acknowledged].filter((name) => !found.has(name))).toEqual([])
    await manifest.close()
  }
})
