// Answers for access tokens: who gets one, how long it is good, what a bad one is answered with.
// Tokens do not survive a restart; the service reserves itself the right to forget them early, too.
import { randomBytes } from 'node:crypto'
import type { SimulatorSettings } from './options.ts'

interface Grant {
  readonly token: string
  readonly expiresInSeconds: number
}

export interface Tokens {
  /** A token, or the errcode that refuses it. */
  grant(corpId: string | null, secret: string | null): Grant | { readonly errcode: number }
  /** The corp a token speaks for, or the errcode that refuses it. */
  check(token: string | null): { readonly corpId: string } | { readonly errcode: number }
  /** The early death that the documentation warns of: every token is void from now on. */
  revokeAll(): void
}

interface Issued {
  readonly corpId: string
  readonly secret: string
  readonly expiresAtMs: number
  revoked: boolean
}

/** Tokens remembered, dead ones among them, so that they can be told from invented ones. */
const MOST_TOKENS = 10_000

export function createTokens(deps: {
  settings: () => SimulatorSettings
  clock: { nowMs(): number }
}): Tokens {
  const { settings, clock } = deps
  const issued = new Map<string, Issued>()
  const current = new Map<string, string>()

  const isGood = (token: Issued) => !token.revoked && clock.nowMs() < token.expiresAtMs

  function refusalOf(corpId: string, secret: string): number | undefined {
    const { credentials } = settings()
    if (credentials === 'any') return undefined
    const apps = credentials.filter((known) => known.corpId === corpId)
    if (apps.length === 0) return 40013
    return apps.some((known) => known.secret === secret) ? undefined : 40001
  }

  function issue(corpId: string, secret: string): string {
    // 214 characters, as the real ones.
    const token = randomBytes(160).toString('base64url')
    const expiresAtMs = clock.nowMs() + settings().tokenLifetimeMs
    issued.set(token, { corpId, secret, expiresAtMs, revoked: false })
    for (const oldest of issued.keys()) {
      if (issued.size <= MOST_TOKENS) break
      issued.delete(oldest)
    }
    return token
  }

  return {
    grant(corpId, secret) {
      // The secret is looked for first; so were 26 live probes answered.
      if (!secret) return { errcode: 41004 }
      if (!corpId) return { errcode: 41002 }
      const errcode = refusalOf(corpId, secret)
      if (errcode !== undefined) return { errcode }

      const app = JSON.stringify([corpId, secret])
      const held = issued.get(current.get(app) ?? '')
      const heldToken = current.get(app)
      if (held && heldToken && isGood(held) && settings().repeatedToken === 'same') {
        // A repetition does not lengthen the life; the time told is what is left of it.
        const leftMs = held.expiresAtMs - clock.nowMs()
        return { token: heldToken, expiresInSeconds: Math.ceil(leftMs / 1000) }
      }
      if (held) held.revoked = true
      const token = issue(corpId, secret)
      current.set(app, token)
      return { token, expiresInSeconds: Math.floor(settings().tokenLifetimeMs / 1000) }
    },
    check(token) {
      if (!token) return { errcode: 41001 }
      const known = issued.get(token)
      if (!known) return { errcode: 40014 }
      return isGood(known) ? { corpId: known.corpId } : { errcode: settings().expiredTokenErrcode }
    },
    revokeAll() {
      for (const token of issued.values()) token.revoked = true
    },
  }
}
