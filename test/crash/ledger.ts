// What a run of crashes owes to whom: what was written into the folder, what the program has promised to anybody, and what it may
// have uploaded. Whether it was kept is for verdict.ts to say.
import { createHash } from 'node:crypto'
import type { MediaAnswer } from '../../src/serve/desk.ts'
import { type JournalRecord, recordsIn } from './points.ts'

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

export interface Accounts {
  /** Fingerprints of what must be in the folder and have a live id. */
  readonly files: ReadonlyMap<string, string>
  /** Those of them that were found in order after some restart. */
  readonly settled: ReadonlySet<string>
  /** Paths whose forgetting was asked for since then, and whether it was acknowledged. */
  readonly released: ReadonlyMap<string, 'asked' | 'done'>
  /** The same of all times: where something landed at such a path, its reference has no more claim to it. */
  readonly everReleased: ReadonlySet<string>
  /** Media of others by their id; promised once the program has said that they are known to it. */
  readonly references: ReadonlyMap<string, { readonly sha: string; readonly isPromised: boolean }>
  /** The last id that somebody was given for a path, and of which bytes. */
  readonly handedOut: ReadonlyMap<string, { readonly mediaId: string; readonly sha: string }>
  /** All ids that anybody was ever given. */
  readonly everHandedOut: ReadonlySet<string>
  /** How often the bytes had been uploaded when all was found in order, by fingerprint. */
  readonly uploadsAtRest: ReadonlyMap<string, number>
  /** So often the program has died since then. */
  readonly deaths: number
  /** Records that were flushed the moment before the last death. */
  readonly flushed: readonly JournalRecord[]
}

export type Ledger = ReturnType<typeof createLedger>

export function createLedger() {
  const files = new Map<string, string>()
  const settled = new Set<string>()
  const released = new Map<string, 'asked' | 'done'>()
  const everReleased = new Set<string>()
  const references = new Map<string, { sha: string; isPromised: boolean }>()
  const handedOut = new Map<string, { mediaId: string; sha: string }>()
  const everHandedOut = new Set<string>()
  const uploadsAtRest = new Map<string, number>()
  const flushed: JournalRecord[] = []
  const accounts = {
    files,
    settled,
    released,
    everReleased,
    references,
    handedOut,
    everHandedOut,
    uploadsAtRest,
    flushed,
    deaths: 0,
  } satisfies Accounts

  return {
    accounts: accounts as Accounts,
    wrote(path: string, content: Buffer) {
      files.set(path, sha256(content))
      settled.delete(path)
    },
    /** The id goes along. */
    renamed(from: string, to: string) {
      files.set(to, files.get(from) ?? '')
      const id = handedOut.get(from)
      if (id) handedOut.set(to, id)
      for (const owed of [files, settled, handedOut]) owed.delete(from)
    },
    released(path: string, how: 'asked' | 'done') {
      released.set(path, how)
      everReleased.add(path)
      for (const owed of [files, settled, handedOut]) owed.delete(path)
    },
    referredTo: (mediaId: string, content: Buffer) =>
      void references.set(mediaId, { sha: sha256(content), isPromised: false }),
    promised(mediaId: string) {
      const reference = references.get(mediaId)
      if (reference) reference.isPromised = true
    },
    handedOut(answers: readonly MediaAnswer[]) {
      for (const { path, media_id: mediaId, sha256: sha } of answers) {
        if (mediaId === null || !files.has(path)) continue
        handedOut.set(path, { mediaId, sha })
        everHandedOut.add(mediaId)
      }
    },
    /** With the records that it had just flushed, if it died of that. */
    died(text: string) {
      accounts.deaths++
      flushed.push(...recordsIn(text))
    },
    /** Everything was found in order: what comes later is held against this. */
    rest(uploads: ReadonlyMap<string, number>) {
      for (const path of files.keys()) settled.add(path)
      for (const [sha, count] of uploads) uploadsAtRest.set(sha, count)
      released.clear()
      flushed.length = 0
      accounts.deaths = 0
    },
    counts: () => ({ references: references.size, ids: everHandedOut.size }),
  }
}
