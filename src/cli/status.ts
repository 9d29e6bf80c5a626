// `status`: the state of everything in one screen.
import type { StatusAnswer } from '../serve/desk.ts'
import { showName } from '../support/show-name.ts'
import { seconds } from '../support/span-text.ts'
import { type Command, print, printJson } from './command.ts'
import { withReadingDesk } from './desk-access.ts'
import { EXIT } from './exit-code.ts'
import { renderFailure } from './failure.ts'
import { renderTable } from './table.ts'

/** More problems than fit a screen are counted; `--json` has them all. */
const SHOWN_PROBLEMS = 15

export const statusCommand: Command = {
  name: 'status',
  summary:
    'the state in one screen: alive, due, expired, problems, capacity, next renewals, circuit',
  async run(context) {
    const status = await withReadingDesk(context, (desk) => desk.status())
    if (context.json) printJson(context, status)
    else print(context, renderStatus(status, context.clock.nowMs()))
    return EXIT.done
  },
}

type Fact = [string, string]

/** The screen, as lines. */
export function renderStatus(status: StatusAnswer, nowMs: number): string {
  const { media, references, daemon, queue } = status
  const facts: Fact[] = [
    [
      'folder',
      `${showName(status.folder)}${daemon.running ? '' : ' (not looked at: only a running daemon does)'}`,
    ],
    ['state', showName(status.state)],
    [
      'daemon',
      daemon.running ? `running, process ${daemon.pid}, since ${daemon.started_at}` : 'not running',
    ],
    ['media', renderMedia(media)],
    ['problems', renderProblemCount(status)],
    [
      'references',
      `${references.accepted} waiting, ${references.landing} landing, ${references.landed} landed, ${references.lost} lost`,
    ],
    ...renderReferenceFiles(status),
    ...(status.callback ? [['callback', renderCallback(status.callback)] satisfies Fact] : []),
    ['circuit', renderCircuit(status.circuit, nowMs)],
    ['capacity', renderCapacityAnswer(status.capacity)],
  ]
  if (status.renewals) facts.push(['renewals', renderPace(status.renewals)])
  if (daemon.running)
    facts.push(['queue', `${queue.waiting} waiting, ${queue.in_flight.length} in flight`])
  for (const hook of status.hooks) facts.push([`hook ${hook.name}`, renderHook(hook)])
  if (status.forgotten > 0)
    facts.push(['forgotten', `${status.forgotten}, not mirrored until they change`])
  if (status.clock_skew_ms !== 0)
    facts.push(['clock', `${seconds(status.clock_skew_ms)} off WeCom's, which is used`])
  const sections = [
    renderTable(facts),
    renderIdleness(status),
    renderDoubt(status),
    ...status.troubles.map((trouble) => renderFailure(trouble)),
    renderProblems(status),
    // On WeCom's clock, unlike the next try of the circuit.
    renderNext(status, nowMs + status.clock_skew_ms),
  ]
  for (const key of status.not_available_yet)
    sections.push(`\`${key}\` is set but not available yet: it does nothing`)
  return sections.filter((section) => section !== '').join('\n\n')
}

function renderMedia({ alive, total, due, expired, missing, unkept }: StatusAnswer['media']) {
  const landed = unkept > 0 ? `; ${unkept} landed and not kept alive (\`references.renew\`)` : ''
  return `${alive} alive of ${total}; ${due} due, ${expired} expired, ${missing ?? 'unknown how many'} missing${landed}`
}

/** Those that are well in one line, each of the others by name. */
function renderReferenceFiles({ reference_files: files }: StatusAnswer): Fact[] {
  if (files.length === 0) return []
  const of = (wanted: 'manifest' | 'list' | null) =>
    files.filter(({ kind }) => kind === wanted).length
  const unread = of(null) > 0 ? `, ${of(null)} never read yet` : ''
  const counts = `${of('manifest')} manifests of other hosts, ${of('list')} lists${unread}`
  const broken = files.flatMap(({ problem }) => (problem === null ? [] : [showName(problem)]))
  return [['files', [counts, ...broken].join('\n  → ')]]
}

