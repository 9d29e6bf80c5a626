// Answers for telling people of messages that were turned away: the sender hears a bare status, so the log must say what to mend.
// Told once, then at most every ten minutes with their number: the door may be knocked at by anybody.
import type { Emit } from '../support/events.ts'
import type { createCallbackCounts, Refusal } from './callback-counts.ts'

const TOLD_AGAIN_AFTER_MS = 10 * 60_000

interface Words {
  readonly because: string
  readonly hint: string
}

/** What has no words is only counted: it says nothing about the set-up. */
const WORDS: Readonly<Partial<Record<Refusal, Words>>> = {
  signature: {
    because: 'the signature does not match',
    hint: 'If WeCom sent it, copy Token again from the app’s settings into `callback.token`; somebody else’s knocking needs nothing.',
  },
  timestamp: {
    because: 'it was signed more than an hour from now',
    hint: 'Set up time synchronisation (NTP); if the clock is right, somebody sends old messages again.',
  },
  decryption: {
    because: 'it is signed, and cannot be decrypted',
    hint: 'Copy EncodingAESKey again from the app’s settings into `callback.encodingAesKey`.',
  },
  'receive-id': {
    because: 'it is for another corp',
    hint: 'Token and EncodingAESKey must be those of an app of `wecom.corpId`.',
  },
  malformed: {
    because: 'it is no message as WeCom writes them',
    hint: 'Look at what stands between WeCom and this port: it must pass address and body on unchanged.',
  },
  'too-large': {
    because: 'it is larger than any message of WeCom’s',
    hint: 'Look at who sends it; WeCom’s messages are a few kilobytes.',
  },
  'not-durable': {
    because: 'it could not be made durable; WeCom sends it three times in all',
    hint: 'See to the disk of the state directory.',
  },
}

export function createRefusals(deps: {
  counts: Pick<ReturnType<typeof createCallbackCounts>, 'refused'>
  clock: { monotonicMs(): number }
  emit: Emit
}) {
  const told = new Map<Refusal, { atMs: number; since: number }>()

  return {
    /** Counts one, and tells of it if it is time. */
    note(refusal: Refusal): void {
      deps.counts.refused(refusal)
      const words = WORDS[refusal]
      if (!words) return
      const nowMs = deps.clock.monotonicMs()
      const last = told.get(refusal)
      if (last && nowMs - last.atMs < TOLD_AGAIN_AFTER_MS) {
        last.since++
        return
      }
      told.set(refusal, { atMs: nowMs, since: 0 })
      deps.emit({ kind: 'callback-refused', ...words, count: (last?.since ?? 0) + 1 })
    },
  }
}
