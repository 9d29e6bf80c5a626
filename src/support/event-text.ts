// Answers for what is said of each event, and how loudly: the table from event to level and sentence. Pure.
// One row an event, and long for that: whoever looks for what is said finds it here and nowhere else.
import type { MirrorError } from '../errors.ts'
import type { ManifestEntry, Reference } from '../media/media.ts'
import { renderPlace } from '../plan/step.ts'
import { adviseOnCapacity, renderCapacity } from './capacity-text.ts'
import type { MirrorEvent } from './events.ts'
import { showName } from './show-name.ts'
import { seconds } from './span-text.ts'

export type Level = 'error' | 'warn' | 'info' | 'debug'

export interface EventText {
  readonly level: Level
  readonly message: string
  readonly hint?: string | undefined
}

/** Level, sentence and hint of an event. `nowMs` is the moment it is told, for "lives another …". */
export function describeEvent(event: MirrorEvent, nowMs: number): EventText {
  const say = (level: Level, message: string, hint?: string): EventText => ({
    level,
    message,
    hint,
  })
  switch (event.kind) {
    case 'started':
      return say('info', `mirroring ${event.folder}, state in ${event.state}`)
    case 'ready':
      return say('info', `ready: ${event.entries} media in the manifest (${seconds(event.tookMs)})`)
    case 'stopping':
      return say('info', `stopping: ${event.because}`)
    case 'stopped':
      return say('info', 'stopped')
    case 'not-available-yet':
      return say(
        'warn',
        `\`${event.key}\` is set but not available yet in this version: it does nothing`,
      )
    case 'scanned':
      return say('debug', `scanned ${event.files} files (${event.because}) in ${event.tookMs} ms`)
    case 'watch-degraded':
      return say(
        'warn',
        `watching is degraded: ${event.because}; the folder is scanned instead`,
        event.hint,
      )
    case 'watch-restored':
      return say('info', 'watching works again')
    case 'folder-doubted':
      return say('error', `the folder is not believed: ${event.because}`, event.hint)
    case 'folder-believed':
      return say('info', 'the folder is believed again')
    case 'pass-planned':
      return say(
        'debug',
        `pass (${event.because}): ${event.steps} steps, planned in ${event.tookMs} ms`,
      )
    case 'uploaded':
      return say(
        'info',
        `uploaded ${event.entry.path} as ${describeEntry(event.entry, nowMs)}${parenthesis(event.downgradedBecause)}`,
      )
    case 'renewed':
      return say('info', `renewed ${event.entry.path}: now ${describeEntry(event.entry, nowMs)}`)
    case 'shared':
      return say(
        'info',
        `${event.entry.path} has the same bytes as ${event.with}: shares ${event.entry.mediaId}`,
      )
    case 'renamed':
      return say(
        'info',
        `${event.from} is now ${event.entry.path}: ${describeEntry(event.entry, nowMs)}`,
      )
    case 'unchanged':
      return say('debug', `${event.path} was touched, its bytes are the same`)
    case 'adopted':
      return say(
        'info',
        `adopted another host's id for ${event.entry.path}: now ${describeEntry(event.entry, nowMs)}`,
      )
    case 'reference-accepted':
      return say('info', describeReference(event.reference))
    case 'callback-listening':
      return say('info', `messages of WeCom's are received at ${event.address}`)
    case 'callback-refused':
      return say(
        'warn',
        `refused ${event.count === 1 ? 'a message' : `${event.count} messages`} at the callback: ${event.because}`,
        event.hint,
      )
    case 'restored':
      return say('info', `restored ${event.entry.path} from ${event.entry.mediaId}`)
    case 'landed':
      return say('info', `landed ${event.entry.mediaId} as ${event.entry.path}`)
    case 'forgotten':
      return say('info', `forgot ${event.path}: ${event.because}`)
    case 'lost':
      return say('error', event.message)
    case 'id-died':
      return say(
        'warn',
        `the media_id of ${event.path}${othersOf(event.pathCount)} died before its time: WeCom does not know ${event.mediaId}, which was to live until ${time(event.expectedUntilMs)}; it is not handed out any more`,
        event.isRenewed
          ? 'The file is uploaded again at once. If many die like this, WeCom keeps media for less than `renewal.lifetime`.'
          : 'Nothing keeps it alive: it came from a reference, and `references.renew` is off.',
      )
    case 'audited': {
      const unclear = event.unclear > 0 ? `, ${event.unclear} unclear` : ''
      const early = event.endedBecause === undefined ? '' : `; ended early: ${event.endedBecause}`
      return say(
        early || event.dead > 0 ? 'warn' : 'info',
        `audit: ${event.checked} ids checked, ${event.alive} alive, ${event.dead} dead${unclear} (${seconds(event.tookMs)})${early}`,
        event.hint,
      )
    }
    case 'capacity-measured':
      return say(
        event.capacity.fits === 'yes' ? 'info' : 'warn',
        renderCapacity(event.capacity),
        adviseOnCapacity(event.capacity),
      )
    case 'renewals-late':
      return say(event.expired > 0 ? 'error' : 'warn', describeLate(event), event.hint)
    case 'renewals-in-time':
      return say(
        'info',
        `no media are late for renewal any more, after ${seconds(event.lateForMs)}`,
      )
    case 'problem-found':
      return say('warn', event.problem.message, event.hint)
    case 'problem-solved':
      return say('info', `the problem of ${event.path} is solved`)
    case 'step-postponed':
      return say(
        event.isNews ? 'warn' : 'debug',
        `${event.path.replace('\0', '')} is tried again later: ${event.error.message}`,
      )
    case 'circuit-opened':
      return say(
        'error',
        `no calls to WeCom until ${time(event.nextProbeAtMs)}: ${event.error.message}`,
        event.error.hint,
      )
    case 'circuit-closed':
      return say('info', `WeCom answers again after ${seconds(event.openedForMs)}`)
    case 'concurrency-lowered':
      return say(
        'warn',
        `too many ${event.direction} at once for WeCom: at most ${event.to} instead of ${event.from} from now on, slowly more again`,
        `Lower \`transfer.${event.direction}\`, or let other programs of the corp make fewer calls at once.`,
      )
    case 'hook-told':
      return say(
        'debug',
        `told the hook \`${event.hook}\`: ${event.delivery.happening} ${event.delivery.path ?? event.delivery.mediaId}`,
      )
    case 'hook-failed':
      return say(
        event.isNews ? 'warn' : 'debug',
        `the hook \`${event.hook}\` fails (${event.target}): ${event.because}; ${event.waiting} wait for it`,
        event.hint,
      )
    case 'hook-recovered':
      return say(
        'info',
        `the hook \`${event.hook}\` works again after ${seconds(event.forMs)}; ${event.waiting} wait for it`,
      )
    case 'hook-gave-up':
      return say(
        event.isNews ? 'error' : 'debug',
        `${event.count} deliveries to the hook \`${event.hook}\` are given up: ${event.because}`,
        'What they told stands in the manifest; `status` counts all that are given up.',
      )
    case 'token-refreshed':
      return say('debug', 'got a new access token')
    case 'clock-skew':
      return say(
        'warn',
        `this machine's clock is ${seconds(event.skewMs)} off WeCom's; WeCom's is used`,
        'Set up time synchronisation (NTP).',
      )
    case 'tick-missed':
      return say('warn', `the ${event.schedule} tick was missed; its pass runs now`)
    case 'document-written':
      return say(
        event.failedForMs === undefined ? 'debug' : 'info',
        `wrote manifest.json${event.failedForMs === undefined ? '' : ` again after ${seconds(event.failedForMs)}`}: ${event.entries} entries, ${event.bytes} bytes in ${event.tookMs} ms`,
      )
    case 'document-failed':
      return say('error', event.message, event.hint)
    case 'disk-short':
      return say('error', event.because, event.hint)
    case 'disk-roomy':
      return say('info', 'there is room to download again')
    case 'disk-failed':
      return say('error', `${HELD_BACK[event.of]}: ${event.error.message}`, event.error.hint)
    case 'disk-recovered':
      return say('info', `${GOES_ON[event.of]} after ${seconds(event.failedForMs)}`)
    case 'log-failed':
      return say('error', event.message, event.hint)
    case 'log-recovered':
      return say('warn', `the log can be written again; ${event.lines} lines of it are lost`)
    case 'state-recovered':
      return say('warn', event.message, event.hint)
    case 'reference-file-read':
      return say(
        'debug',
        `read ${event.file}: ${event.what === 'list' ? `${event.count} references` : `the manifest of another host, ${event.count} media`}`,
      )
    case 'reference-file-refused':
      return say(
        'warn',
        event.because,
        'What else it says, or what it said before, counts still; it is read again by itself when it has changed.',
      )
    case 'reference-file-mended':
      return say('info', `${event.file} can be read again`)
    case 'config-reloaded':
      return say('info', 'the configuration was read again and is in force')
    case 'config-refused':
      return say(
        'error',
        `the new configuration is refused, the old one stays in force: ${event.message}`,
      )
    case 'warned':
      return say('warn', event.message, event.hint)
    case 'narrated':
      return say('info', event.message)
  }
}

