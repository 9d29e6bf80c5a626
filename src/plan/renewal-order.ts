// Answers for which step comes first when not all can be performed at once. Pure; reads no clock.
import { isAlive } from '../media/lifetime.ts'
import type { Step } from './step.ts'

/** Who competes with whom: each lane has its own slots, so that a bulk of new files cannot starve renewals, nor they it. */
export type Lane = 'local' | 'renewal' | 'fresh' | 'download'

export function laneOf(step: Step): Lane {
  switch (step.kind) {
    case 'renew':
      return 'renewal'
    case 'upload':
      return 'fresh'
    case 'restore':
    case 'land':
      return 'download'
    case 'forget':
    case 'report-lost':
    case 'drop-problem':
      return 'local'
  }
}

/**
 * Within a lane the smaller rank goes first. Renewals and downloads go by deadline, what still lives before what is
 * dead; of the dead the youngest first. Of new files the one that changed last, so that a file dropped
 * in during a bulk upload is not behind the whole bulk.
 */
export function rankOf(step: Step, nowMs: number): number {
  switch (step.kind) {
    case 'renew':
    case 'restore':
      return isAlive(step.entry, nowMs)
        ? step.entry.expiresAtMs
        : AFTER_ALL_DEADLINES_MS - step.entry.expiresAtMs
    case 'upload':
      return -step.file.changedAtMs
    case 'land':
      return step.reference.createdAtMs ?? step.reference.acceptedAtMs
    case 'forget':
    case 'report-lost':
    case 'drop-problem':
      return 0
  }
}

/** Beyond every real deadline (year 9999 in ms is 2.5e14), still exact in a double. */
const AFTER_ALL_DEADLINES_MS = 2 ** 52
