// Answers for the changes that count only if an entry still has the id that their maker knew: what becomes of it then. Pure.
// Not for when it is asked: each store does that when the turn of the commit comes, so that no later knowledge is undone.
import type { ManifestEntry } from '../media/media.ts'
import type { Change } from './manifest.ts'

/** A change that depends on what stands in the manifest. */
export type ConditionalChange = Extract<Change, { readonly kind: 'mark-checked' | 'end-life' }>

/** The entry as the change leaves it; undefined when the change does not count. */
export function entryAfter(
  { kind, mediaId, atMs }: ConditionalChange,
  standing: ManifestEntry | undefined,
): ManifestEntry | undefined {
  if (standing?.mediaId !== mediaId) return undefined
  if (kind === 'mark-checked') return { ...standing, checkedAtMs: atMs }
  if (standing.expiresAtMs <= atMs) return undefined
  const { renewAtMs } = standing
  // What is never renewed (a landed reference) stays so.
  const dueAtMs = renewAtMs === undefined ? undefined : Math.min(renewAtMs, atMs)
  return { ...standing, expiresAtMs: atMs, renewAtMs: dueAtMs }
}
