// Answers for taking in references, wherever they come from: durable before anyone is told, the same one twice taken once. The one
// way in for `pull`, messages and lists alike. Not for landing them, which is a pass's part.
import type { Manifest } from '../manifest/manifest.ts'
import type { MediaId, Reference, WantedReference } from '../media/media.ts'
import type { Emit } from '../support/events.ts'
import { createTurns, type Turns } from '../support/turns.ts'

export interface Accepted {
  /** False for one that was known already: it is durable as well, and nothing was changed. */
  readonly isNew: boolean
  readonly reference: Reference
}

export interface Acceptance {
  /**
   * Resolves when the reference is durable, and asks for the pass that lands it. `anew` takes one that has landed or is lost for one
   * that has not: a person wants it once more. Rejects with `ManifestUnwritable`, having taken in nothing.
   */
  accept(wanted: WantedReference, how?: { readonly anew: boolean }): Promise<Accepted>
}

export function createAcceptance(deps: {
  manifest: Pick<Manifest, 'findReference' | 'commit'>
  /** The service's clock. */
  clock: { nowMs(): number }
  /** Asks for a pass that looks at open references, and at this one even if it was to wait. */
  requestLanding: (reference: Reference) => void
  emit: Emit
  /**
   * Shared with whoever else decides about references: who comes with an id that is being taken in waits, and then finds it known;
   * who comes while its landing is recorded finds it landed.
   */
  turns?: Turns<MediaId>
}): Acceptance {
  const { manifest, clock, turns = createTurns<MediaId>() } = deps

  async function take(wanted: WantedReference, anew: boolean): Promise<Accepted> {
    const known = await manifest.findReference(wanted.mediaId)
    if (known && !anew && !asksForMore(known, wanted)) return { isNew: false, reference: known }
    const reference = join(known, bornByNow(wanted, clock.nowMs()), clock.nowMs())
    await manifest.commit([{ kind: 'put-reference', reference }])
    deps.emit({ kind: 'reference-accepted', reference })
    deps.requestLanding(reference)
    return { isNew: true, reference }
  }

  return {
    accept: (wanted, { anew } = { anew: false }) =>
      turns.take(wanted.mediaId, () => take(wanted, anew)),
  }
}

/** The same medium at a path of its own, where it was not to be, and is not. */
const asksForMore = (known: Reference, { path }: WantedReference): boolean =>
  path !== undefined && path !== known.path && path !== known.landedPath

/** Whoever says when the medium came to be may have a clock that is ahead; its id is not to count as alive for longer. */
const bornByNow = (wanted: WantedReference, nowMs: number): WantedReference =>
  wanted.createdAtMs === undefined || wanted.createdAtMs <= nowMs
    ? wanted
    : { ...wanted, createdAtMs: nowMs }

/** What was known of the medium stays known; where it belongs and what has become of it begins anew. */
function join(
  known: Reference | undefined,
  wanted: WantedReference,
  acceptedAtMs: number,
): Reference {
  if (!known) return { ...wanted, acceptedAtMs, state: 'accepted' }
  const { path, into, isHd, landedPath, message, dismissedAtMs, ...facts } = known
  return { ...facts, ...wanted, acceptedAtMs, state: 'accepted' }
}
