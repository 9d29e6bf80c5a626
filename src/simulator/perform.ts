// Answers for what each API checks before it does its own work, in the order in which the service was seen to check.
import type { Call } from './call.ts'
import { answerDownload } from './download.ts'
import type { MediaStore } from './media-store.ts'
import type { SimulatorSettings } from './options.ts'
import { createSecretGuard } from './rate-gate.ts'
import type { Reply } from './reply.ts'
import type { Tokens } from './tokens.ts'
import { answerUpload } from './upload.ts'

const refuse = (errcode: number): Reply => ({ kind: 'refusal', errcode })

/** These two say that the credential is wrong; many of them block the caller's address. */
const WRONG_CREDENTIAL = [40001, 40013]

/** Performs calls, and tells on whose account they go. */
export function createPerform(deps: {
  clock: { nowMs(): number }
  settings: () => SimulatorSettings
  tokens: Tokens
  store: MediaStore
}) {
  const { settings, tokens } = deps
  const guard = createSecretGuard({ clock: deps.clock, limits: () => settings().wrongSecrets })

  function answerGettoken(call: Call): Reply {
    if (guard.isBlocked(call.callerIp)) return refuse(45009)
    const granted = tokens.grant(call.query.get('corpid'), call.query.get('corpsecret'))
    if ('errcode' in granted) {
      if (WRONG_CREDENTIAL.includes(granted.errcode)) guard.reportWrongSecret(call.callerIp)
      return refuse(granted.errcode)
    }
    const fields = { access_token: granted.token, expires_in: granted.expiresInSeconds }
    return { kind: 'success', fields }
  }

  /** What a gateway decides by the head of an upload alone. */
  function refuseUnread(call: Call): Reply | undefined {
    const { headers } = call.request
    const { chunkedUpload, maxBodyBytes } = settings()
    const isChunked = headers['transfer-encoding'] !== undefined
    if (isChunked && chunkedUpload === 'refuse') return { kind: 'gateway-page', status: 412 }
    const isTooLarge = Number(headers['content-length'] ?? 0) > maxBodyBytes
    return isTooLarge ? { kind: 'refusal', errcode: 40206, unread: true } : undefined
  }

  const isTrusted = (callerIp: string) => settings().trustedIps?.includes(callerIp) ?? true

  async function perform(call: Call): Promise<Reply> {
    if (call.api === 'gettoken') return answerGettoken(call)
    const unread = call.api === 'upload' ? refuseUnread(call) : undefined
    if (unread) return unread
    // The token counts in the URL only; one in a header or a body is not looked at.
    const speaker = tokens.check(call.query.get('access_token'))
    if ('errcode' in speaker) return refuse(speaker.errcode)
    if (!isTrusted(call.callerIp)) return refuse(60020)
    return call.api === 'upload'
      ? answerUpload(call, speaker, deps)
      : answerDownload(call, speaker, deps)
  }

  return {
    perform,
    /** Limits count by corp; calls without a good token share one account. */
    corpOf(call: Call): string {
      if (call.api === 'gettoken') return call.query.get('corpid') ?? ''
      const speaker = tokens.check(call.query.get('access_token'))
      return 'corpId' in speaker ? speaker.corpId : ''
    },
  }
}
