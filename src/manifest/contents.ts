// Answers for the manifest in memory: the rows and the indexes that questions are answered from. This is lowdb's `data`.
// Altered only by `apply`, and only with what is durable already.
import { setImmediate } from 'node:timers/promises'
import type { Delivery } from '../media/delivery.ts'
import type { Fingerprint, ManifestEntry, MediaPath, Problem, Reference } from '../media/media.ts'
import type { Alteration } from './alteration.ts'
import { type Calendar, createCalendar } from './calendar.ts'
import { createFingerprintIndex } from './fingerprint-index.ts'
import type { Row } from './row.ts'
import { createShelf, type Shelf } from './shelf.ts'

export interface Contents {
  readonly media: Pick<Shelf<ManifestEntry>, 'find' | 'count' | 'snapshot'>
  readonly references: Pick<Shelf<Reference>, 'find' | 'count' | 'snapshot'>
  readonly problems: Pick<Shelf<Problem>, 'find' | 'count' | 'snapshot'>
  readonly deliveries: Pick<Shelf<Delivery>, 'find' | 'count' | 'snapshot'>
  folder(): string | undefined
  pathsWith(fingerprint: Fingerprint): readonly MediaPath[]
  /** Entries that are kept alive, by `renewAtMs`. */
  readonly renewals: Pick<Calendar<Renewable>, 'find'>
  /** The same, by `expiresAtMs`. */
  readonly deaths: Pick<Calendar<Renewable>, 'find' | 'slices'>
  apply(alteration: Alteration): void
}

/** An entry that is kept alive; the others, references that landed, stand in no order of renewal. */
type Renewable = ManifestEntry & { readonly renewAtMs: number }

/** The rows that a document held. */
export interface Tables {
  readonly media: readonly Row<ManifestEntry>[]
  readonly references: readonly Row<Reference>[]
  readonly problems: readonly Row<Problem>[]
  readonly deliveries: readonly Row<Delivery>[]
  readonly folder: string | undefined
}

export const EMPTY_TABLES: Tables = {
  media: [],
  references: [],
  problems: [],
  deliveries: [],
  folder: undefined,
}

export function createContents(tables: Tables): Contents {
  const { contents, filling } = assemble(tables)
  for (const _ of filling);
  return contents
}

/** The same for as many rows as a document may hold: other work goes on meanwhile. */
export async function createContentsOfMany(tables: Tables): Promise<Contents> {
  const { contents, filling } = assemble(tables)
  for (const _ of filling) await setImmediate()
  return contents
}

/** After so many rows other work may go on. */
const ROWS_PER_TURN = 1000

/** Complete when `filling` has come to its end. */
function assemble(tables: Tables): { contents: Contents; filling: Generator<void> } {
  const media = createShelf<ManifestEntry>()
  const references = createShelf<Reference>()
  const problems = createShelf<Problem>()
  const deliveries = createShelf<Delivery>()
  const fingerprints = createFingerprintIndex()
  const renewals = createCalendar<Renewable>((entry) => entry.renewAtMs)
  const deaths = createCalendar<Renewable>((entry) => entry.expiresAtMs)
  let folder = tables.folder

  const replace = (
    before: Row<ManifestEntry> | undefined,
    after: Row<ManifestEntry> | undefined,
  ) => {
    // A renewal leaves the bytes what they are.
    if (before?.value.fingerprint !== after?.value.fingerprint) {
      if (before) fingerprints.remove(before.value.fingerprint, before.value.path)
      if (after) fingerprints.add(after.value.fingerprint, after.value.path)
    }
    if (before && isRenewable(before)) {
      renewals.remove(before)
      deaths.remove(before)
    }
    if (after && isRenewable(after)) {
      renewals.put(after)
      deaths.put(after)
    }
  }

  const applyToMedia = (key: string, row: Row<ManifestEntry> | undefined) =>
    replace(row === undefined ? media.drop(key) : media.put(row), row)

  function* fill(): Generator<void> {
    yield* inTurns(tables.media, (row) => applyToMedia(row.key, row))
    yield* inTurns(tables.references, references.put)
    yield* inTurns(tables.problems, problems.put)
    yield* inTurns(tables.deliveries, deliveries.put)
  }

  const contents: Contents = {
    media,
    references,
    problems,
    deliveries,
    folder: () => folder,
    pathsWith: (fingerprint) => fingerprints.find(fingerprint),
    renewals,
    deaths,
    apply(alteration) {
      if (alteration.section === 'folder') folder = alteration.folder
      else if (alteration.section === 'media') applyToMedia(alteration.key, alteration.row)
      else if (alteration.section === 'references') applyTo(references, alteration)
      else if (alteration.section === 'problems') applyTo(problems, alteration)
      else applyTo(deliveries, alteration)
    },
  }
  return { contents, filling: fill() }
}

function* inTurns<T>(rows: readonly T[], put: (row: T) => unknown): Generator<void> {
  for (const [at, row] of rows.entries()) {
    if (at % ROWS_PER_TURN === 0) yield
    put(row)
  }
}

function applyTo<T>(
  shelf: Shelf<T>,
  { key, row }: { readonly key: string; readonly row: Row<T> | undefined },
) {
  if (row === undefined) shelf.drop(key)
  else shelf.put(row)
}

const isRenewable = (row: Row<ManifestEntry>): row is Row<Renewable> =>
  row.value.renewAtMs !== undefined
