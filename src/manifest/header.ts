// Answers for what a file of the state says of itself before anything in it is believed: what it is, in which version, of
// which corp. A file that is not ours to read is refused and left as it is.
import { z } from 'zod'
import { ConfigError, ManifestUnreadable } from '../errors.ts'
import { CURRENT_VERSION } from './upgrade.ts'
import { Damaged } from './wire.ts'

export const DOCUMENT_FORMAT = 'wecom-media-mirror/manifest'
export const JOURNAL_FORMAT = 'wecom-media-mirror/journal'

const Identity = z.object({
  format: z.string(),
  version: z.int().positive(),
  corp_id: z.string(),
})

const DocumentHeader = Identity.extend({
  /** For people: nothing is decided by it. */
  written_at: z.iso.datetime({ offset: true }).optional(),
  /** The first journal that must be joined to this document; a document made by hand has none. */
  journal: z.int().positive().optional(),
  folder: z.string().optional(),
})

export type DocumentHeader = z.infer<typeof DocumentHeader>

/** What the file must be. */
export interface Expected {
  readonly format: string
  readonly corpId: string
  /** The file, for the message. */
  readonly file: string
}

/** The header of a document; throws `Damaged` when it is none, and refuses what belongs to another corp or program. */
export function parseDocumentHeader(fields: unknown, expected: Expected): DocumentHeader {
  refuseForeign(parseWith(Identity, fields), expected)
  return parseWith(DocumentHeader, fields)
}

/** The first record of a journal, checked the same way. */
export function parseJournalHeader(fields: unknown, expected: Expected): { version: number } {
  refuseNewer(fields, expected)
  const identity = parseWith(Identity, fields)
  refuseForeign(identity, expected)
  return identity
}

/** Looked at before everything else, also before a checksum, which a newer version may reckon differently. */
export function refuseNewer(fields: unknown, expected: Expected): void {
  const identity = Identity.pick({ format: true, version: true }).safeParse(fields).data
  if (identity?.format !== expected.format || identity.version <= CURRENT_VERSION) return
  throw new ManifestUnreadable(
    `cannot read \`${expected.file}\`: it was written by a newer version of this program (format version ${identity.version}, this one reads up to ${CURRENT_VERSION})`,
    { hint: 'install the newer version again; the file has not been touched' },
  )
}

function refuseForeign(identity: z.infer<typeof Identity>, { format, corpId, file }: Expected) {
  if (identity.format !== format)
    throw new ManifestUnreadable(
      `cannot read \`${file}\`: its format is \`${identity.format}\`, not \`${format}\``,
      {
        hint: 'point `state` at another directory, or move the file away; it has not been touched',
      },
    )
  if (identity.corp_id !== corpId)
    throw new ConfigError(
      `cannot use \`${file}\`: it belongs to corp \`${identity.corp_id}\`, and the configuration names \`${corpId}\``,
      [],
      { hint: 'give each corp a `state` directory of its own, or correct `wecom.corpId`' },
    )
}

function parseWith<T>(schema: z.ZodType<T>, fields: unknown): T {
  const result = schema.safeParse(fields)
  if (result.success) return result.data
  throw new Damaged(`its head is not one: ${result.error.issues[0]?.path.join('.') || 'not JSON'}`)
}
