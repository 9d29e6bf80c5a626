// Answers for whether everything that is kept alive can be renewed in time at the rate that is allowed: a feasibility test over
// the coming deaths, not a guess. Pure. Not for which media are renewed, nor for their order (renewal-order.ts).
import type { WorkloadSlice } from '../manifest/manifest.ts'
import type { RenewalPolicy } from '../media/lifetime.ts'
import type { Rate } from '../media/rate.ts'

/** An amount of uploads. */
export interface Work {
  readonly count: number
  readonly sizeBytes: number
}

/** All of it together. */
export const sumOfWork = (parts: readonly Work[]): Work => ({
  count: parts.reduce((sum, { count }) => sum + count, 0),
  sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
})

/** Pace and pressure are parts of the allowed rate: 1 is all of it, and more is more than there is. */
export interface Outlook {
  /** The lowest constant rate, from now on, at which every medium is renewed by `before` its death. */
  readonly pace: number
  /** The same for the deaths themselves: what may not be spent on anything else, or something dies. */
  readonly pressure: number
  /** How long the rate takes for all that lives. */
  readonly roundMs: number
}

/** How long the rate takes for the work when nothing else is done: as long as its tightest limit. */
export function workMs(work: Work, rate: Rate): number {
  const { quota, bandwidth, slots } = workMsByLimit(work, rate)
  return Math.max(quota, bandwidth, slots)
}

/** What may hold work back. */
export type Limit = 'quota' | 'bandwidth' | 'slots'

/** How long each of the limits would take for it alone; 0 for one that there is not, or of which nothing is known. */
const workMsByLimit = ({ count, sizeBytes }: Work, rate: Rate): Record<Limit, number> => ({
  quota: (count / rate.callsPerHour) * HOUR_MS,
  bandwidth: rate.bytesPerSecond ? (sizeBytes / rate.bytesPerSecond) * 1000 : 0,
  slots: rate.slots ? count * rate.slots.perCallMs + sizeBytes * rate.slots.perByteMs : 0,
})

/**
 * What the coming deaths ask for. To meet a deadline, everything that is due before it must be done before it, so each
 * deadline asks for a rate: all the work until then, spread over the time until then. The greatest of them meets all.
 */
export function foresee(
  slices: readonly WorkloadSlice[],
  rate: Rate,
  policy: RenewalPolicy,
  nowMs: number,
): Outlook {
  const shortestMs = policy.lifetimeMs / SHORTEST_SPAN_PART
  let work: Work = { count: 0, sizeBytes: 0 }
  let pace = 0
  let pressure = 0
  for (const { untilMs, count, sizeBytes } of slices) {
    // The dead have no deadline any more; they are renewed with what the living leave.
    if (untilMs <= nowMs) continue
    work = { count: work.count + count, sizeBytes: work.sizeBytes + sizeBytes }
    const neededMs = workMs(work, rate)
    pressure = Math.max(pressure, neededMs / (untilMs - nowMs))
    // What is late already, or nearly, is due and waits to be sent: the near end says nothing about what to start early.
    pace = Math.max(pace, neededMs / Math.max(untilMs - policy.beforeMs - nowMs, shortestMs))
  }
  return { pace, pressure, roundMs: workMs(work, rate) }
}

/** What the folder asks of the rate, in the long run. */
export interface Capacity {
  readonly media: Work
  /** From one upload to the next of the same medium, on average. */
  readonly meanAgeMs: number
  readonly needed: { readonly callsPerHour: number; readonly bytesPerSecond: number }
  readonly allowed: Rate
  /** So many such media the slots have been seen to give; undefined as long as too little was seen. */
  readonly slotCallsPerHour: number | undefined
  /** The limit that is reached first. */
  readonly limit: Limit
  /**
   * `without-reserve`: everything stays alive only as long as nothing goes wrong, since there is no time to renew `before` the
   * death; `too-much`: some of it will be dead at any time, however it is ordered.
   */
  readonly fits: 'yes' | 'without-reserve' | 'too-much'
  /** So many media of the present mean size can be kept alive, with their reserve. */
  readonly mostMedia: number
}

/** The rate that keeping all of this alive takes, against the rate that is allowed. */
export function measureCapacity(media: Work, rate: Rate, policy: RenewalPolicy): Capacity {
  const meanAgeMs = policy.lifetimeMs - policy.beforeMs - policy.spreadMs / 2
  const byLimit = workMsByLimit(media, rate)
  const roundMs = workMs(media, rate)
  return {
    media,
    meanAgeMs,
    needed: {
      callsPerHour: (media.count / meanAgeMs) * HOUR_MS,
      bytesPerSecond: (media.sizeBytes / meanAgeMs) * 1000,
    },
    allowed: rate,
    slotCallsPerHour: byLimit.slots > 0 ? (media.count / byLimit.slots) * HOUR_MS : undefined,
    limit: tightest(byLimit),
    fits:
      roundMs <= meanAgeMs ? 'yes' : roundMs <= policy.lifetimeMs ? 'without-reserve' : 'too-much',
    mostMedia: roundMs === 0 ? Infinity : Math.floor((media.count * meanAgeMs) / roundMs),
  }
}

/**
 * Where the bandwidth is used up it makes every upload last, so that slots seem to give no more than it does: then it is
 * the limit, unless they give a tenth less.
 */
function tightest({ quota, bandwidth, slots }: Record<Limit, number>): Limit {
  if (slots > quota && slots * SLOTS_SLACK > bandwidth) return 'slots'
  return bandwidth > quota ? 'bandwidth' : 'quota'
}

/**
 * The work to begin before it is due, so that what came together does not fall due together: the pace, since it was last
 * asked for, less what fell due by itself. Negative when more fell due than the pace asked for; that is remembered.
 */
export function earlyCreditMs(
  before: { readonly creditMs: number; readonly sinceMs: number },
  outlook: Outlook,
  dueMs: number,
  policy: RenewalPolicy,
): number {
  const pace = Math.min(outlook.pace, 1)
  const most = (pace * policy.lifetimeMs) / SHORTEST_SPAN_PART
  const credit = before.creditMs + pace * before.sinceMs - dueMs
  return Math.max(-most, Math.min(credit, most))
}

/** Below this a herd is no burden to anybody, and nothing is renewed before it is due. */
export const isWorthLeveling = ({ roundMs }: Outlook): boolean => roundMs >= HERD_FROM_MS

/** As many media as the allowed rate renews in three minutes: some 3,700 at half of the corp's quota. */
const HERD_FROM_MS = 3 * 60 * 1000
const SLOTS_SLACK = 0.9
/** One hour of three days. */
const SHORTEST_SPAN_PART = 72
const HOUR_MS = 60 * 60 * 1000
