// `id PATH…`: the live media_id of each path, one a line, for scripts. An id that may be dead is never printed.
import { showName } from '../support/show-name.ts'
import { type Command, print, printJson, tell } from './command.ts'
import { withReadingDesk } from './desk-access.ts'
import { EXIT } from './exit-code.ts'

export const idCommand: Command = {
  name: 'id',
  summary: 'prints the live media_id of each path, one a line',
  arguments: [['<PATH...>', 'paths relative to the folder, or absolute below it']],
  async run(context, { positional }) {
    const answers = await withReadingDesk(context, (desk) =>
      Promise.all(positional.map((path) => desk.lookUp(path))),
    )
    if (context.json) {
      printJson(
        context,
        answers.map((answer) =>
          answer.kind === 'live'
            ? { ...answer.media, safe_until: answer.safe_until }
            : { path: answer.path, media_id: null, alive: false, because: answer.because },
        ),
      )
    }
    for (const answer of answers) {
      if (answer.kind !== 'live')
        tell(
          context,
          `no live media_id for \`${showName(answer.path)}\`: ${showName(answer.because)}`,
        )
      else if (!context.json) print(context, answer.media.media_id)
    }
    return answers.every((answer) => answer.kind === 'live') ? EXIT.done : EXIT.noLiveId
  },
}
