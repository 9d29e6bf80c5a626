// Answers for how a command reaches the mirror: the running daemon if there is one, else the state itself.
// Looking needs no lock; acting takes it, so that no daemon starts meanwhile.

import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { type Mirror, openMirror } from '../daemon.ts'
import { previewPass } from '../preview.ts'
import { stepAnswer } from '../serve/answers.ts'
import type { Desk, StepAnswer } from '../serve/desk.ts'
import type { ReadingDesk } from '../serve/reader-desk.ts'
import { openStateDesk } from '../state-desk.ts'
import { createEvents, type Events } from '../support/events.ts'
import { type Context, tell } from './command.ts'
import { renderError } from './failure.ts'
import { connectDesk, DaemonSilent } from './remote-desk.ts'

/** For commands that only look. */
export async function withReadingDesk<Answer>(
  context: Context,
  use: (desk: ReadingDesk) => Promise<Answer>,
): Promise<Answer> {
  const config = await readConfig(context)
  const answered = await askDaemon(context, config, use)
  if (answered) return answered.answer
  return use(await openStateDesk(config, context.clock))
}

/** Undefined when there is no daemon, or a silent one: whoever only looks finds in the state what it knew last. */
async function askDaemon<Answer>(
  context: Context,
  { state }: Config,
  use: (desk: Desk) => Promise<Answer>,
): Promise<{ answer: Answer } | undefined> {
  try {
    const desk = await connectDesk(state)
    return desk && { answer: await use(desk) }
  } catch (error) {
    if (!(error instanceof DaemonSilent)) throw error
    tell(context, `${renderError(error)}\nwhat follows is from the state on disk`)
    return undefined
  }
}

/** For commands that act. Without a daemon the mirror is opened under the lock, and closed again. */
export async function withActingDesk<Answer>(
  context: Context,
  command: string,
  use: (desk: Desk, events: Events) => Promise<Answer>,
): Promise<Answer> {
  const config = await readConfig(context)
  const events = createEvents()
  const remote = await connectDesk(config.state)
  if (remote) return use(remote, events)
  const bug = Promise.withResolvers<never>()
  // It may come before anybody waits for it.
  bug.promise.catch(() => {})
  const mirror: Mirror = await openMirror(config, {
    command,
    env: context.env,
    pid: context.pid,
    clock: context.clock,
    random: context.random,
    events,
    isWatched: false,
    onBug: bug.reject,
  })
  try {
    return await Promise.race([use(mirror.desk, events), bug.promise])
  } finally {
    await mirror.stop()
  }
}

/** What a full pass would do, by the daemon's own knowledge if there is one. */
export async function previewSteps(context: Context): Promise<readonly StepAnswer[]> {
  const config = await readConfig(context)
  const answered = await askDaemon(context, config, (desk) => desk.plan())
  if (answered) return answered.answer
  return (await previewPass(config, context)).map(stepAnswer)
}

export const readConfig = (context: Context): Promise<Config> =>
  loadConfig({ args: { config: context.configFile }, env: context.env, cwd: context.cwd })
