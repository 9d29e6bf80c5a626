// Answers for how long it is remembered that a content was done away with here, so that no other host brings it back: a day longer
// than the ids live that others had of it at that time, and for as long as those bytes are anywhere, there or here. While a reference
// file has not been read since the start nobody knows what its host has: then it is thirty days. That a file which is there is not to
// be mirrored is remembered as long as it is there.
import type { Change, Manifest } from '../manifest/manifest.ts'
import type { MediaPath, Problem } from '../media/media.ts'
import { DAY_MS, LONG_MS, leaveForNextTime } from './old-references.ts'
import type { ReferenceFiles } from './reference-files.ts'

export async function forgetOldDismissals(
  deps: {
    readonly manifest: Pick<Manifest, 'problems' | 'findByFingerprint' | 'commit'>
    readonly folder: {
      belief(): { readonly kind: 'believed' | 'doubted' }
      get(path: MediaPath): unknown
      isUnsettled(path: MediaPath): boolean
    }
    readonly referenceFiles: Pick<ReferenceFiles, 'areRead'> & {
      readonly offers: Pick<ReferenceFiles['offers'], 'withBytes'>
    }
  },
  { nowMs, lifetimeMs }: { readonly nowMs: number; readonly lifetimeMs: number },
): Promise<void> {
  const { manifest, folder, referenceFiles } = deps
  if (folder.belief().kind !== 'believed') return
  const keptMs = lifetimeMs + (referenceFiles.areRead() ? DAY_MS : LONG_MS)

  async function isOld({ code, path, fingerprint, sinceMs }: Problem): Promise<boolean> {
    if (code !== 'FORGOTTEN' || fingerprint === undefined || sinceMs + keptMs >= nowMs) return false
    if (folder.get(path) !== undefined || folder.isUnsettled(path)) return false
    const isOffered = referenceFiles.offers.withBytes(fingerprint).length > 0
    return !isOffered && (await manifest.findByFingerprint(fingerprint)).length === 0
  }

  const drops: Change[] = []
  for await (const problem of manifest.problems())
    if (await isOld(problem)) drops.push({ kind: 'drop-problem', path: problem.path })
  if (drops.length > 0) await manifest.commit(drops).catch(leaveForNextTime)
}
