// `list [GLOB]`: the entries of the manifest.
import { isGlob } from '../serve/reader-desk.ts'
import { showName } from '../support/show-name.ts'
import { seconds } from '../support/span-text.ts'
import { type Command, print, printJson, tell } from './command.ts'
import { withReadingDesk } from './desk-access.ts'
import { EXIT } from './exit-code.ts'
import { renderTable } from './table.ts'

export const listCommand: Command = {
  name: 'list',
  summary: 'entries: path, type, live media_id, time left',
  arguments: [
    ['[GLOB]', 'only paths that match; a glob without a slash matches names at any depth'],
  ],
  async run(context, { positional }) {
    const glob = positional[0]
    if (glob !== undefined && !isGlob(glob)) {
      tell(context, `cannot list \`${showName(glob)}\`: it is no glob; leave it out for everything`)
      return EXIT.wrongUsage
    }
    const media = await withReadingDesk(context, (desk) => desk.list(glob))
    if (context.json) printJson(context, media)
    else if (media.length > 0) {
      print(
        context,
        renderTable(
          media.map(({ path, type, media_id, alive, safe_for_ms }) => [
            showName(path),
            type,
            media_id ?? '-',
            alive ? seconds(safe_for_ms) : 'not live',
          ]),
        ),
      )
    }
    return EXIT.done
  },
}
