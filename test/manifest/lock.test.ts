import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { takeLock } from '../../src/manifest/lock.ts'
import { readManifest } from '../../src/manifest/read-manifest.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { CORP_ID, START_MS } from './rows.ts'
import { openState } from './state.ts'

const HOLDER = fileURLToPath(new URL('lock-holder.ts', import.meta.url))

const take = (directory: string) => takeLock({ directory, command: 'sync', nowMs: START_MS })

/** Another process that tries to take the lock and then waits; what it says comes back line by line. */
function startHolder(directory: string, uid: readonly string[] = []) {
  const child = spawn(process.execPath, [HOLDER, directory, ...uid])
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const part of child.stdout ?? []) {
    text += String(part)
    if (text.includes('\n')) return text.trimEnd()
  }
  return `${text}(ended)`
}

test('the second process is told who has the directory', async () => {
  const directory = await createTempFolder()
  const child = startHolder(directory)
  expect(await firstLine(child)).toBe('held')
  const error = await take(directory).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ConfigError)
  expect(error).toMatchObject({
    message: `cannot use state directory \`${directory}\`: it is in use by process ${child.pid} (\`run\`), since 2026-11-22T08:00:00.000Z`,
    hint: expect.stringContaining('stop it first'),
  })
})

test('the lock is gone with a process that is killed', async () => {
  const directory = await createTempFolder()
  const child = startHolder(directory)
  expect(await firstLine(child)).toBe('held')
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  expect(JSON.parse(await readFile(join(directory, 'lock.json'), 'utf8')).pid).toBe(child.pid)
  const lock = await take(directory)
  const holder = JSON.parse(await readFile(join(directory, 'lock.json'), 'utf8'))
  expect(holder).toMatchObject({ pid: process.pid, command: 'sync' })
  await lock.release()
})

test('a process that holds the lock keeps others out', async () => {
  const directory = await createTempFolder()
  const { manifest } = await openState(directory)
  await readManifest({ directory, corpId: CORP_ID })
  const child = startHolder(directory)
  expect(await firstLine(child)).toContain(`in use by process ${process.pid} (\`test\`)`)
  await manifest.close()
  expect(await firstLine(startHolder(directory))).toBe('held')
})

test('the same process cannot open a directory twice, and can again after closing', async () => {
  const directory = await createTempFolder()
  const first = await openState(directory)
  await expect(openState(directory)).rejects.toThrow(`in use by process ${process.pid}`)
  await first.manifest.close()
  await (await openState(directory)).manifest.close()
})

test('what stands about the holder is told, never believed', async () => {
  const directory = await createTempFolder()
  await writeFile(join(directory, 'lock.json'), 'nonsense')
  const lock = await take(directory)
  await writeFile(join(directory, 'lock.json'), 'nonsense')
  await expect(take(directory)).rejects.toThrow('it is in use by another process')
  await lock.release()
})

test('a directory that may not be written to is named, with what to do', async () => {
  const directory = await createTempFolder()
  await chmod(directory, 0o555)
  // Nothing is forbidden to root, so root lets somebody else try.
  const child = startHolder(directory, process.getuid?.() === 0 ? ['65534'] : [])
  const line = await firstLine(child)
  expect(line).toContain(`cannot use state directory \`${directory}\``)
  expect(line).toContain('the user of the daemon may write to')
})

test('a lock file that is something else is left alone', async () => {
  const directory = await createTempFolder()
  await writeFile(join(directory, 'lock'), 'a letter to the editor '.repeat(100))
  await expect(take(directory)).rejects.toThrow('file is not a database')
  expect(await readFile(join(directory, 'lock'), 'utf8')).toContain('a letter')
})

test('a state directory that is a file is refused', async () => {
  const file = join(await createTempFolder(), 'state')
  await writeFile(file, '')
  await expect(openState(file)).rejects.toThrow(
    `cannot use state directory \`${file}\`: it cannot be made: something else is there (EEXIST)`,
  )
})

test('taking the lock warns of nothing', async () => {
  const child = startHolder(await createTempFolder())
  let warnings = ''
  child.stderr?.on('data', (part) => (warnings += String(part)))
  expect(await firstLine(child)).toBe('held')
  child.kill('SIGTERM')
  await once(child, 'close')
  expect(warnings).toBe('')
})
