// Answers for what goes on to be wrong with this machine's disks, as `status` shows it: gathered from what was told, until it is told
// to be over. Nothing is found out here.

import type { Events, MirrorEvent } from '../support/events.ts'
import type { StatusAnswer } from './desk.ts'

type Trouble = StatusAnswer['troubles'][number]

export function createTroubles(deps: {
  readonly events: Pick<Events, 'subscribe'>
  readonly clock: { nowMs(): number }
}) {
  const troubles = new Map<Trouble['of'], Trouble>()

  const begin = (of: Trouble['of'], message: string, hint: string | undefined) => {
    const since = new Date(deps.clock.nowMs()).toISOString()
    troubles.set(of, { of, message, hint: hint ?? null, since })
  }

  function listen(event: MirrorEvent) {
    switch (event.kind) {
      case 'disk-failed':
        return begin(event.of, event.error.message, event.error.hint)
      case 'disk-short':
        return begin('room', event.because, event.hint)
      case 'document-failed':
        return begin('document', event.message, event.hint)
      case 'log-failed':
        return begin('log', event.message, event.hint)
      case 'disk-recovered':
        return void troubles.delete(event.of)
      case 'disk-roomy':
        return void troubles.delete('room')
      case 'document-written':
        return void troubles.delete('document')
      case 'log-recovered':
        return void troubles.delete('log')
    }
  }

  return {
    all: (): readonly Trouble[] => [...troubles.values()],
    /** Listens from now on; returns the way to stop. */
    start: () => deps.events.subscribe(listen),
  }
}
