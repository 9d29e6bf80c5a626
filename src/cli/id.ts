// `id PATH…`: the live media_id of each path, one a line, for scripts. An id that may be dead is never printed.
import type { NoLiveId } from '../serve/desk.ts'
import { type Command, print, printJson, tell } from './command.ts'
import { withReadingDesk } from './desk-access.ts'
import { EXIT } from './exit-code.ts'
import { renderFailure } from './failure.ts'

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
            : {
                path: answer.path,
                media_id: null,
                alive: false,
                safe_until: null,
                safe_for_ms: 0,
                because: answer.because,
                hint: answer.hint,
                expected_back_at: answer.expected_back_at,
                expected_back: answer.expected_back,
              },
        ),
      )
    }
    for (const answer of answers) {
      if (answer.kind !== 'live') tell(context, renderNoLiveId(answer))
      else if (!context.json) print(context, answer.media.media_id)
    }
    return answers.every((answer) => answer.kind === 'live') ? EXIT.done : EXIT.noLiveId
  },
}

const renderNoLiveId = ({ path, because, hint, expected_back }: NoLiveId): string =>
  renderFailure({
    message: `no live media_id for \`${path}\`: ${because}; expected back: ${expected_back}`,
    hint,
  })
