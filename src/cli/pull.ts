// `pull MEDIA_ID…`: refers to media and waits until they have landed in the folder.
import { assertNever } from '../errors.ts'
import { MOST_PULLED, type PullAnswer, type PullTold, type ReferenceAnswer } from '../serve/desk.ts'
import { showName } from '../support/show-name.ts'
import { type Command, type Context, print, tell } from './command.ts'
import { withActingDesk } from './desk-access.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { exitCodeOfAnswer, renderFailure } from './failure.ts'
import { readIdLines, tooMany } from './id-lines.ts'
import { createProgressBar } from './progress-bar.ts'

/** In the place of an id: there are more on standard input. */
const STDIN = '-'

export const pullCommand: Command = {
  name: 'pull',
  summary: 'adds references, waits until they have landed, prints their paths',
  arguments: [['<MEDIA_ID...>', 'the ids to fetch; `-` reads them from stdin, one a line']],
  options: [
    [
      '--to <PATH>',
      'where it belongs in the folder: a path, or a directory, or a name with a slash at its end (default: `references.inbox`)',
    ],
    [
      '--hd',
      'in high definition (speex, 16 kHz), which WeCom has only of voices that a web page recorded',
    ],
  ],
  async run(context, { positional, options }) {
    const mediaIds = await gatherIds(context, positional)
    if (mediaIds.length === 0) {
      tell(context, 'nothing to pull: no id on standard input')
      return EXIT.done
    }
    const to = typeof options.to === 'string' ? options.to : undefined
    const report = createReport(context, mediaIds.length)
    try {
      await withActingDesk(context, 'pull', (desk) =>
        desk.pull({ mediaIds, to, isHd: options.hd === true }, report.take, context.signal),
      )
      return report.exitCode()
    } finally {
      report.end()
    }
  },
}

async function gatherIds(context: Context, positional: readonly string[]): Promise<string[]> {
  const given = new Set(positional.filter((id) => id !== STDIN))
  if (positional.includes(STDIN)) {
    for (const id of await readIdLines(context.stdin, MOST_PULLED, context.signal)) given.add(id)
  }
  if (given.size > MOST_PULLED) throw tooMany(MOST_PULLED)
  return [...given]
}

/** Tells each answer as it comes, and at the end what else is to be said of them all. */
function createReport(context: Context, total: number) {
  const bar = context.stderrIsTerminal
    ? createProgressBar({ stream: context.stderr, clock: context.clock })
    : undefined
  /** Durable, and without an answer. */
  const open = new Map<string, ReferenceAnswer>()
  const exitCodes = new Set<ExitCode>()
  const hinted = new Set<string | null>()
  let answered = 0
  let speech = 0

  function takeAnswer(answer: PullAnswer) {
    answered++
    open.delete(answer.media_id)
    exitCodes.add(exitCodeOf(answer))
    if (answer.kind === 'landed' && answer.reference.hd) speech++
    bar?.end()
    if (context.json) print(context, JSON.stringify(answer))
    else if (answer.kind === 'landed') print(context, showName(answer.reference.landed_path ?? ''))
    if (answer.kind !== 'landed') tell(context, describe(answer))
  }

  /** A hint that holds for many is given once. */
  function describe(answer: Exclude<PullAnswer, { kind: 'landed' }>): string {
    if (answer.kind === 'lost')
      return showName(answer.reference.message ?? `${answer.media_id} is lost`)
    if (answer.kind === 'refused') return showName(answer.because)
    const { message, hint } = answer.because
    const isNews = !hinted.has(hint)
    hinted.add(hint)
    return renderFailure({
      message: `${answer.media_id}: accepted, and fetched as soon as that can be done: ${message}`,
      hint: isNews ? hint : null,
    })
  }

  return {
    take(told: PullTold) {
      if ('accepted' in told) open.set(told.accepted.media_id, told.accepted)
      else if ('answer' in told) takeAnswer(told.answer)
      else bar?.show(told.progress)
    },
    /** Of many, some of which failed: 1. When all ended in the same way it is the code of that. */
    exitCode(): ExitCode {
      const [first = EXIT.done, ...others] = exitCodes
      return others.length === 0 ? first : EXIT.someFailed
    },
    /** Also when it was broken off: what was accepted stays so. */
    end() {
      bar?.end()
      if (speech > 0) tell(context, SPEECH_NOTE)
      if (context.json)
        for (const reference of open.values())
          print(context, JSON.stringify(interrupted(reference)))
      if (open.size > 0) tell(context, describeOpen([...open.keys()], total - answered))
    },
  }
}

function exitCodeOf(answer: PullAnswer): ExitCode {
  switch (answer.kind) {
    case 'landed':
      return EXIT.done
    case 'lost':
      return EXIT.someFailed
    case 'accepted':
      return exitCodeOfAnswer(answer.because)
    case 'refused':
      return EXIT.wrongUsage
    default:
      return assertNever(answer)
  }
}

const SPEECH_NOTE =
  'in high definition: speex, 16 kHz, which players need a speex decoder for; without --hd the same id gives AMR, 8 kHz'

/** Not yet answered when the command ended. */
const interrupted = (reference: ReferenceAnswer): PullAnswer => ({
  kind: 'accepted',
  media_id: reference.media_id,
  reference,
  because: {
    code: 'INTERRUPTED',
    message: 'nobody waited for it to land',
    hint: null,
    remedy: 'retry',
    errcode: null,
  },
})

function describeOpen(open: readonly string[], unanswered: number): string {
  const which = open.length === 1 ? `${open[0]} has` : `${open.length} media have`
  const rest = unanswered - open.length
  const others = rest > 0 ? `; ${rest} more were not accepted yet: pull them again` : ''
  return `${which} not landed yet: accepted all the same, and fetched by the daemon, or by the next \`sync\`${others}`
}
