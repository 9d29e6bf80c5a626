// The port over HTTP: adds the token to each call, and replaces one that the service refused, once. What the calls look
// like is in `http-upload.ts` and `http-download.ts`; when to call again is the business of `retrying-wecom.ts`.
import { WecomRefused } from '../errors.ts'
import { downloadOnce } from './http-download.ts'
import type { HttpExchange } from './http-exchange.ts'
import { uploadOnce } from './http-upload.ts'
import type { ServiceClock } from './service-clock.ts'
import type { Token, TokenSource } from './token.ts'
import type { Wecom } from './wecom.ts'

export function createHttpWecom(deps: {
  readonly exchange: HttpExchange
  readonly tokens: TokenSource
  readonly serviceClock: ServiceClock
}): Wecom {
  const { tokens } = deps
  return Object.freeze({
    upload: (request, signal) =>
      withToken(tokens, signal, ({ value }) =>
        uploadOnce(deps, { ...request, token: value }, signal),
      ),
    download: (request, signal) =>
      withToken(tokens, signal, ({ value }) =>
        downloadOnce(deps, { ...request, token: value }, signal),
      ),
  } satisfies Wecom)
}

type Attempt<Result> = (token: Token) => Promise<Result>
type Outcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'token-refused'; readonly refusal: WecomRefused }

/**
 * Calls with the shared token, and once more with a new one if the first was refused. When the new one is refused too,
 * time has to cure it: the retry waits seconds, the circuit minutes, and the source fetches no further token meanwhile.
 */
async function withToken<Result>(
  tokens: TokenSource,
  signal: AbortSignal,
  attempt: Attempt<Result>,
): Promise<Result> {
  const first = await tokens.get(signal)
  const outcome = await attemptWith(tokens, first, attempt)
  if (outcome.kind === 'done') return outcome.result

  const second = await tokens.get(signal)
  // The source has kept it: it replaced another refused token only a moment ago.
  if (second === first) throw asPassing(outcome.refusal)
  const repeated = await attemptWith(tokens, second, attempt)
  if (repeated.kind === 'done') return repeated.result
  throw asPassing(repeated.refusal)
}

async function attemptWith<Result>(
  tokens: TokenSource,
  token: Token,
  attempt: Attempt<Result>,
): Promise<Outcome<Result>> {
  try {
    const result = await attempt(token)
    tokens.confirm(token)
    return { kind: 'done', result }
  } catch (error) {
    // An answer that never came says nothing about the token; any other refusal says that it was taken.
    if (!(error instanceof WecomRefused)) throw error
    if (error.remedy !== 'refresh-token') {
      tokens.confirm(token)
      throw error
    }
    tokens.invalidate(token)
    return { kind: 'token-refused', refusal: error }
  }
}

const asPassing = ({ message, errcode, errmsg, fromIp }: WecomRefused) =>
  new WecomRefused(
    message,
    { errcode, errmsg, fromIp, remedy: 'retry' },
    {
      hint: 'WeCom refuses a token that it has just issued; if this lasts, check that `wecom.baseUrl` leads to one installation only',
    },
  )
