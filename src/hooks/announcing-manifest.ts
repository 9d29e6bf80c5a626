// Wraps the port: what hooks are owed for a commit is made durable with it, so that neither can be without the other. Not for
// telling them: that is the dispatcher's, which hears of each delivery once it is durable.

import type { Manifest } from '../manifest/manifest.ts'
import type { Delivery } from '../media/delivery.ts'
import { findOccurrences, mayTell } from './happenings.ts'
import type { Hook } from './hook.ts'

interface AnnouncingDeps {
  readonly manifest: Manifest
  readonly hooks: readonly Pick<Hook, 'name' | 'happenings' | 'matches'>[]
  /** The service's clock. */
  readonly clock: { nowMs(): number }
  readonly random: () => number
  /** The last id of those that are owed from before: none is made that would sort before it. */
  readonly lastId: string | undefined
  /** In the order of the ids. */
  readonly onOwed: (deliveries: readonly Delivery[]) => void
}

/** The manifest itself where there are no hooks. */
export function createAnnouncingManifest(deps: AnnouncingDeps): Manifest {
  const { manifest, hooks } = deps
  if (hooks.length === 0) return manifest
  const nextId = createDeliveryIds(deps)

  /** For each occurrence one delivery to each hook that wants it. */
  const addressed = (occurrences: ReturnType<typeof findOccurrences>): Delivery[] =>
    occurrences.flatMap((occurrence) =>
      hooks
        .filter(({ happenings }) => happenings.includes(occurrence.happening))
        .filter(({ matches }) => matches(occurrence.path))
        .map(({ name }) => ({ ...occurrence, hook: name, ...nextId() })),
    )

  return {
    ...manifest,
    async commit(changes) {
      if (!mayTell(changes)) return manifest.commit(changes)
      let owed: readonly Delivery[] = []
      await manifest.commit([
        {
          kind: 'put-deliveries',
          deliveries: (standing) => (owed = addressed(findOccurrences(changes, standing))),
        },
        ...changes,
      ])
      if (owed.length > 0) deps.onOwed(owed)
    },
  }
}

/** As many digits as the last moment that a date can name. */
const DIGITS = 16

/** The moment in milliseconds, or one more than the last, whatever the clock says; and chance, since that one may be used up and gone. */
function createDeliveryIds({ clock, random, lastId }: AnnouncingDeps) {
  let last = Number.parseInt(lastId ?? '0', 10)
  return () => {
    const atMs = clock.nowMs()
    last = Math.max(atMs, last + 1)
    const chance = random().toString(36).slice(2, 10)
    return { id: `${String(last).padStart(DIGITS, '0')}-${chance}`, atMs }
  }
}
