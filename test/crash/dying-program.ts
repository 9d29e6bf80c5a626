// The daemon of src, on the real disk, with one difference: it kills itself at the labelled point that it is given, from its start
// or once it is told to by SIGUSR2. The last line it prints says what it was about to flush, or had flushed.
import { writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadConfig } from '../../src/config/load.ts'
import { openMirror } from '../../src/daemon.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createEvents } from '../../src/support/events.ts'
import { createLog } from '../../src/support/log.ts'
import { createDeadlyFiles } from './deadly-files.ts'
import { DISK_POINTS, type DiskPointName, isAt } from './points.ts'

const { values, positionals } = parseArgs({
  options: { config: { type: 'string', short: 'c' } },
  allowPositionals: true,
})
const point = positionals[0] as DiskPointName
let isArmed = 'atStart' in DISK_POINTS[point]
process.once('SIGUSR2', () => {
  isArmed = true
})

const { env, pid } = process
const config = await loadConfig({ args: values, env, cwd: process.cwd() })
const events = createEvents()
createLog({ events, level: 'debug', format: 'json', stream: process.stdout, clock: systemClock })
const mirror = await openMirror(config, {
  command: 'run',
  env,
  pid,
  clock: systemClock,
  random: Math.random,
  events,
  isWatched: true,
  onBug(error) {
    throw error
  },
  files: createDeadlyFiles({
    isDeadly: (touch) => isArmed && isAt(point, touch),
    die({ when, operation, text }) {
      const flushed = when === 'after' && operation === 'datasync' ? text : ''
      writeSync(1, `${JSON.stringify({ event: 'dying', point, flushed })}\n`)
      process.kill(pid, 'SIGKILL')
    },
  }),
})
process.once('SIGTERM', () => void mirror.stop())
await mirror.start()
