// Answers for not beginning what would be in vain while this machine does not give what it takes: no id is fetched that cannot be
// recorded, no medium that has no room. And for telling such a failure from one that is the file's own. How long: disk-guard.ts.
import { randomBytes } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HostUnable, isSystemError, isUnwritable, type MirrorError } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { createTempName } from '../media/temp-name.ts'
import type { Step } from '../plan/step.ts'
import type { Clock } from '../support/clock.ts'
import { describeErrno } from '../support/errno.ts'
import type { Emit } from '../support/events.ts'
import { createDiskGuard } from './disk-guard.ts'
import type { Perform } from './perform.ts'

/** Of the machine, whatever is being done. */
const OF_HANDLES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE'])
/** Of the folder's disk, where something is written to it. */
const OF_FOLDER: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'])

const HINTS: Readonly<Record<string, string>> = {
  EMFILE: 'raise the limit of open files (LimitNOFILE= in the unit, ulimit -n)',
  ENFILE: 'raise fs.file-max, or find out what else holds so many files open',
  EROFS:
    'make the disk of the folder writable (a file system is remounted read-only after a fault)',
  EIO: 'check the disk of the folder',
}

/** Room for many a medium; where a larger one finds none, disk-guard.ts asks ever more rarely. */
const PROBE_BYTES = 2 ** 20
/** What a few transfers hold open at once. */
const PROBE_HANDLES = 16

export interface HeldSteps {
  /** The same manifest; what it cannot record is known here. */
  readonly manifest: Manifest
  hold(perform: Perform): Perform
  /** Why nothing at all is begun, or nothing that brings a medium into the folder; undefined while it is. */
  error(of: 'everything' | 'downloads'): MirrorError | undefined
  stop(): Promise<void>
}

interface HeldStepsDeps {
  readonly manifest: Manifest
  readonly root: string
  readonly clock: Pick<Clock, 'nowMs' | 'after'>
  readonly emit: Emit
  readonly onBug: (error: unknown) => void
}

export function createHeldSteps(deps: HeldStepsDeps): HeldSteps {
  const { manifest, root } = deps
  const state = createDiskGuard({ ...deps, of: 'state', probe: () => manifest.probe() })
  const folder = createDiskGuard({ ...deps, of: 'folder', probe: () => probeFolder(root) })
  const handles = createDiskGuard({ ...deps, of: 'handles', probe: () => probeHandles(root) })

  const error: HeldSteps['error'] = (of) =>
    state.error() ?? handles.error() ?? (of === 'downloads' ? folder.error() : undefined)

  function asHosts(step: Step, failure: unknown): unknown {
    if (failure instanceof HostUnable) handles.refused(failure)
    if (!isSystemError(failure) || failure.code === undefined) return failure
    const isHandles = OF_HANDLES.has(failure.code)
    if (!isHandles && !(isBrought(step) && OF_FOLDER.has(failure.code))) return failure
    const unable = createUnable(`cannot ${step.kind} \`${step.path}\``, failure.code, failure)
    const guard = isHandles ? handles : folder
    guard.refused(unable)
    return unable
  }

  return {
    manifest: {
      ...manifest,
      async commit(changes) {
        try {
          await manifest.commit(changes)
        } catch (failure) {
          if (isUnwritable(failure)) state.refused(failure)
          throw failure
        }
      },
    },
    hold: (perform) => async (step, signal) => {
      const held = error(isBrought(step) ? 'downloads' : 'everything')
      if (held) throw held
      try {
        await perform(step, signal)
      } catch (failure) {
        throw asHosts(step, failure)
      }
    },
    error,
    async stop() {
      for (const guard of [state, folder, handles]) await guard.stop()
    },
  }
}

const isBrought = ({ kind }: Step): boolean =>
  kind === 'restore' || kind === 'land' || kind === 'take'

const createUnable = (what: string, code: string, cause?: unknown): HostUnable =>
  new HostUnable(`${what}: ${describeErrno(code)}`, {
    hint: `${HINTS[code] ?? 'free space on the disk of the folder'}; it goes on by itself after that`,
    cause,
  })

/** Writes into the folder what nobody takes for a medium, and takes it away again. */
async function probeFolder(root: string): Promise<void> {
  const file = join(root, createTempName(randomBytes(8).toString('hex')))
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile(Buffer.alloc(PROBE_BYTES))
    await handle.sync()
  } finally {
    await handle.close()
    await rm(file, { force: true })
  }
}

async function probeHandles(root: string): Promise<void> {
  const opened = await Promise.allSettled(Array.from({ length: PROBE_HANDLES }, () => open(root)))
  for (const one of opened) if (one.status === 'fulfilled') await one.value.close()
  const refused = opened.find((one) => one.status === 'rejected')
  if (refused) throw refused.reason
}
