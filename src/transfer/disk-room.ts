// Answers for downloads that never fill the disk: whether there is room for so many bytes more above a reserve that stays free, and for
// telling once when there is not. What is downloaded is fetched.ts's; what waits is tried again by the passes.
import { statfs } from 'node:fs/promises'
import { DiskShort } from '../errors.ts'
import type { MediaId } from '../media/media.ts'
import { renderSize } from '../media/size-text.ts'
import type { Emit } from '../support/events.ts'

/** What stays free for the manifest, the log and everyone else: so much of the disk, and of a large disk no more than this. */
const RESERVE_SHARE = 0.05
const MOST_RESERVED_BYTES = 256 * 2 ** 20

/** So many media are remembered as refused. */
const MOST_REFUSED = 10_000

const HINT = 'Make room on the disk; what waits is downloaded by itself as soon as there is.'

interface DiskSpace {
  /** For this user: without what the file system keeps for root. */
  readonly freeBytes: number
  readonly totalBytes: number
}

interface Shortage {
  readonly because: string
  readonly hint: string
}

export interface DiskRoom {
  /**
   * Rejects with `DiskShort` when so many bytes more of this medium would eat into the reserve: or as many as it was refused for
   * before, since only WeCom says how large it is, and is not to be asked again and again for what has no room.
   */
  require(moreBytes: number, of: MediaId): Promise<void>
  /** Looks anew, and tells when what was refused would be taken now. */
  lookAgain(): Promise<void>
}

export function createDiskRoom(deps: {
  readonly directory: string
  readonly measure: (directory: string) => Promise<DiskSpace>
  readonly emit: Emit
}): DiskRoom {
  const { directory, emit } = deps
  /** The most that was refused and would not be taken still. */
  let refusedBytes: number | undefined
  /** Of each medium that had no room. */
  const refused = new Map<MediaId, number>()

  /** Undefined when there is room for so many bytes more. */
  async function findShortage(moreBytes: number): Promise<Shortage | undefined> {
    const { freeBytes, totalBytes } = await deps.measure(directory)
    const reserveBytes = Math.floor(Math.min(totalBytes * RESERVE_SHARE, MOST_RESERVED_BYTES))
    if (refusedBytes !== undefined && freeBytes - reserveBytes >= refusedBytes) {
      refusedBytes = undefined
      emit({ kind: 'disk-roomy' })
    }
    if (freeBytes - reserveBytes >= moreBytes) return undefined
    const wanted = moreBytes > 0 ? renderSize(moreBytes) : 'anything'
    const because = `no room to download ${wanted} into \`${directory}\`: ${renderSize(freeBytes)} are free, and ${renderSize(reserveBytes)} stay free`
    return { because, hint: HINT }
  }

  return {
    async require(moreBytes, of) {
      const neededBytes = Math.max(moreBytes, refused.get(of) ?? 0)
      const shortage = await findShortage(neededBytes)
      refused.delete(of)
      if (!shortage) return
      if (refused.size < MOST_REFUSED) refused.set(of, neededBytes)
      if (refusedBytes === undefined) emit({ kind: 'disk-short', ...shortage })
      refusedBytes = Math.max(refusedBytes ?? 0, neededBytes)
      throw new DiskShort(shortage.because, shortage)
    },
    async lookAgain() {
      if (refusedBytes !== undefined) await findShortage(refusedBytes)
    },
  }
}

/** As the operating system tells it. */
export async function measureDisk(directory: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(directory)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}
