// Answers for the rate that the settings allow and the slots can give, as one value for whoever plans ahead. Pure.
import type { Rate } from '../media/rate.ts'
import { createQuota, type QuotaShare } from './quota.ts'
import type { UploadTime } from './upload-time.ts'

const HOUR_MS = 3_600_000

/**
 * What can be kept up for hours without ever waiting longer than the windows make it: the tighter of both. A window's
 * calls are let go a bucket late, which is why this is a 240th below what the service would allow.
 */
export function allowedRate(settings: {
  readonly quota: QuotaShare
  readonly bandwidthBytesPerSecond: number | undefined
}): Rate {
  const { minute, hour } = createQuota(settings.quota)
  const sustained = [minute, hour].map(
    ({ window }) => (window.limit * HOUR_MS) / (window.spanMs + window.bucketMs),
  )
  return {
    callsPerHour: Math.max(1, Math.floor(Math.min(...sustained))),
    bytesPerSecond: settings.bandwidthBytesPerSecond,
  }
}

/** The same rate, and what so many slots can do of it when an upload takes each as long as was seen. */
export const withSlots = (rate: Rate, time: UploadTime | undefined, slots: number): Rate =>
  time
    ? { ...rate, slots: { perCallMs: time.perCallMs / slots, perByteMs: time.perByteMs / slots } }
    : rate
