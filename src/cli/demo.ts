// `demo`: the daemon on a folder of samples against the built-in simulator, with a voice that says what to look at. For `npm start`.
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mirror } from '../daemon.ts'
import type { Events } from '../support/events.ts'
import { seconds } from '../support/span-text.ts'
import type { Command, Context } from './command.ts'
import { demoMedia } from './demo-media.ts'
import { readConfig } from './desk-access.ts'
import { runDaemon } from './run.ts'

const DEMO_CONFIG = fileURLToPath(new URL('../../config/demo.yaml', import.meta.url))
/** The sample that is deleted, so that one can see it come back. */
const VICTIM = 'posters/欢迎.png'
const DELETE_AFTER_MS = 15_000

export const demoCommand: Command = {
  name: 'demo',
  summary: 'shows the daemon at work on a sample folder, against the built-in simulator',
  async run(given) {
    const context: Context = { ...given, configFile: given.configFile ?? DEMO_CONFIG }
    const config = await readConfig(context)
    const { path: folder } = config.folder
    for (const [path, content] of demoMedia()) await writeIfMissing(join(folder, path), content)
    return runDaemon(context, config, (events, mirror) => {
      introduce(events, folder, config.renewal.lifetimeMs)
      showRestore(context, events, mirror, folder)
    })
  },
}

async function writeIfMissing(file: string, content: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const isThere = await access(file).then(
    () => true,
    () => false,
  )
  if (!isThere) await writeFile(file, content)
}

function introduce({ emit }: Events, folder: string, lifetimeMs: number): void {
  const say = (message: string) => emit({ kind: 'narrated', message })
  say(
    `WeCom is played by the built-in simulator; media die there after ${seconds(lifetimeMs)}, not three days`,
  )
  say(`drop a file into ${folder} and see it get a media_id (Ctrl-C stops)`)
  say(`in another terminal: npm exec -- node src/main.ts id -c config/demo.yaml '${VICTIM}'`)
}

/** Once the victim has an id, its file goes; the daemon fetches it back at its next restore tick. */
function showRestore(
  { clock, signal }: Context,
  { emit }: Events,
  mirror: Mirror,
  folder: string,
): void {
  const timer = clock.after(DELETE_AFTER_MS, async () => {
    if ((await mirror.desk.lookUp(VICTIM)).kind !== 'live') return
    emit({
      kind: 'narrated',
      message: `now deleting ${VICTIM}: WeCom still has it, so it comes back`,
    })
    await rm(join(folder, VICTIM), { force: true })
  })
  signal.addEventListener('abort', () => timer.cancel(), { once: true })
}