function renderCircuit(
  { state, because, next_probe_at, from_ip }: StatusAnswer['circuit'],
  nowMs: number,
): string {
  if (state === 'unknown') return 'unknown (only a running daemon knows)'
  if (!because) return `${state}: WeCom may be called`
  const probe =
    next_probe_at === null ? '' : `, next try in ${seconds(Date.parse(next_probe_at) - nowMs)}`
  const address =
    from_ip === null || because.hint?.includes(from_ip) ? '' : ` (WeCom saw address ${from_ip})`
  return `${state}${probe}: ${renderFailure(because)}${address}`
}

function renderCallback(callback: NonNullable<StatusAnswer['callback']>): string {
  const { accepted, duplicates, ignored, refused, last_accepted_at: last } = callback
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  return [
    `${accepted} media received${duplicates > 0 ? ` (${duplicates} repeated)` : ''}${last === null ? '' : `, the last at ${last}`}`,
    ...(Object.keys(ignored).length > 0 ? [`passed by: ${list(ignored)}`] : []),
    ...(Object.keys(refused).length > 0 ? [`refused: ${list(refused)}`] : []),
  ].join('; ')
}

const renderCapacityAnswer = ({ summary, advice }: StatusAnswer['capacity']): string =>
  advice === null ? summary : `${summary}\n  → ${advice}`

/** Pace and pressure are those of the living: the dead have no deadline any more. */
function renderPace(renewals: NonNullable<StatusAnswer['renewals']>): string {
  const dead = renewals.waiting_dead
  const living = renderLivingPace({ ...renewals, waiting: renewals.waiting - dead })
  return dead === 0 ? living : `${living}; and ${dead} dead, renewed with what the living leave`
}

function renderLivingPace({
  pace,
  pressure,
  waiting,
}: Omit<NonNullable<StatusAnswer['renewals']>, 'waiting_dead'>): string {
  const part = (of: number) => (of > 0 && of < 0.01 ? 'less than 1 %' : `${Math.ceil(of * 100)} %`)
  const load = `${waiting} waiting, which at ${part(pace)} of the allowed rate are all in time`
  if (pace <= 1) return load
  return pressure <= 1
    ? `${waiting} waiting: some come late, and all before they die at ${part(pressure)} of the allowed rate`
    : `${waiting} waiting: some die, all of them would take ${part(pressure)} of the allowed rate`
}

function renderHook(hook: StatusAnswer['hooks'][number]): string {
  const counts = [
    `${hook.waiting} waiting`,
    ...(hook.delivered === null ? [] : [`${hook.delivered} delivered`]),
    ...(hook.given_up ? [`${hook.given_up} given up`] : []),
  ]
  const trouble =
    hook.failing_since === null ? '' : `; fails since ${hook.failing_since}: ${hook.last_error}`
  return `${hook.target}: ${counts.join(', ')}${showName(trouble)}`
}

function renderProblemCount({ problems, late }: StatusAnswer): string {
  if (late.count === 0) return String(problems.length)
  const deaths = late.expired > 0 ? `, ${late.expired} of them dead` : ''
  return `${problems.length}; ${late.is_more ? 'at least ' : ''}${late.count} media are late for renewal${deaths}`
}

/** Media die meanwhile: the one thing about a daemon that does not run which cannot wait. */
function renderIdleness({ daemon, media }: StatusAnswer): string {
  if (daemon.running || media.due + media.expired === 0) return ''
  const waiting = `${media.due} media are due and ${media.expired} ${media.expired === 1 ? 'has' : 'have'} expired`
  return `${waiting}, and no daemon renews them\n  → Start it: systemctl start wecom-media-mirror, or wecom-media-mirror run`
}

const renderDoubt = ({ doubt }: StatusAnswer): string =>
  doubt ? renderFailure({ ...doubt, message: `the folder is not believed: ${doubt.because}` }) : ''

function renderProblems({ problems }: StatusAnswer): string {
  if (problems.length === 0) return ''
  const lines = problems
    .slice(0, SHOWN_PROBLEMS)
    .map(({ code, message, since }) => [code, since, showName(message)])
  const more = problems.length - lines.length
  return `problems:\n${renderTable(lines)}${more > 0 ? `\n… and ${more} more: status --json` : ''}`
}

function renderNext({ next_renewals }: StatusAnswer, nowMs: number): string {
  if (next_renewals.length === 0) return ''
  const rows = next_renewals.map(({ path, renew_at }) => {
    const leftMs = Date.parse(renew_at) - nowMs
    return [showName(path), leftMs > 0 ? `in ${seconds(leftMs)}` : 'now']
  })
  return `next renewals:\n${renderTable(rows)}`
}
