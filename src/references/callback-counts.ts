// Answers for what the receiver has seen since it was started: counted, never kept. Numbers for people and for monitoring.

/** Why a request was turned away. The sender is told only the status. */
export type Refusal =
  | 'signature'
  | 'timestamp'
  | 'decryption'
  | 'receive-id'
  | 'malformed'
  | 'too-large'
  | 'too-slow'
  | 'hung-up'
  | 'wrong-address'
  | 'too-many-connections'
  | 'not-durable'

export interface CallbackCounts {
  readonly verified: number
  /** References made durable. */
  readonly accepted: number
  /** Repetitions of those. */
  readonly duplicates: number
  /** Events and messages without a medium, by type. */
  readonly ignored: Readonly<Record<string, number>>
  /** By `Refusal`. */
  readonly refused: Readonly<Record<string, number>>
  readonly lastAcceptedAtMs: number | undefined
}

/** WeCom has a dozen types; what a sender invents beyond so many is counted together. */
const MAX_TYPES = 40

export function createCallbackCounts() {
  const ignored = new Map<string, number>()
  const refused = new Map<Refusal, number>()
  let [verified, accepted, duplicates] = [0, 0, 0]
  let lastAcceptedAtMs: number | undefined

  const add = <Key>(counts: Map<Key, number>, key: Key) =>
    void counts.set(key, (counts.get(key) ?? 0) + 1)

  return {
    verified: () => void verified++,
    accepted(nowMs: number) {
      accepted++
      lastAcceptedAtMs = nowMs
    },
    duplicate: () => void duplicates++,
    ignored: (type: string) =>
      add(ignored, ignored.has(type) || ignored.size < MAX_TYPES ? type : 'unknown'),
    refused: (because: Refusal) => add(refused, because),
    read: (): CallbackCounts => ({
      verified,
      accepted,
      duplicates,
      ignored: Object.fromEntries(ignored),
      refused: Object.fromEntries(refused),
      lastAcceptedAtMs,
    }),
  }
}
