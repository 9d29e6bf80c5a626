// Answers for what somebody's asking in vain brings about: the path is looked at again, and goes before others that are dead too.
import type { AskedFor } from './asked-for.ts'
import type { MediaPath } from './media/media.ts'

/** Whoever asks again and again for the same path hurries nothing. */
const HEARD_EVERY_MS = 60_000

/** To be called for each look-up that found no live id. */
export const createVainLookUps =
  (deps: { askedFor: AskedFor; clock: { nowMs(): number }; request: (path: MediaPath) => void }) =>
  (path: MediaPath): void => {
    const agoMs = deps.clock.nowMs() - (deps.askedFor.atMs(path) ?? -Infinity)
    // A clock that was set back says nothing of when it was.
    if (agoMs >= 0 && agoMs < HEARD_EVERY_MS) return
    deps.askedFor.note(path)
    deps.request(path)
  }
