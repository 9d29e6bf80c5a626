// Builds a whole client for tests, and waits and collects for them.
import { onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../../src/support/clock.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createFreshTokenWecom } from '../../src/wecom/fresh-token-wecom.ts'
import { createHttpExchange } from '../../src/wecom/http-exchange.ts'
import { createTokenFetch } from '../../src/wecom/http-token.ts'
import { createHttpWecom } from '../../src/wecom/http-wecom.ts'
import { createServiceClock } from '../../src/wecom/service-clock.ts'
import { createTokenSource } from '../../src/wecom/token.ts'
import type { ExchangeLimits } from '../../src/wecom/watchdog.ts'

export const SECRET = 'canary+secret/🐤&x=1 (*!)'
export const patient: AbortSignal = new AbortController().signal

export function createClient(options: {
  readonly baseUrl: string
  readonly limits?: ExchangeLimits
  readonly proxy?: string
  readonly ca?: string
  readonly clock?: Pick<Clock, 'nowMs' | 'monotonicMs'>
  readonly secret?: string
  readonly corpId?: string
}) {
  const events: MirrorEvent[] = []
  const emit = (event: MirrorEvent) => void events.push(event)
  const { limits, proxy, ca, clock = systemClock } = options
  const exchange = createHttpExchange({
    baseUrl: options.baseUrl,
    clock: systemClock,
    environment: {},
    ...(limits && { limits }),
    ...(proxy && { proxy }),
    ...(ca && { ca }),
  })
  onTestFinished(() => exchange.close())
  const serviceClock = createServiceClock({ clock, emit })
  const fetchToken = createTokenFetch({
    exchange,
    corpId: options.corpId ?? 'ww0123456789abcdef',
    secret: options.secret ?? SECRET,
    clock,
    serviceClock,
  })
  const tokens = createTokenSource({ clock, emit, fetchToken })
  const wecom = createFreshTokenWecom(createHttpWecom({ exchange, tokens, serviceClock }))
  return { wecom, exchange, tokens, serviceClock, events }
}

/** What the promise rejects with; fails the test when it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (outcome instanceof Error) return outcome
  throw new Error('expected a rejection with an Error')
}
