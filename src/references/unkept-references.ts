// Answers for what landed and was kept alive while `references.renew` was true, once it is false: nothing renews it any more, so it
// stands in no order of renewal, is no work to come, and is late for nothing. Turned on again, the plan renews it (plan/plan.ts).
import type { Manifest } from '../manifest/manifest.ts'
import type { ManifestEntry } from '../media/media.ts'

/** So many entries are put into one commit. */
const CHUNK_ENTRIES = 1000

/** To be called before anything else commits: it puts whole entries. */
export async function letGoOfReferences(
  manifest: Pick<Manifest, 'entries' | 'commit'>,
): Promise<void> {
  let kept: ManifestEntry[] = []
  const letGo = async () => {
    const entries = kept.map((entry) => ({ ...entry, renewAtMs: undefined }))
    kept = []
    await manifest.commit(entries.map((entry) => ({ kind: 'put-entry', entry })))
  }
  for await (const entry of manifest.entries()) {
    if (entry.origin !== 'reference' || entry.renewAtMs === undefined) continue
    kept.push(entry)
    if (kept.length === CHUNK_ENTRIES) await letGo()
  }
  await letGo()
}
