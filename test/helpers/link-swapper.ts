// An attacker in a process of its own: a directory becomes a symbolic link to another place and back, as fast as that can be done.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** Whoever makes a directory under the name meanwhile has it moved out of the way. */
const ATTACK = `
const { mkdirSync, renameSync, symlinkSync, unlinkSync, existsSync } = require('node:fs')
const [directory, outside, aside] = process.argv.slice(1)
mkdirSync(aside, { recursive: true })
const quietly = (deed) => { try { deed() } catch {} }
let stopping = false
process.on('disconnect', () => (stopping = true))
let number = 0
function swap() {
  for (let turn = 0; turn < 200; turn++) {
    quietly(() => renameSync(directory, aside + '/real'))
    quietly(() => symlinkSync(outside, directory))
    quietly(() => unlinkSync(directory))
    try { renameSync(aside + '/real', directory) } catch {
      quietly(() => renameSync(directory, aside + '/made-' + number++))
      quietly(() => renameSync(aside + '/real', directory))
    }
  }
  if (!stopping) setImmediate(swap)
}
process.send('swapping')
swap()
`

/** Swaps until it is told to stop, or the test is over; ends with the directory in its place. */
export async function swapForLink(
  directory: string,
  outside: string,
): Promise<() => Promise<void>> {
  const aside = `${outside}-aside`
  const child = spawn(process.execPath, ['-e', ATTACK, directory, outside, aside], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const stop = async () => {
    if (child.connected) child.disconnect()
    await ended
  }
  onTestFinished(stop)
  await once(child, 'message')
  return stop
}
