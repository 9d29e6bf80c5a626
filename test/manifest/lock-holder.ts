// A process that takes the lock of the directory it is given, says so, and waits to be killed; as another user if told.
import { takeLock } from '../../src/manifest/lock.ts'

const [directory = '', uid] = process.argv.slice(2)
if (uid !== undefined) process.setuid?.(Number(uid))
try {
  const nowMs = Date.UTC(2026, 10, 22, 8)
  await takeLock({ directory, command: 'run', nowMs })
  console.log('held')
  setInterval(() => undefined, 60_000)
} catch (error) {
  const hint = error instanceof Error && 'hint' in error ? error.hint : ''
  console.log(`${error} (${hint})`)
}
