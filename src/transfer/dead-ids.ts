// Answers for an id that WeCom says it does not know: from then on no entry calls it alive, whoever found out. Not for finding
// out (download.ts, audit.ts), nor for what becomes of its paths: a pass is asked for, and decides.
import { WecomRefused } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { ManifestEntry, MediaId, MediaPath } from '../media/media.ts'
import type { Emit } from '../support/events.ts'

/** The service's "no such medium": unknown, expired and foreign ids alike (path/96486). */
const DEAD_ID = 40007

/** So many entries are put into one commit. */
const CHUNK_PATHS = 1000

/** A path may take over the id from another while its end is being recorded; more than once in a row is no accident. */
const MAX_ROUNDS = 3

export interface DeadIds {
  /**
   * Resolves when no entry holds the id as alive any more, durably; `but` is the path that the caller sees to. Entries
   * that have another id by then are left alone.
   */
  end(mediaId: MediaId, but?: MediaPath): Promise<void>
}

/** Dead ids by the paths that their finders see to. */
type Ids = Map<MediaId, Set<MediaPath>>

/** Whether a call failed because its media_id is dead; every other refusal says nothing about the life of an id. */
export const isDeadId = (error: unknown): boolean =>
  error instanceof WecomRefused && error.errcode === DEAD_ID

/** One for all who find out: a walk over the manifest serves every id that was told of before it began. */
export function createDeadIds(deps: {
  manifest: Pick<Manifest, 'entries' | 'findEntry' | 'commit'>
  /** The service's clock. */
  clock: { nowMs(): number }
  emit: Emit
  /** These paths are without a live id, and some can have a new one at once. */
  onDead: (paths: readonly MediaPath[]) => void
}): DeadIds {
  const { manifest, clock } = deps
  /** The walk that has not begun yet. */
  let next: { readonly ids: Ids; readonly done: Promise<void> } | undefined
  let walking: Promise<void> = Promise.resolve()

  // There is no index by id: a dead one is rare, and an index would cost every entry of a million some memory.
  function announceWalk() {
    const ids: Ids = new Map()
    const done = walking.then(() => {
      next = undefined
      return endAll(ids)
    })
    // Those who told of an id hear of the failure; those behind them only wait.
    walking = done.catch(() => undefined)
    return { ids, done }
  }

  async function endAll(ids: Ids): Promise<void> {
    const ended: ManifestEntry[] = []
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const before = ended.length
        await endOnce(ids, ended)
        if (ended.length === before) break
      }
    } finally {
      tell(ended)
    }
  }

  async function endOnce(ids: Ids, ended: ManifestEntry[]): Promise<void> {
    let paths: MediaPath[] = []
    for await (const entry of manifest.entries()) {
      if (!isHeld(entry, ids, clock.nowMs())) continue
      paths.push(entry.path)
      if (paths.length < CHUNK_PATHS) continue
      await endAt(paths, ids, ended)
      paths = []
    }
    await endAt(paths, ids, ended)
  }

  // Looked at again, since time has passed in the walk; and by the manifest once more, which lets an entry be that has another
  // id by the time of its turn.
  async function endAt(paths: readonly MediaPath[], ids: Ids, ended: ManifestEntry[]) {
    const nowMs = clock.nowMs()
    const held: ManifestEntry[] = []
    for (const path of paths) {
      const entry = await manifest.findEntry(path)
      if (entry && isHeld(entry, ids, nowMs)) held.push(entry)
    }
    if (held.length === 0) return
    await manifest.commit(
      held.map(({ path, mediaId }) => ({ kind: 'end-life', path, mediaId, atMs: nowMs })),
    )
    ended.push(...held)
  }

  /** Once per id, however many paths share it. */
  function tell(ended: readonly ManifestEntry[]) {
    for (const [mediaId, entries] of Map.groupBy(ended, (entry) => entry.mediaId)) {
      const [first] = entries
      if (!first) continue
      deps.emit({
        kind: 'id-died',
        mediaId,
        path: first.path,
        pathCount: entries.length,
        expectedUntilMs: first.expiresAtMs,
        isRenewed: entries.some(isKeptAlive),
      })
    }
    if (ended.length > 0) deps.onDead(ended.map(({ path }) => path))
  }

  return {
    end(mediaId, but) {
      next ??= announceWalk()
      const excepted = next.ids.get(mediaId) ?? new Set()
      next.ids.set(mediaId, but === undefined ? excepted : excepted.add(but))
      return next.done
    },
  }
}

const isHeld = (entry: ManifestEntry, ids: Ids, nowMs: number): boolean =>
  entry.expiresAtMs > nowMs && ids.get(entry.mediaId)?.has(entry.path) === false

const isKeptAlive = (entry: ManifestEntry): boolean => entry.renewAtMs !== undefined
