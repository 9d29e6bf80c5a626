// `sync`: one full pass, then ends.
import type { MirrorAnswer } from '../serve/desk.ts'
import { describeEvent } from '../support/event-text.ts'
import { showName } from '../support/show-name.ts'
import { type Command, type Context, print, printJson, tell } from './command.ts'
import { withActingDesk } from './desk-access.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { exitCodeOfAnswer, renderFailure } from './failure.ts'
import { createProgressBar } from './progress-bar.ts'

export const syncCommand: Command = {
  name: 'sync',
  summary: 'one full pass, with a progress bar on a terminal, then ends',
  options: [
    [
      '--restore-vanished',
      'also fetch back every file that is gone, however many vanished at once, and whatever folder.onDelete says',
    ],
  ],
  run: (context, { options }) =>
    withActingDesk(context, 'sync', async (desk, events) => {
      const bar = context.stderrIsTerminal
        ? createProgressBar({ stream: context.stderr, clock: context.clock })
        : undefined
      const unsubscribe = events.subscribe((event) => {
        const { level, message, hint } = describeEvent(event, context.clock.nowMs())
        if (level !== 'error' && level !== 'warn') return
        bar?.end()
        tell(context, renderFailure({ message, hint: hint ?? null }))
      })
      try {
        const answer = await desk.mirror((progress) => bar?.show(progress), context.signal, {
          restoreVanished: options.restoreVanished === true,
        })
        bar?.end()
        return report(context, answer)
      } finally {
        bar?.end()
        unsubscribe()
      }
    }),
}

function report(context: Context, answer: MirrorAnswer): ExitCode {
  if (context.json) printJson(context, answer)
  else print(context, renderAnswer(answer))
  if (answer.stopped_by) return exitCodeOfAnswer(answer.stopped_by)
  return answer.failed.length + answer.problems > 0 ? EXIT.someFailed : EXIT.done
}

function renderAnswer(answer: MirrorAnswer): string {
  const { failed, problems, stopped_by, ...counts } = answer
  const done = Object.entries(counts).filter(([, count]) => count > 0)
  const lines: string[] = []
  if (done.length > 0) lines.push(done.map(([word, count]) => `${count} ${word}`).join(', '))
  for (const { path, message } of failed)
    lines.push(`left undone: ${showName(path)}: ${showName(message)}`)
  if (problems > 0) lines.push(`${problems} with problems: see \`wecom-media-mirror status\``)
  if (stopped_by) lines.push(renderFailure(stopped_by))
  return lines.length > 0 ? lines.join('\n') : 'nothing to do'
}
