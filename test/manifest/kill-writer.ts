// A process that commits without end, tells each acknowledged number, and waits to be killed.
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import { systemClock } from '../../src/support/clock.ts'
import { anEntry, CORP_ID } from './rows.ts'

const [directory = '', start = '0'] = process.argv.slice(2)
const manifest = await openLowdbManifest({
  directory,
  corpId: CORP_ID,
  clock: systemClock,
  emit: () => undefined,
  lock: 'exclusive',
  command: 'run',
})
const LAST = 1_000_000
let next = Number(start)

async function commitOn(): Promise<void> {
  while (next < LAST) {
    const number = next++
    await manifest.commit([{ kind: 'put-entry', entry: anEntry(`${number}`) }])
    process.stdout.write(`${number}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, commitOn))
