// How the rounds end, in which order: every labelled point in its turn, moments of chance in between.
import { DISK_POINTS, type DiskPointName, WIRE_POINTS, type WirePointName } from './points.ts'

export type Death =
  | { readonly kind: 'disk'; readonly point: DiskPointName }
  | { readonly kind: 'wire'; readonly point: WirePointName }
  /** At any moment while it lives, or while it starts. */
  | { readonly kind: 'moment' }
  | { readonly kind: 'start' }
  /** Right before the program's n-th call of the system's of these names, wherever that is. */
  | { readonly kind: 'system-call'; readonly calls: string; readonly nth: number }

export const nameOf = (death: Death): string =>
  death.kind === 'system-call'
    ? `${death.calls} ${death.nth}`
    : 'point' in death
      ? death.point
      : `at any moment of its ${death.kind === 'start' ? 'start' : 'life'}`

/** These come at one place only: on a folder without a marker, and after a record that was cut short. */
const FIRST = 'marker placed, not recorded'
const TORN = 'in mid-record'
const AFTER_TORN = 'in mid-repair'

const POINTS: readonly Death[] = [
  ...keysOf(DISK_POINTS)
    .filter((point) => point !== FIRST && point !== AFTER_TORN)
    .map((point) => ({ kind: 'disk', point }) as const),
  ...keysOf(WIRE_POINTS).map((point) => ({ kind: 'wire', point }) as const),
]

/** In a long run as many deaths are of chance as are at a point. */
export function planDeaths(rounds: number, chance: () => number): Death[] {
  const deaths: Death[] = [{ kind: 'disk', point: FIRST }]
  const least = POINTS.length + 2
  const ofChance = Math.min(Math.max(rounds - least, 1), least)
  while (deaths.length < rounds) {
    const block = [...POINTS, ...Array.from({ length: ofChance }, () => deathOfChance(chance))]
    for (const death of shuffle(block, chance)) {
      deaths.push(death)
      if ('point' in death && death.point === TORN) deaths.push({ kind: 'disk', point: AFTER_TORN })
    }
  }
  return deaths.slice(0, rounds)
}

const deathOfChance = (chance: () => number): Death => ({
  kind: chance() < 0.7 ? 'moment' : 'start',
})

function shuffle<T>(some: readonly T[], chance: () => number): T[] {
  return some
    .map((one) => [chance(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)
}

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(table) as K[]
}
