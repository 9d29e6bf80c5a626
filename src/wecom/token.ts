// Answers for one live access token, shared by every caller. Not for how it is fetched, nor for who needs it.
// There is one source per client, so that base URL, corp and secret can never be mixed up.
import type { Emit } from '../support/events.ts'
import { untilAborted } from './until-aborted.ts'

export interface Token {
  readonly value: string
  readonly fetchedAtMs: number
  readonly expiresAtMs: number
}

interface TokenState {
  readonly kind: 'none' | 'fresh' | 'due'
  readonly fetching: boolean
  readonly expiresAtMs?: number
}

export interface TokenSource {
  /** The current token, or a new one; concurrent callers share one fetch. Aborting leaves the fetch to the others. */
  get(signal: AbortSignal): Promise<Token>
  /** The service refused this token: the next `get` fetches a new one, unless that has already happened, or it is kept for a while. */
  invalidate(stale: Token): 'replaced' | 'kept'
  /** The service took this token. */
  confirm(token: Token): void
  state(): TokenState
}

const REFRESH_BEFORE_MS = 5 * 60_000
const REFRESH_BEFORE_PART = 0.1
/** How long to stay with a token that was refused although it had replaced a refused one and never worked itself. */
const REFUSED_TWICE_PAUSE_MS = 30_000

/** When to replace a token: five minutes before its end, or the last tenth of a short life. */
export const refreshAtMs = (token: Token): number =>
  token.expiresAtMs -
  Math.min(REFRESH_BEFORE_MS, (token.expiresAtMs - token.fetchedAtMs) * REFRESH_BEFORE_PART)

export function createTokenSource(deps: {
  readonly clock: { nowMs(): number }
  readonly fetchToken: () => Promise<Token>
  readonly emit: Emit
}): TokenSource {
  let current: Token | undefined
  let fetching: Promise<Token> | undefined
  let refusal: { readonly atMs: number } | undefined

  // Before its own beginning means that the clock fell back: nothing is known of the token's end.
  const isFresh = (token: Token) => {
    const nowMs = deps.clock.nowMs()
    return nowMs >= token.fetchedAtMs && nowMs < refreshAtMs(token)
  }

  const fetchNew = async () => {
    current = await deps.fetchToken()
    deps.emit({ kind: 'token-refreshed' })
    return current
  }

  return Object.freeze({
    async get(signal: AbortSignal) {
      signal.throwIfAborted()
      if (current && isFresh(current)) return current
      // `finally` runs after the assignment even when the fetch fails at once, so a failure is never kept.
      fetching ??= fetchNew().finally(() => void (fetching = undefined))
      return await untilAborted(fetching, signal)
    },

    // Compare first: a late complaint about an old token must not discard a new one. And a new token that is refused
    // as well is kept for a while: fetching at every refusal is the loop that gets an address blocked.
    invalidate(stale: Token) {
      if (current !== stale) return 'replaced'
      const nowMs = deps.clock.nowMs()
      if (refusal && Math.abs(nowMs - refusal.atMs) < REFUSED_TWICE_PAUSE_MS) return 'kept'
      refusal = { atMs: nowMs }
      current = undefined
      return 'replaced'
    },

    confirm(token: Token) {
      if (current === token) refusal = undefined
    },

    state() {
      if (!current) return { kind: 'none', fetching: fetching !== undefined }
      return {
        kind: isFresh(current) ? 'fresh' : 'due',
        fetching: fetching !== undefined,
        expiresAtMs: current.expiresAtMs,
      }
    },
  } satisfies TokenSource)
}
