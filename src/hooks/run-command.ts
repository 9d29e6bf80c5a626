// Answers for telling by a command: no shell, the body on its standard input, an environment in which nothing of ours is. It is
// told when it ends with 0. Whoever aborts has it ended with all that it started: it is asked to, and killed soon after.
import { type ChildProcess, spawn } from 'node:child_process'
import { isSystemError } from '../errors.ts'
import type { Clock } from '../support/clock.ts'
import { showName } from '../support/show-name.ts'
import type { Refusal, Tell } from './hook.ts'

/** What the daemon is given may hold secrets; these do not, and most programs want them. */
const HANDED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR']
const KILLED_AFTER_MS = 2_000
/** Of what it says on standard error the last line is told, of that no more than this. */
const MOST_HEARD_CHARACTERS = 200
const MOST_KEPT_CHARACTERS = 4_096

export type Environment = Readonly<Record<string, string | undefined>>

/** The part of the environment that commands get. */
export const handOn = (env: Environment): Record<string, string> =>
  Object.fromEntries(
    HANDED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  )

export function createCommand(deps: {
  readonly run: readonly [string, ...string[]]
  readonly env: Environment
  readonly clock: Pick<Clock, 'after'>
}): Tell {
  const [file, ...args] = deps.run
  const options = {
    // Nobody's folder is kept from being unmounted.
    cwd: '/',
    env: handOn(deps.env),
    // A group of its own, so that what it started can be ended with it.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'] as ['pipe', 'ignore', 'pipe'],
  }

  return (body, signal) =>
    new Promise((resolve, reject) => {
      let child: ChildProcess
      try {
        child = spawn(file, args, options)
      } catch (error) {
        return isSystemError(error) ? resolve(notStarted(error)) : reject(error)
      }
      const end = endWith(child, signal, deps.clock)
      const heard = listen(child)
      // One that does not read what it is told may have no need to.
      child.stdin?.on('error', () => {}).end(body)
      child.on('error', (error) => {
        if (child.pid !== undefined) return
        end.over()
        resolve(notStarted(error))
      })
      // Not `close`: what it left running in the background may keep its standard error open.
      child.once('exit', (code, killedBy) => {
        end.over()
        resolve(code === 0 ? undefined : describeEnd(code, killedBy, heard()))
        child.stderr?.destroy()
      })
    })
}

/** Ends the whole group when the signal says so. */
function endWith(child: ChildProcess, signal: AbortSignal, clock: Pick<Clock, 'after'>) {
  let killing: ReturnType<Clock['after']> | undefined
  const onAbort = () => {
    killGroup(child, 'SIGTERM')
    killing = clock.after(KILLED_AFTER_MS, () => killGroup(child, 'SIGKILL'))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return {
    over() {
      signal.removeEventListener('abort', onAbort)
      killing?.cancel()
      if (killing) killGroup(child, 'SIGKILL')
    },
  }
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (!isSystemError(error)) throw error // ESRCH: nothing of it is left
  }
}

/** Returns the way to ask for the last line that it has said so far. */
function listen(child: ChildProcess): () => string {
  let kept = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    kept = (kept + text).slice(-MOST_KEPT_CHARACTERS)
  })
  return () => kept.trim().split('\n').at(-1)?.trim().slice(0, MOST_HEARD_CHARACTERS) ?? ''
}

function describeEnd(code: number | null, killedBy: string | null, heard: string): Refusal {
  const said = heard === '' ? '' : `: ${showName(heard)}`
  return {
    because: `${code === null ? `it was ended by ${killedBy}` : `exit code ${code}`}${said}`,
  }
}

const notStarted = (error: Error): Refusal => ({
  because: `it cannot be started: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
  hint: 'Write its absolute path, and see that the user of the daemon may execute it.',
})
