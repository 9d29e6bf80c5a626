// Answers for one call of WeCom's from its query and body to the status it gets: whether it is WeCom's, what it brings, and that what
// it brings is durable before it is acknowledged. Not for the wire (callback-server.ts).
import { isUnwritable } from '../errors.ts'
import type { Acceptance } from './acceptance.ts'
import type { createCallbackCounts, Refusal } from './callback-counts.ts'
import type { CallbackCrypto } from './callback-crypto.ts'
import { readMeaning } from './callback-message.ts'
import { readMessageFields } from './message-fields.ts'

export interface CallbackAnswer {
  readonly status: number
  readonly body?: string
}

export interface CallbackReceiver {
  /** The check of the address (GET): answers with what `echostr` says. */
  verify(query: string): CallbackAnswer
  /** A message (POST). Anything but 200, or no answer within five seconds, and WeCom sends it again, three times in all. */
  receive(query: string, body: string): Promise<CallbackAnswer>
}

/**
 * Signed further from now than this, it is not WeCom's doing. An hour, though WeCom repeats within seconds: a clock may be that wrong
 * before it has once been compared with WeCom's, and what is sent again within the hour is known by its media_id.
 */
const REPLAY_WINDOW_MS = 60 * 60_000

/** 403 without a word for all that concerns secrets: a sender learns nothing from it. */
const STATUS_OF: Readonly<Partial<Record<Refusal, number>>> = { malformed: 400, 'not-durable': 503 }

class Refused extends Error {
  readonly because: Refusal
  constructor(because: Refusal) {
    super(because)
    this.because = because
  }
}

export function createCallbackReceiver(deps: {
  crypto: CallbackCrypto
  /** For whom messages must be. */
  corpId: string
  acceptance: Acceptance
  /** The service's clock. */
  clock: { nowMs(): number }
  counts: Pick<
    ReturnType<typeof createCallbackCounts>,
    'verified' | 'accepted' | 'duplicate' | 'ignored'
  >
  refusals: { note(refusal: Refusal): void }
}): CallbackReceiver {
  const { crypto, clock, counts } = deps

  function refuse(error: unknown): CallbackAnswer {
    if (!(error instanceof Refused)) throw error
    deps.refusals.note(error.because)
    return { status: STATUS_OF[error.because] ?? 403 }
  }

  /** What was encrypted, if it is WeCom's and for us. Throws `Refused`. */
  function open(query: ReadonlyMap<string, string>, encrypted: string): string {
    const [signature, timestamp, nonce] = ['msg_signature', 'timestamp', 'nonce'].map((name) =>
      query.get(name),
    )
    if (signature === undefined || timestamp === undefined || nonce === undefined)
      throw new Refused('malformed')
    if (!crypto.isSigned(encrypted, { signature, timestamp, nonce })) throw new Refused('signature')
    // After the signature: what it says of the clock is then WeCom's word.
    const distanceMs = Math.abs(Number(timestamp) * 1000 - clock.nowMs())
    if (!(distanceMs <= REPLAY_WINDOW_MS)) throw new Refused('timestamp')
    const opened = crypto.decrypt(encrypted)
    if (!opened) throw new Refused('decryption')
    if (opened.receiveId !== deps.corpId) throw new Refused('receive-id')
    return opened.message
  }

  async function take(message: string): Promise<void> {
    const fields = readMessageFields(message)
    const meaning = fields && readMeaning(fields, clock.nowMs())
    if (!meaning || meaning.kind === 'unreadable') throw new Refused('malformed')
    if (meaning.kind === 'other') return counts.ignored(meaning.type)
    const { isNew } = await deps.acceptance.accept(meaning.wanted).catch((error: unknown) => {
      throw isUnwritable(error) ? new Refused('not-durable') : error
    })
    if (isNew) counts.accepted(clock.nowMs())
    else counts.duplicate()
  }

  return {
    verify(text) {
      try {
        const query = parseQuery(text)
        const encrypted = query.get('echostr')
        if (encrypted === undefined) throw new Refused('malformed')
        const body = open(query, encrypted)
        counts.verified()
        return { status: 200, body }
      } catch (error) {
        return refuse(error)
      }
    },
    async receive(text, body) {
      try {
        const encrypted = readMessageFields(body)?.get('encrypt')
        if (encrypted === undefined) throw new Refused('malformed')
        await take(open(parseQuery(text), encrypted.trim()))
        return { status: 200 }
      } catch (error) {
        return refuse(error)
      }
    },
  }
}

/** Not as of forms: there a `+` is a blank, and here it is a digit of base64 that not every sender escapes. Throws `Refused`. */
function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>()
  for (const pair of text.split('&')) {
    const at = pair.indexOf('=')
    if (at < 0) continue
    try {
      query.set(pair.slice(0, at), decodeURIComponent(pair.slice(at + 1)))
    } catch (error) {
      if (error instanceof URIError) throw new Refused('malformed')
      throw error
    }
  }
  return query
}
