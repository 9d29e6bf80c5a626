// `simulate`: the built-in WeCom as a server of its own, for trying out and for testing other programs against.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseDuration } from '../config/duration.ts'
import { ConfigError } from '../errors.ts'
import { createSimulator } from '../simulator/simulator.ts'
import { type Command, type Context, print, printJson, tell } from './command.ts'
import { EXIT } from './exit-code.ts'

export const simulateCommand: Command = {
  name: 'simulate',
  summary: 'a WeCom to try things out on: tokens, uploads, downloads, media that die',
  options: [
    ['--port <PORT>', 'where to listen', '8080'],
    ['--host <ADDRESS>', 'on which address', '127.0.0.1'],
    ['--lifetime <DURATION>', 'how long media live', '3d'],
    [
      '--directory <PATH>',
      'where media are kept (default: a temporary directory, removed at the end)',
    ],
    ['--controls', 'serve /_simulator/…: faults on demand, the list of calls and media'],
  ],
  async run(context, { options }) {
    const port = Number(options.port)
    const lifetimeMs = parseDuration(String(options.lifetime))
    if (!Number.isInteger(port) || port < 0 || port > 65_535 || lifetimeMs === undefined) {
      tell(
        context,
        'cannot simulate: --port takes a number up to 65535, --lifetime a duration such as 3d or 90s',
      )
      return EXIT.wrongUsage
    }
    const given =
      typeof options.directory === 'string' ? resolve(context.cwd, options.directory) : undefined
    const directory = given ?? (await mkdtemp(join(tmpdir(), 'wecom-simulator-')))
    try {
      const controls = options.controls === true
      await simulate(
        context,
        { port, host: String(options.host) },
        { directory, controls, mediaLifetimeMs: lifetimeMs },
      )
    } finally {
      if (given === undefined) await rm(directory, { recursive: true, force: true })
    }
    return EXIT.done
  },
}

async function simulate(
  context: Context,
  where: { port: number; host: string },
  options: { directory: string; controls: boolean; mediaLifetimeMs: number },
): Promise<void> {
  const simulator = createSimulator({ clock: context.clock, ...options })
  const { baseUrl } = await simulator
    .start(where)
    .catch((error: unknown) => refusePlace(error, where))
  if (context.json) printJson(context, { base_url: baseUrl, directory: options.directory })
  else
    print(context, `WeCom is simulated at ${baseUrl} (any corpId and secret will do; Ctrl-C stops)`)
  await new Promise<void>((done) => {
    if (context.signal.aborted) done()
    context.signal.addEventListener('abort', () => done(), { once: true })
  })
  await simulator.stop()
}

/** A port that is taken, an address that is not ours: the person chooses another. */
function refusePlace(error: unknown, { host, port }: { host: string; port: number }): never {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined || !['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND'].includes(code))
    throw error
  const why = code === 'EADDRINUSE' ? 'something listens there already' : code
  throw new ConfigError(`cannot listen on ${host}:${port}: ${why}`, [], {
    hint: 'choose another port with --port, or another address with --host',
    cause: error,
  })
}
