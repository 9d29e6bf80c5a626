// Answers for reading what older versions wrote: a ladder with one rung per version, climbed row by row on the way in.
// The first document written afterwards is in the current version; the one before is kept as the earlier generation.
import type { SectionName } from './row-forms.ts'

/** What this program writes, and the newest it reads. Fields may be added without a new version. */
export const CURRENT_VERSION = 1

/** Turns one row of version n into version n + 1; `RUNGS[0]` climbs from 1 to 2. */
type Rung = (section: SectionName, fields: unknown) => unknown

const RUNGS: readonly Rung[] = []

/** A row of `version` as the current version would have written it. */
export const upgradeRow = (version: number, section: SectionName, fields: unknown): unknown =>
  RUNGS.slice(version - 1).reduce((row, climb) => climb(section, row), fields)
