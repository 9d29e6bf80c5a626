// Answers for the log: the only file that knows winston. Turns events into lines for a person, for journald or for a program.
import { styleText } from 'node:util'
import { createLogger, format, transports } from 'winston'
import { describeEvent, eventFacts, type Level } from './event-text.ts'
import type { Events, MirrorEvent } from './events.ts'
import { createLogOutput } from './log-output.ts'
import { showName } from './show-name.ts'

export interface Log {
  /** Stops listening and resolves when every line is out, or after a moment when nobody reads them. */
  close(): Promise<void>
}

const { combine, printf } = format

/** syslog's numbers, as journald reads them from the start of a line. */
const PRIORITIES: Readonly<Record<Level, number>> = { error: 3, warn: 4, info: 6, debug: 7 }

/** A reader that does not read must not keep the program from ending. */
const CLOSE_WITHIN_MS = 2000

export type LogFormat = 'pretty' | 'json' | 'journald'

/** `auto` means pretty on a terminal, priorities under systemd, else JSON. */
export function chooseFormat(
  wanted: LogFormat | 'auto',
  where: { isTerminal: boolean; journalStream: string | undefined },
): LogFormat {
  if (wanted !== 'auto') return wanted
  if (where.isTerminal) return 'pretty'
  return where.journalStream === undefined ? 'json' : 'journald'
}

export function createLog(deps: {
  events: Events
  level: Level
  format: LogFormat
  stream: NodeJS.WritableStream
  clock: { nowMs(): number; after(delayMs: number, callback: () => void): { cancel(): void } }
}): Log {
  const layout = { pretty, json, journald }[deps.format]
  const logger = createLogger({
    level: deps.level,
    format: combine(printf((line) => layout(line.event as MirrorEvent, line.atMs as number))),
    transports: [
      new transports.Stream({ stream: createLogOutput({ ...deps, emit: deps.events.emit }) }),
    ],
  })
  const unsubscribe = deps.events.subscribe((event) => {
    const atMs = deps.clock.nowMs()
    logger.log({ level: describeEvent(event, atMs).level, message: '', event, atMs })
  })

  return {
    close() {
      unsubscribe()
      return new Promise((resolve) => {
        const timer = deps.clock.after(CLOSE_WITHIN_MS, resolve)
        logger.once('finish', () => {
          timer.cancel()
          resolve()
        })
        logger.end()
      })
    },
  }
}

const MARKS: Readonly<Record<string, string>> = {
  uploaded: '↑',
  renewed: '↻',
  restored: '↓',
  landed: '↓',
  renamed: '→',
  shared: '=',
  forgotten: '×',
  ready: '✓',
  narrated: '»',
}

function pretty(event: MirrorEvent, atMs: number): string {
  const { level, message, hint } = describeEvent(event, atMs)
  const colour = ({ error: 'red', warn: 'yellow', info: 'green', debug: 'gray' } as const)[level]
  const mark = level === 'error' ? '✗' : level === 'warn' ? '!' : (MARKS[event.kind] ?? '·')
  const shown = shownLines(event, message).join('\n')
  const text = event.kind === 'narrated' ? styleText('cyan', shown) : shown
  const clock = new Date(atMs).toTimeString().slice(0, 8)
  const line = `${styleText('gray', clock)} ${styleText(colour, mark)} ${text}`
  return hint === undefined ? line : `${line}\n         ${styleText('gray', `→ ${showName(hint)}`)}`
}

/** Only the problems of a configuration come as several lines; a newline anywhere else is part of a name and forges none. */
const shownLines = (event: MirrorEvent, message: string): string[] =>
  (event.kind === 'config-refused' ? message.split(/\s*\n\s*/) : [message]).map(showName)

function json(event: MirrorEvent, atMs: number): string {
  const { level, message, hint } = describeEvent(event, atMs)
  return JSON.stringify({
    time: new Date(atMs).toISOString(),
    level,
    message,
    hint,
    ...eventFacts(event),
  })
}

/** One line a message: journald keeps the time itself. */
function journald(event: MirrorEvent, atMs: number): string {
  const { level, message, hint } = describeEvent(event, atMs)
  const line = shownLines(event, message).join(' ')
  return `<${PRIORITIES[level]}>${hint === undefined ? line : `${line} (${showName(hint)})`}`
}
