// Answers for asking WeCom for an access token (path/91039). When to ask is the business of `token.ts`.
import { z } from 'zod'
import { WecomRefused } from '../errors.ts'
import { type Call, createRefusal, noteDate, readAnswer, wireNumber } from './answer.ts'
import { lookUpHint } from './errcode.ts'
import type { HttpExchange } from './http-exchange.ts'
import type { ServiceClock } from './service-clock.ts'
import type { Token } from './token.ts'

const tokenSchema = z.object({
  access_token: z.string().min(1).max(4096),
  expires_in: wireNumber.refine((seconds) => seconds > 0 && seconds < 1e9),
})

/** The call that a token source fetches with. It has no signal: it is everybody's, and bounded by the exchange. */
export function createTokenFetch(deps: {
  readonly exchange: HttpExchange
  readonly corpId: string
  readonly secret: string
  readonly clock: { nowMs(): number }
  readonly serviceClock: ServiceClock
}): () => Promise<Token> {
  const secrets = [deps.secret, ...deps.exchange.secrets]
  const call: Call = { what: 'get an access token', secrets }
  const query = { corpid: deps.corpId, corpsecret: deps.secret }
  const never = new AbortController().signal

  return async () => {
    // Before the call: the life of the token began no later than its answer.
    const fetchedAtMs = deps.clock.nowMs()
    const sawDate = deps.serviceClock.startSample()
    const answer = await deps.exchange.send(
      { method: 'GET', path: '/cgi-bin/gettoken', query },
      never,
    )
    const reading = readAnswer(answer, tokenSchema, call).catch((error: unknown) => {
      throw asNoFilesFault(error, call)
    })
    const reply = await noteDate(answer, sawDate, reading)
    return {
      value: reply.access_token,
      fetchedAtMs,
      expiresAtMs: fetchedAtMs + reply.expires_in * 1000,
    }
  }
}

/** No answer to gettoken can be a file's fault, and an unknown refusal must not be repeated: wrong secrets block the address. */
function asNoFilesFault(error: unknown, call: Call): unknown {
  if (!(error instanceof WecomRefused)) return error
  const isPassing = error.errcode === -1 || error.remedy === 'slow-down'
  if (isPassing || error.remedy === 'stop') return error
  return createRefusal(error.errcode, error.errmsg, call, {
    remedy: 'stop',
    hint: `gettoken is not known to answer this: check that \`wecom.baseUrl\` leads to WeCom; ${lookUpHint(error.errcode)}`,
  })
}
