// `forget PATH…`: drops entries for good.

import { showName } from '../support/show-name.ts'
import { type Command, print, printJson, tell } from './command.ts'
import { withActingDesk } from './desk-access.ts'
import { EXIT } from './exit-code.ts'

export const forgetCommand: Command = {
  name: 'forget',
  summary:
    'drops an entry or a reference; a file that stays is mirrored again only when it changes',
  arguments: [
    [
      '[PATH...]',
      'paths relative to the folder, or absolute below it; or the media_id of a reference',
    ],
  ],
  options: [
    ['--delete', 'delete the file as well'],
    [
      '--vanished',
      'every entry whose file is gone, when so many vanished at once that the mirror waits for your word',
    ],
  ],
  async run(context, { positional, options }) {
    const vanished = options.vanished === true
    if (positional.length === 0 && !vanished) {
      tell(context, 'name the paths to forget, or say --vanished')
      return EXIT.wrongUsage
    }
    const answers = await withActingDesk(context, 'forget', (desk) =>
      desk.forget(positional, { deleteFile: options.delete === true, vanished }),
    )
    if (context.json) printJson(context, answers)
    for (const { path, forgotten, file_deleted, delete_failed, because } of answers) {
      if (!forgotten) tell(context, `cannot forget \`${showName(path)}\`: ${showName(because)}`)
      else if (delete_failed) tell(context, `\`${showName(path)}\`: ${showName(because)}`)
      else if (!context.json)
        print(context, `forgot ${showName(path)}${file_deleted ? ', and deleted the file' : ''}`)
    }
    return answers.every(({ forgotten, delete_failed }) => forgotten && !delete_failed)
      ? EXIT.done
      : EXIT.someFailed
  },
}
