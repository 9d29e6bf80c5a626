// Answers for the book of calls (src/call-book.ts) as a simulated mirror finds and leaves it: a page that outlives its writer. What
// a dead life still writes is not written.
import type { CallBook, CallsMade, GateUse } from '../../src/wecom/limited-wecom.ts'
import type { SpentCalls } from '../../src/wecom/quota.ts'

const NOTHING: GateUse = { minute: [], hour: [], upcoming: 0 }

export interface ModelledBook {
  /** For the next life; the one before it has ended. */
  open(): CallBook
}

export function createModelledBook(clock: { monotonicMs(): number }): ModelledBook {
  let page = { atMs: 0, made: { uploads: NOTHING, downloads: NOTHING } as CallsMade }
  let life = 0

  const age = ({ minute, hour, upcoming }: GateUse): GateUse => {
    const sinceMs = clock.monotonicMs() - page.atMs
    const later = ({ agoMs, calls }: SpentCalls) => ({ agoMs: agoMs + sinceMs, calls })
    return { minute: minute.map(later), hour: hour.map(later), upcoming }
  }

  return {
    open() {
      const mine = ++life
      return {
        made: { uploads: age(page.made.uploads), downloads: age(page.made.downloads) },
        async write(made) {
          if (life === mine) page = { atMs: clock.monotonicMs(), made }
        },
      }
    },
  }
}
