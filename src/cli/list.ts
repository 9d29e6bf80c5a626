// `list [GLOB]`: the entries of the manifest.
import type { ListedReference } from '../serve/desk.ts'
import { isGlob } from '../serve/reader-desk.ts'
import { showName } from '../support/show-name.ts'
import { seconds } from '../support/span-text.ts'
import { type Command, type Context, print, printJson, tell } from './command.ts'
import { withReadingDesk } from './desk-access.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { renderTable } from './table.ts'

export const listCommand: Command = {
  name: 'list',
  summary: 'entries: path, type, live media_id, time left',
  arguments: [
    ['[GLOB]', 'only paths that match; a glob without a slash matches names at any depth'],
  ],
  options: [['--references', 'instead: what was referred to, with what has become of it; no glob']],
  async run(context, { positional, options }) {
    const glob = positional[0]
    if (options.references === true) return listReferences(context, glob)
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

async function listReferences(context: Context, glob: string | undefined): Promise<ExitCode> {
  if (glob !== undefined) {
    tell(context, '--references takes no glob')
    return EXIT.wrongUsage
  }
  const references = await withReadingDesk(context, (desk) => desk.references())
  if (context.json) printJson(context, references)
  else if (references.length > 0) print(context, renderTable(references.map(referenceRow)))
  return EXIT.done
}

const referenceRow = (reference: ListedReference): string[] => [
  reference.media_id,
  reference.state,
  showName(reference.landed_path ?? reference.path ?? '-'),
  describeReference(reference),
]

function describeReference({ state, message, expires_at, accepted_at }: ListedReference): string {
  if (state === 'lost') return showName(message ?? 'lost')
  return state === 'landed' ? `accepted ${accepted_at}` : `to land by ${expires_at}`
}
