// Answers for what a scenario says: sizes, settings and what befalls the mirror when. The list of them is scenarios.ts.
import type { RenewalPolicy } from '../../src/media/lifetime.ts'
import type { Grade } from './modelled-state.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** What happens from outside, at an hour after the beginning. */
export type Incident =
  | { readonly kind: 'outage'; readonly atHours: number; readonly hours: number }
  /** The clock on the wall is set; the service's is not. */
  | { readonly kind: 'leap'; readonly atHours: number; readonly byHours: number }
  | { readonly kind: 'drop-in'; readonly atHours: number; readonly files: number }
  /** The share of the quota is another from here on, and the mirror is restarted for it. */
  | { readonly kind: 'share'; readonly atHours: number; readonly share: number }

export interface Scenario {
  readonly name: string
  readonly media: number
  readonly days: number
  readonly grade: Grade
  /** `leveled`: every medium has an id already, of any age that a mirror in its stride would have. `bulk`: none has. */
  readonly begins: 'leveled' | 'bulk'
  /** Part of the corp's quota that the mirror may use. */
  readonly share: number
  /** Part of the calls that fail. */
  readonly faultRate: number
  /** Uploads at a time. */
  readonly slots: number
  /** How long WeCom takes to answer, at the least. */
  readonly shortestAnswerMs: number
  readonly restartEveryHours?: number
  readonly incidents: readonly Incident[]
  /** What is asserted beyond what always is; see verdict.ts. */
  readonly expects: readonly Expectation[]
}

export type Expectation =
  /** Nothing dies. */
  | 'nothing-dies'
  /** From the second lifetime on no hour has more than one and a half times the calls of the mean hour. */
  | 'flat'
  /** What dies after an outage is the fewest that can, and the drain loses no time. */
  | 'best-drain'
  /** Hardly more than that: where a call takes long, some die while theirs is under way. */
  | 'good-drain'

/** The defaults of the configuration. */
export const RENEWAL: RenewalPolicy = {
  lifetimeMs: 72 * HOUR_MS,
  beforeMs: 24 * HOUR_MS,
  spreadMs: 8 * HOUR_MS,
}
export const CORP_QUOTA = { perMinute: 10_000, perHour: 150_000 } as const
export const UPLOAD_SLOTS = 4
export const SHORTEST_ANSWER_MS = 40
export const TICK_MS = 5 * MINUTE_MS
