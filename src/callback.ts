// Answers for how the receiver of messages hangs together: its secrets, the check of what comes, the way in, the wire.
import type { Config } from './config/config.ts'
import { parseListen } from './config/listen.ts'
import { resolveSecret, type SecretDeps } from './config/secret.ts'
import type { EngineDeps } from './engine.ts'
import { ConfigError } from './errors.ts'
import type { Acceptance } from './references/acceptance.ts'
import { type CallbackCounts, createCallbackCounts } from './references/callback-counts.ts'
import { createCallbackCrypto } from './references/callback-crypto.ts'
import { createCallbackReceiver } from './references/callback-receiver.ts'
import { createRefusals } from './references/callback-refusals.ts'
import { type CallbackServer, createCallbackServer } from './references/callback-server.ts'

type CallbackConfig = NonNullable<Config['callback']>

export interface Callback {
  /** Reads the secrets and listens. Rejects with `ConfigError`. */
  start(): Promise<void>
  stop(): Promise<void>
  counts(): CallbackCounts
}

export function createCallback(
  settings: CallbackConfig,
  { env, clock, events, onBug }: Pick<EngineDeps, 'env' | 'clock' | 'events' | 'onBug'>,
  parts: {
    readonly corpId: string
    readonly acceptance: Acceptance
    readonly serviceClock: { nowMs(): number }
  },
): Callback {
  const { emit } = events
  const counts = createCallbackCounts()
  const refusals = createRefusals({ counts, clock, emit })
  let server: CallbackServer | undefined

  return {
    async start() {
      const warn = (message: string) => emit({ kind: 'warned', message, hint: undefined })
      const secrets = await resolveCallbackSecrets(settings, { env, warn })
      const receiver = createCallbackReceiver({
        crypto: createCallbackCrypto(secrets),
        corpId: parts.corpId,
        acceptance: parts.acceptance,
        clock: parts.serviceClock,
        counts,
        refusals,
      })
      const { listen: shownAs, path } = settings
      server = createCallbackServer({
        shownAs,
        place: placeOf(shownAs),
        path,
        receiver,
        refusals,
        emit,
        onBug,
      })
      await server.start()
    },
    stop: async () => server?.stop(),
    counts: counts.read,
  }
}

/** Both secrets, in the form that WeCom gives them. Rejects with a `ConfigError` that holds neither. */
export async function resolveCallbackSecrets(
  { token, encodingAesKey }: CallbackConfig,
  deps: SecretDeps,
): Promise<{ token: string; encodingAesKey: string }> {
  return {
    token: await resolve('callback.token', token, /^[A-Za-z0-9]{1,32}$/, 'at most 32'),
    encodingAesKey: await resolve(
      'callback.encodingAesKey',
      encodingAesKey,
      /^[A-Za-z0-9]{43}$/,
      '43',
    ),
  }

  async function resolve(
    key: string,
    source: CallbackConfig['token'],
    form: RegExp,
    length: string,
  ): Promise<string> {
    const secret = await resolveSecret({ key, source }, deps)
    if (form.test(secret)) return secret
    const message = `cannot use \`${key}\`: it has another form than WeCom's, which is ${length} letters and digits`
    throw new ConfigError(message, [{ key, message }], {
      hint: 'Copy it again from the app’s settings (接收消息 → API接收).',
    })
  }
}

function placeOf(listen: string) {
  const address = parseListen(listen)
  if (!address) throw new Error(`\`${listen}\` was not checked`)
  return address.kind === 'unix' ? { path: address.path } : address
}
