import { entryAfter } from '../../src/manifest/conditional.ts'
import type { Change, Manifest, MomentRange } from '../../src/manifest/manifest.ts'
import type { Delivery } from '../../src/media/delivery.ts'
import type {
  ManifestEntry,
  MediaId,
  MediaPath,
  Problem,
  Reference,
} from '../../src/media/media.ts'

/** A manifest that remembers until it is closed: the port's promises without a disk, in the plainest way that keeps them. */
export function createMemoryManifest(): Manifest {
  const entries = new Map<MediaPath, ManifestEntry>()
  const problems = new Map<MediaPath, Problem>()
  const references = new Map<MediaId, Reference>()
  const deliveries = new Map<string, Delivery>()
  let folder: string | undefined
  let isClosed = false

  const byPath = () => [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  /** Entries that are kept alive, in the order of one of their moments. */
  const kept = (moment: 'renewAtMs' | 'expiresAtMs') =>
    byPath()
      .flatMap((entry) => (entry.renewAtMs === undefined ? [] : { at: entry[moment] ?? 0, entry }))
      .sort((a, b) => a.at - b.at)

  const find = (
    moment: 'renewAtMs' | 'expiresAtMs',
    { afterMs = -Infinity, untilMs }: MomentRange,
    limit: number,
  ) =>
    kept(moment)
      .filter(({ at }) => at > afterMs && at <= untilMs)
      .slice(0, limit)
      .map(({ entry }) => entry)

  const apply = (change: Change) => {
    if (change.kind === 'put-entry') entries.set(change.entry.path, { ...change.entry })
    else if (change.kind === 'drop-entry') entries.delete(change.path)
    else if (change.kind === 'mark-checked' || change.kind === 'end-life') {
      const entry = entryAfter(change, entries.get(change.path))
      if (entry) entries.set(entry.path, entry)
    } else if (change.kind === 'put-problem')
      problems.set(change.problem.path, { ...change.problem })
    else if (change.kind === 'drop-problem') problems.delete(change.path)
    else if (change.kind === 'put-reference')
      references.set(change.reference.mediaId, { ...change.reference })
    else if (change.kind === 'drop-reference') references.delete(change.mediaId)
    else if (change.kind === 'put-deliveries')
      for (const delivery of change.deliveries((path) => entries.get(path)))
        deliveries.set(delivery.id, { ...delivery })
    else if (change.kind === 'drop-delivery') deliveries.delete(change.id)
    else folder = change.folder
  }

  return {
    markedFolder: async () => folder,
    findEntry: async (path) => entries.get(path),
    findProblem: async (path) => problems.get(path),
    findRows: async (paths) =>
      paths.map((path) => ({ entry: entries.get(path), problem: problems.get(path) })),
    findReference: async (mediaId) => references.get(mediaId),
    findByFingerprint: async (fingerprint) =>
      byPath().filter((entry) => entry.fingerprint === fingerprint),
    findDue: async (range, limit) => find('renewAtMs', range, limit),
    findDying: async (range, limit) => find('expiresAtMs', range, limit),
    nextDueAtMs: async () => kept('renewAtMs')[0]?.at,
    workload: async () =>
      kept('expiresAtMs').map(({ at, entry }) => ({
        untilMs: at + 1,
        count: 1,
        sizeBytes: entry.sizeBytes,
      })),
    entries: () => each(byPath),
    problems: () => each(() => [...problems.values()]),
    references: () => each(() => [...references.values()]),
    findDelivery: async (id) => deliveries.get(id),
    deliveries: () => each(() => [...deliveries.values()].sort((a, b) => (a.id < b.id ? -1 : 1))),
    count: async () => ({
      entries: entries.size,
      problems: problems.size,
      references: references.size,
    }),
    async commit(changes) {
      if (isClosed) throw new Error('committed after close')
      await Promise.resolve()
      changes.forEach(apply)
    },
    async probe() {},
    async close() {
      isClosed = true
    },
  }
}

async function* each<T>(take: () => readonly T[]): AsyncGenerator<T> {
  yield* take()
}
