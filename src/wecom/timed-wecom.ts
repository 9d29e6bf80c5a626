// Wraps the port: takes the time of uploads, for whoever has to know what the slots can give. It lies below the quota, so that
// waiting for it does not count. Not counted either: what reading, committing and the pauses before a retry add to a call.
import type { Clock } from '../support/clock.ts'
import { NO_UPLOADS, recordUpload, type UploadTime, uploadTime } from './upload-time.ts'
import type { UploadRequest, Wecom } from './wecom.ts'

export interface TimedWecom extends Wecom {
  /** What one upload takes; undefined as long as too few were seen. */
  uploadTime(): UploadTime | undefined
}

export function createTimedWecom(deps: {
  readonly wecom: Wecom
  readonly clock: Pick<Clock, 'monotonicMs'>
}): TimedWecom {
  const { wecom, clock } = deps
  let times = NO_UPLOADS
  /** What earlier attempts took. It counts when a later one goes well: what fails for good, in an outage say, tells nothing. */
  const inVainMs = new WeakMap<UploadRequest, number>()

  return Object.freeze({
    async upload(request, signal) {
      const sentAtMs = clock.monotonicMs()
      const tookMs = () => (inVainMs.get(request) ?? 0) + clock.monotonicMs() - sentAtMs
      try {
        const receipt = await wecom.upload(request, signal)
        times = recordUpload(times, { sizeBytes: request.sizeBytes, tookMs: tookMs() })
        return receipt
      } catch (error) {
        inVainMs.set(request, tookMs())
        throw error
      }
    },
    download: wecom.download,
    uploadTime: () => uploadTime(times),
  } satisfies TimedWecom)
}
