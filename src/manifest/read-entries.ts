// Answers for reading the entries of a document that is not ours to write: the manifest of another host, as its bytes are in this
// moment. Not for its journal, which only its own daemon joins, nor for what is done about the entries.
import { setImmediate } from 'node:timers/promises'
import { ManifestUnreadable } from '../errors.ts'
import type { ManifestEntry } from '../media/media.ts'
import { readDocument } from './document.ts'
import { DOCUMENT_FORMAT } from './header.ts'
import { parseRow } from './row.ts'
import { upgradeRow } from './upgrade.ts'
import { Damaged } from './wire.ts'

/** Rejects with `ManifestUnreadable` for what is no manifest, is not whole or is newer, with `ConfigError` for that of another corp. */
export async function readEntries(
  bytes: Buffer,
  { corpId, file }: { readonly corpId: string; readonly file: string },
): Promise<readonly ManifestEntry[]> {
  const entries: ManifestEntry[] = []
  try {
    const { header, pieces } = readDocument(bytes, { format: DOCUMENT_FORMAT, corpId, file })
    for (const { section, rows } of pieces()) {
      if (section !== 'media') continue
      for (const [key, fields] of Object.entries(rows)) {
        const row = parseRow(section, key, upgradeRow(header.version, section, fields))
        if (row) entries.push(row.value)
      }
      await setImmediate()
    }
    return entries
  } catch (error) {
    if (!(error instanceof Damaged)) throw error
    throw new ManifestUnreadable(`cannot use \`${file}\`: ${error.message}`, { cause: error })
  }
}
