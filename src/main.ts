#!/usr/bin/env node
// The process edge: arguments, signals, streams and exit codes. Nothing else touches `process`.
import { setFlagsFromString } from 'node:v8'
import { Command as CommanderCommand, CommanderError } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import type { Command, Context } from './cli/command.ts'
import { COMMANDS } from './cli/commands.ts'
import { EXIT, type ExitCode, exitCodeOf } from './cli/exit-code.ts'
import { renderError } from './cli/failure.ts'
import { systemClock } from './support/clock.ts'

// Transfers make much garbage that dies young. Left to itself V8 answers with a new space of 100 MB; the daemon of a small
// machine is better served by one that stays as it began (measured: 345 MB -> 230 MB at 10,000 uploads, for 8 % more CPU).
setFlagsFromString('--semi-space-growth-factor=1')

/** What still holds the process open this long after the work is done is a leak, and must not keep a script waiting. */
const LINGER_MS = 2000
/** 128 + SIGINT, as shells report it. */
const EXIT_INTERRUPTED = 130
/** 128 + SIGPIPE. */
const EXIT_BROKEN_PIPE = 141

function createContext(options: { config?: string; json?: boolean }): Context {
  const { env, pid, stdin, stdout, stderr } = process
  return {
    env,
    cwd: currentDirectory(),
    pid,
    stdin,
    stdout,
    stderr,
    stdoutIsTerminal: stdout.isTTY === true,
    stderrIsTerminal: stderr.isTTY === true,
    clock: systemClock,
    random: Math.random,
    signal: createStopSignal(),
    onReload(listener) {
      process.on('SIGHUP', listener)
      return () => void process.off('SIGHUP', listener)
    },
    outliveStdout: () => void stdout.off('error', endWithStdout).on('error', () => {}),
    configFile: options.config,
    json: options.json === true,
  }
}

/** The directory may have been deleted under us; relative paths then lead nowhere, and are reported as such. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}

/** journald takes the priority from the start of each line: a daemon that cannot start must show up among the errors. */
const asError = (text: string): string =>
  process.env.JOURNAL_STREAM === undefined ? text : text.replaceAll(/^/gm, '<3>')

/** The first SIGINT or SIGTERM asks for a clean stop, the second forces one. */
function createStopSignal(): AbortSignal {
  const aborter = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    if (aborter.signal.aborted) process.exit(EXIT_INTERRUPTED)
    aborter.abort(new Error(name))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return aborter.signal
}

function createProgram(): CommanderCommand {
  const program = new CommanderCommand('wecom-media-mirror')
    .description(
      'Keeps a live WeCom (企业微信) media_id for every file of a folder, and a local file for every media_id.',
    )
    .version(packageJson.version, '-V, --version')
    .showHelpAfterError('(say --help for what there is)')
    .exitOverride()
  for (const command of COMMANDS) addCommand(program, command)
  return program
}

function addCommand(program: CommanderCommand, command: Command): void {
  const added = program.command(command.name).description(command.summary).exitOverride()
  added.showHelpAfterError(`(say ${command.name} --help for what it takes)`)
  for (const [syntax, description] of command.arguments ?? []) added.argument(syntax, description)
  added.option(
    '-c, --config <FILE>',
    'the configuration (default: $WECOM_MEDIA_MIRROR_CONFIG, ./config.yaml, /etc/wecom-media-mirror/config.yaml)',
  )
  added.option('--json', 'answers for programs')
  for (const [flags, description, value] of command.options ?? [])
    added.option(flags, description, value)
  added.action(async () => {
    const options = added.opts()
    const context = createContext(options)
    await runCommand(command, context, { positional: added.args, options })
  })
}

async function runCommand(
  command: Command,
  context: Context,
  args: Parameters<Command['run']>[1],
): Promise<void> {
  try {
    end(await command.run(context, args))
  } catch (error) {
    if (context.signal.aborted && error === context.signal.reason) return end(EXIT_INTERRUPTED)
    context.stderr.write(`${asError(renderError(error))}\n`)
    end(exitCodeOf(error))
  }
}

function end(code: ExitCode | typeof EXIT_INTERRUPTED): void {
  process.exitCode = code
  setTimeout(() => process.exit(code), LINGER_MS).unref()
}

/** A reader that has seen enough (`list | head`) ends us, as it ends every other program; so does a disk without room for the answer. */
function endWithStdout({ code, message }: NodeJS.ErrnoException): never {
  if (code === 'EPIPE') process.exit(EXIT_BROKEN_PIPE)
  process.stderr.write(`cannot write to standard output: ${message}\n`)
  process.exit(EXIT.disk)
}

process.stdout.on('error', endWithStdout)
// Whoever would be told is not there.
process.stderr.on('error', () => {})

// What nobody caught. Node itself would print all that hangs on the error, and on one about an address hangs that address, with the
// secret in its query.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${asError(renderError(error))}\n`)
  process.exit(EXIT.bug)
})

/** Older ones get some way and then fail in words that help nobody. */
function refuseOldNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 22)) return
  process.stderr.write(
    `wecom-media-mirror needs Node.js 22.22 or newer; this is ${process.version} (${process.execPath})\n`,
  )
  process.exit(EXIT.config)
}

refuseOldNode()
try {
  await createProgram().parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage
}
