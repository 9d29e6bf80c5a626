// `pull MEDIA_ID`: refers to a medium and waits until it has landed in the folder.
import { assertNever } from '../errors.ts'
import type { PullAnswer } from '../serve/desk.ts'
import { showName } from '../support/show-name.ts'
import { type Command, type Context, print, printJson, tell } from './command.ts'
import { withActingDesk } from './desk-access.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { exitCodeOfAnswer, renderFailure } from './failure.ts'

export const pullCommand: Command = {
  name: 'pull',
  summary: 'adds a reference, waits until it has landed, prints its path',
  arguments: [['<MEDIA_ID>', 'the id to fetch']],
  options: [['--to <PATH>', 'where it belongs in the folder (default: `references.inbox`)']],
  async run(context, { positional, options }) {
    const mediaId = positional[0] ?? ''
    const path = typeof options.to === 'string' ? options.to : undefined
    const answer = await withActingDesk(context, 'pull', (desk) =>
      desk.pull(mediaId, path, context.signal),
    )
    if (context.json) printJson(context, answer)
    return report(context, answer)
  },
}

function report(context: Context, answer: PullAnswer): ExitCode {
  switch (answer.kind) {
    case 'landed':
      if (!context.json) print(context, answer.reference.landed_path ?? '')
      return EXIT.done
    case 'lost':
      tell(context, showName(answer.reference.message ?? 'it is lost'))
      return EXIT.someFailed
    case 'accepted':
      tell(
        context,
        `accepted, and fetched as soon as that can be done: ${renderFailure(answer.because)}`,
      )
      return exitCodeOfAnswer(answer.because)
    case 'refused':
      tell(context, showName(answer.because))
      return EXIT.wrongUsage
    default:
      return assertNever(answer)
  }
}
