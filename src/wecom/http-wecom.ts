// The port over HTTP: adds the token to each call, one call each time. What the calls look like is in `http-upload.ts` and
// `http-download.ts`; when to call again is the business of `fresh-token-wecom.ts` and `retrying-wecom.ts`.
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

/** One call with the shared token; what the service thinks of the token is passed on to its source. */
async function withToken<Result>(
  tokens: TokenSource,
  signal: AbortSignal,
  call: (token: Token) => Promise<Result>,
): Promise<Result> {
  const token = await tokens.get(signal)
  try {
    const result = await call(token)
    tokens.confirm(token)
    return result
  } catch (error) {
    // An answer that never came says nothing about the token; any other refusal says that it was taken.
    if (!(error instanceof WecomRefused)) throw error
    if (error.remedy !== 'refresh-token') {
      tokens.confirm(token)
      throw error
    }
    // The source may keep it: it replaced another refused token only a moment ago.
    throw tokens.invalidate(token) === 'kept' ? asPassing(error) : error
  }
}

/** A refused token that no other can replace at present: to be waited out. */
export const asPassing = ({ message, errcode, errmsg, fromIp }: WecomRefused) =>
  new WecomRefused(
    message,
    { errcode, errmsg, fromIp, remedy: 'retry' },
    {
      hint: 'WeCom refuses a token that it has just issued; if this lasts, check that `wecom.baseUrl` leads to one installation only',
    },
  )
