// Answers for looking at a state when no daemon runs, or none that answers: the desk of those who only read, and take no lock.
import type { Config } from './config/config.ts'
import { describeHooks } from './hooks-in-force.ts'
import { readKnownTime } from './known-time.ts'
import { readManifest } from './manifest/read-manifest.ts'
import { measureCapacity, sumOfWork } from './plan/capacity.ts'
import { createReaderDesk, type ReadingDesk } from './serve/reader-desk.ts'
import type { Clock } from './support/clock.ts'
import { allowedRate } from './wecom/allowed-rate.ts'
import { createServiceClock } from './wecom/service-clock.ts'

/** The manifest as it is now, by the service's clock as the last daemon knew it. */
export async function openStateDesk(
  config: Config,
  clock: Pick<Clock, 'nowMs' | 'monotonicMs'>,
): Promise<ReadingDesk> {
  const { renewal, state, wecom } = config
  const manifest = await readManifest({ directory: state, corpId: wecom.corpId })
  const known = await readKnownTime(state)
  const rate = allowedRate({
    quota: wecom.quota,
    bandwidthBytesPerSecond: config.transfer.bandwidthBytesPerSecond,
  })
  return createReaderDesk({
    manifest,
    setUp: {
      corpId: wecom.corpId,
      folder: config.folder.path,
      state,
      notAvailableYet: config.notAvailableYet,
    },
    clock: createServiceClock({ clock, known, emit: () => {} }),
    lifetimeMs: renewal.lifetimeMs,
    capacity: async () => measureCapacity(sumOfWork(await manifest.workload()), rate, renewal),
    hooks: () => describeHooks(config, manifest),
    live: async () => undefined,
    circumstances: async () => undefined,
  })
}
