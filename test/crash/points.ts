// The labelled points at which the program is killed: between which two touches of the disk, or what is on the wire just then.
import type { FaultRule } from '../../src/simulator/faults.ts'
import type { Touch } from './deadly-files.ts'

/** One record of the journal, as far as it tells points apart. */
export interface JournalRecord {
  readonly media?: Readonly<
    Record<string, { media_id: string; sha256: string; origin: string } | null>
  >
  readonly references?: Readonly<Record<string, { state: string } | null>>
  readonly problems?: Readonly<Record<string, { code: string } | null>>
  readonly deliveries?: Readonly<Record<string, object | null>>
  readonly folder?: string
}

interface DiskPoint {
  readonly touch: Pick<Touch, 'when' | 'operation'>
  readonly file: RegExp
  /** In what is written or flushed, one record is this one. */
  readonly record?: (record: JournalRecord) => boolean
  /** It comes while the program starts, before anything is asked of it. */
  readonly atStart?: true
}

const JOURNAL = /^manifest\.journal\.\d+$/
const DOCUMENT = /^manifest\.json$/
const NEW_DOCUMENT = /^manifest\.json\.tmp$/

/** Files of this directory vanish and come back, and never change: what is recorded of one is its restore. */
export const VANISHING = 'vanishing/'

const rows = <T>(section: Readonly<Record<string, T | null>> | undefined): T[] =>
  Object.values(section ?? {}).filter((row) => row !== null)
const gains = ({ media }: JournalRecord) => rows(media).some(({ origin }) => origin === 'folder')
const isIn = (state: string, { references }: JournalRecord) =>
  rows(references).some((reference) => reference.state === state)
const lands = (record: JournalRecord) => isIn('landed', record)
const announcesLanding = (record: JournalRecord) =>
  !lands(record) && rows(record.media).some(({ origin }) => origin === 'reference')
const restores = ({ media }: JournalRecord) =>
  Object.keys(media ?? {}).some((path) => path.startsWith(VANISHING))
const isTold = ({ deliveries = {} }: JournalRecord) =>
  Object.values(deliveries).some((delivery) => delivery === null)
const forgets = ({ problems }: JournalRecord) =>
  rows(problems).some(({ code }) => code === 'FORGOTTEN')

const before = (operation: Touch['operation']) => ({ when: 'before', operation }) as const
const after = (operation: Touch['operation']) => ({ when: 'after', operation }) as const

export const DISK_POINTS = {
  'marker placed, not recorded': {
    touch: before('write'),
    file: JOURNAL,
    record: ({ folder }) => folder !== undefined,
    atStart: true,
  },
  'uploaded, not recorded': { touch: before('write'), file: JOURNAL, record: gains },
  'in mid-record': { touch: { when: 'amid', operation: 'write' }, file: JOURNAL, record: gains },
  'in mid-repair': { touch: after('truncate'), file: JOURNAL, atStart: true },
  'recorded, not flushed': { touch: before('datasync'), file: JOURNAL, record: gains },
  'flushed, not acknowledged': { touch: after('datasync'), file: JOURNAL, record: gains },
  'new journal without a word in it': { touch: before('write'), file: JOURNAL, record: isHeader },
  'in mid-document': { touch: { when: 'amid', operation: 'write' }, file: NEW_DOCUMENT },
  'document written, not renamed': { touch: after('sync'), file: NEW_DOCUMENT },
  'document replaced, earlier generation moved, directory not flushed': {
    touch: after('rename'),
    file: /^manifest\.previous\.json$/,
  },
  'document renamed, directory not flushed': { touch: after('rename'), file: DOCUMENT },
  'old journal not removed': { touch: before('unlink'), file: JOURNAL },
  'reference flushed, not acknowledged': {
    touch: after('datasync'),
    file: JOURNAL,
    record: (record) => isIn('accepted', record),
  },
  'landing recorded, not renamed': {
    touch: after('datasync'),
    file: JOURNAL,
    record: announcesLanding,
  },
  'renamed, landing not recorded as done': { touch: before('write'), file: JOURNAL, record: lands },
  'landed and flushed, not told': { touch: after('datasync'), file: JOURNAL, record: lands },
  'restored, not recorded': { touch: before('write'), file: JOURNAL, record: restores },
  'hook told, not recorded': { touch: before('write'), file: JOURNAL, record: isTold },
  'hook told and recorded': { touch: after('datasync'), file: JOURNAL, record: isTold },
  'forgotten, file not deleted': { touch: after('datasync'), file: JOURNAL, record: forgets },
} as const satisfies Readonly<Record<string, DiskPoint>>

/** Known by what the service sees; the program is killed as it stands there, unaltered. */
export const WIRE_POINTS = {
  'in mid-upload': { when: { api: 'upload', times: 1 }, fault: { kind: 'stall' } },
  'uploaded, answer under way': {
    when: { api: 'upload', times: 1 },
    fault: { kind: 'stall', at: 'mid-body' },
  },
  'in mid-download': {
    when: { api: 'get', times: 1 },
    fault: { kind: 'stall', at: 'mid-body' },
  },
} as const satisfies Readonly<Record<string, FaultRule>>

export type DiskPointName = keyof typeof DISK_POINTS
export type WirePointName = keyof typeof WIRE_POINTS

/** The records in what is written to a journal. */
export const recordsIn = (text: string): JournalRecord[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line.slice(line.indexOf(' ') + 1)))

export function isAt(name: DiskPointName, touch: Touch): boolean {
  const point: DiskPoint = DISK_POINTS[name]
  return (
    point.touch.when === touch.when &&
    point.touch.operation === touch.operation &&
    point.file.test(touch.name) &&
    (point.record === undefined || recordsIn(touch.text).some(point.record))
  )
}

function isHeader(record: object): boolean {
  return 'format' in record
}
