// What the manifest is measured against: the same rows in `node:sqlite`, as a careful program would keep them there (WAL, every commit
// flushed). It is synchronous, so commits that come together go one after the other, each a transaction of its own; `commitAll` is
// what a program gets that gathers them into one transaction by hand.
import { DatabaseSync } from 'node:sqlite'
import { planAlteration } from '../../src/manifest/alteration.ts'
import { lineOf } from '../../src/manifest/row.ts'
import type { ManifestEntry } from '../../src/media/media.ts'

export interface SqlitePeer {
  commit(entry: ManifestEntry): void
  commitAll(entries: readonly ManifestEntry[]): void
  close(): void
}

/** The row as the manifest writes it, and the two columns that the questions of the program need an index on. */
export function openSqlitePeer(file: string): SqlitePeer {
  const database = new DatabaseSync(file)
  database.exec(`
    PRAGMA journal_mode=WAL;
    PRAGMA synchronous=FULL;
    CREATE TABLE media (path TEXT PRIMARY KEY, renew_at INTEGER, sha256 TEXT, row TEXT) WITHOUT ROWID;
    CREATE INDEX renewals ON media (renew_at);
    CREATE INDEX fingerprints ON media (sha256);
  `)
  const put = database.prepare('INSERT OR REPLACE INTO media VALUES (?, ?, ?, ?)')
  const commit = (entry: ManifestEntry) =>
    void put.run(entry.path, entry.renewAtMs ?? null, entry.fingerprint, renderRow(entry))
  return {
    commit,
    commitAll(entries) {
      database.exec('BEGIN IMMEDIATE')
      for (const entry of entries) commit(entry)
      database.exec('COMMIT')
    },
    close: () => database.close(),
  }
}

function renderRow(entry: ManifestEntry): string {
  const [alteration] = planAlteration({ kind: 'put-entry', entry })(() => undefined)
  return alteration?.section === 'media' && alteration.row ? lineOf('media', alteration.row) : ''
}
