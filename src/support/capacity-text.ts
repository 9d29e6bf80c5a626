// Answers for how it is put to a person what keeping everything alive takes, and which setting helps when that is too much. Pure.
import { renderSize } from '../media/size-text.ts'
import type { Capacity } from '../plan/capacity.ts'
import { seconds } from './span-text.ts'

/** The numbers in one line, and what they come to. */
export function renderCapacity({
  media,
  meanAgeMs,
  needed,
  allowed,
  slotCallsPerHour,
  limit,
  fits,
  mostMedia,
}: Capacity): string {
  const seen =
    limit === 'slots' && slotCallsPerHour !== undefined
      ? ` and of the ${Math.floor(slotCallsPerHour)} that the upload slots give`
      : ''
  const calls = `${renderRate(needed.callsPerHour)} of the ${allowed.callsPerHour} calls/h allowed${seen}`
  if (media.count === 0) return `nothing to keep alive: it takes ${calls}`
  const bytes =
    allowed.bytesPerSecond === undefined
      ? ''
      : ` and ${renderSpeed(needed.bytesPerSecond)} of ${renderSpeed(allowed.bytesPerSecond)}`
  const verdict = {
    yes: `that fits, and up to ${mostMedia} such media would`,
    'without-reserve': `that is more than can be renewed in time, and whatever goes wrong costs ids; ${mostMedia} such media would fit`,
    'too-much': `some of them will be dead at any time; ${mostMedia} such media would fit`,
  }[fits]
  return `${media.count} media (${renderSize(media.sizeBytes)}), each renewed every ${seconds(meanAgeMs)} on average, take ${calls}${bytes}: ${verdict}`
}

/** What to do about it; undefined when everything fits. */
export function adviseOnCapacity({
  needed,
  allowed,
  slotCallsPerHour,
  limit,
  fits,
  mostMedia,
}: Capacity): string | undefined {
  if (fits === 'yes') return undefined
  const callsPart = needed.callsPerHour / allowed.callsPerHour
  const bytesPart = needed.bytesPerSecond / (allowed.bytesPerSecond ?? Infinity)
  const slotsPart = needed.callsPerHour / (slotCallsPerHour ?? Infinity)
  const scarce = [
    // Uploads that last because others fill the line are not made faster by more of them.
    ...(limit === 'slots' && slotsPart > 1 ? ['`transfer.uploads`'] : []),
    ...(callsPart > 1 ? ['`wecom.quota.share`'] : []),
    ...(bytesPart > 1 ? ['`transfer.bandwidth`'] : []),
  ].join(' and ')
  // Renewing as late as can be helps only where everything could be renewed once in a lifetime.
  const later = fits === 'without-reserve' ? ', lower `renewal.before` or `renewal.spread`,' : ''
  return `Raise ${scarce}${later} or keep at most ${mostMedia} media in the folder.`
}

function renderRate(perHour: number): string {
  if (perHour > 0 && perHour < 0.1) return 'less than 0.1'
  return perHour < 10 ? String(Number(perHour.toFixed(1))) : String(Math.ceil(perHour))
}

const renderSpeed = (bytesPerSecond: number): string => `${renderSize(Math.ceil(bytesPerSecond))}/s`