const HELD_BACK = {
  state: 'nothing is transferred, since nothing can be recorded',
  folder: 'nothing is downloaded, since nothing can be written into the folder',
  handles: 'nothing is transferred, since no more files can be opened',
} as const

const GOES_ON = {
  state: 'the state can be recorded again',
  folder: 'the folder can be written again',
  handles: 'files can be opened again',
} as const

const describeEntry = (entry: ManifestEntry, nowMs: number): string =>
  `${entry.kind} ${entry.mediaId}, lives another ${seconds(entry.expiresAtMs - nowMs)}`

function describeReference(reference: Reference): string {
  const { mediaId, kind = 'medium', from } = reference
  const sender = from === undefined ? '' : ` from ${showName(from)}`
  return `accepted ${kind} ${mediaId}${sender}, to land ${renderPlace(reference)}`
}

const othersOf = (pathCount: number): string =>
  pathCount > 1 ? ` (and of ${pathCount - 1} more that share it)` : ''

function describeLate(event: Extract<MirrorEvent, { kind: 'renewals-late' }>): string {
  const { count, isMore, expired, nextDeathAtMs, paths, because } = event
  const deaths = [
    ...(expired > 0 ? [`${expired} of them ${expired === 1 ? 'has' : 'have'} died`] : []),
    ...(nextDeathAtMs === undefined ? [] : [`the next dies at ${time(nextDeathAtMs)}`]),
  ].join(', ')
  const more = count > paths.length ? ` and ${count - paths.length} more` : ''
  return `${isMore ? 'at least ' : ''}${count} media could not be renewed, ${deaths}: ${paths.join(', ')}${more}: ${because}`
}

const parenthesis = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`)

const time = (atMs: number): string => new Date(atMs).toISOString()

/**
 * The facts of an event as JSON has them: errors by code and message, never with their cause; not what the line itself says,
 * which would be written over by the bare fact.
 */
export function eventFacts(event: MirrorEvent): Record<string, unknown> {
  const facts: Record<string, unknown> = { event: event.kind }
  for (const [key, value] of Object.entries(event)) {
    if (!SAID.has(key))
      facts[key] = value instanceof Error ? errorFacts(value as MirrorError) : value
  }
  return facts
}

const SAID: ReadonlySet<string> = new Set(['kind', 'message', 'hint'])

const errorFacts = (error: MirrorError) => ({
  code: error.code,
  message: error.message,
  remedy: error.remedy,
})
