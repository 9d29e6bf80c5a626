// Answers for making hooks of what the configuration says of them: secrets read, commands and addresses ready. Nobody is told here.
import type { Config, HookConfig } from './config/config.ts'
import { renderSource, resolveSecret } from './config/secret.ts'
import { ConfigError } from './errors.ts'
import type { Hook, Tell } from './hooks/hook.ts'
import { createPost } from './hooks/post-request.ts'
import { createCommand } from './hooks/run-command.ts'
import { createGlob } from './media/glob.ts'
import type { Clock } from './support/clock.ts'

interface HookDeps {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Pick<Clock, 'after'>
  readonly warn: (message: string) => void
}

/** Rejects with a `ConfigError` when a secret of theirs cannot be read. */
export const createHooks = ({ on }: Pick<Config, 'on'>, deps: HookDeps): Promise<Hook[]> =>
  Promise.all(on.map((hook, place) => createHook(hook, `on[${place}]`, deps)))

async function createHook(config: HookConfig, key: string, deps: HookDeps): Promise<Hook> {
  const { name, happenings, match, timeoutMs, giveUpAfterMs, concurrency } = config
  const isWanted = match === undefined ? undefined : createGlob(match)
  return {
    name,
    happenings,
    matches: (path) => isWanted === undefined || (path !== undefined && isWanted(path)),
    target: describeTarget(config),
    tell: await createTell(config.target, key, deps),
    timeoutMs,
    giveUpAfterMs,
    concurrency,
  }
}

async function createTell(
  target: HookConfig['target'],
  key: string,
  deps: HookDeps,
): Promise<Tell> {
  const { env, clock } = deps
  if (target.kind === 'run') return createCommand({ run: target.run, env, clock })
  const read = (source: typeof target.token, name: string) =>
    source && resolveSecret({ key: `${key}.${name}`, source }, deps)
  const address = await resolveSecret({ key: `${key}.post`, source: target.url }, deps)
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) throw noAddress(key)
  return createPost({
    url: new URL(address),
    token: await read(target.token, 'token'),
    secret: await read(target.secret, 'secret'),
    env,
  })
}

/** Without repeating it: it may hold a key. */
function noAddress(key: string): ConfigError {
  const message = `cannot use \`${key}.post\`: it is not an http or https address`
  return new ConfigError(message, [{ key: `${key}.post`, message }], {
    hint: 'write it as https://host/path',
  })
}

/** For people; of an address that stands elsewhere only where. */
export function describeTarget({ target }: HookConfig): string {
  if (target.kind === 'run') return `run ${target.run[0]}`
  const { url } = target
  if (!('text' in url)) return `post to the address in ${renderSource(url)}`
  return URL.canParse(url.text) ? `post ${new URL(url.text).origin}` : 'post'
}
