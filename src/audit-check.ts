// Answers for asking WeCom whether one id is alive: by a single byte of its medium. Not for what is done about it.
import type { Readable } from 'node:stream'
import { isMirrorError } from './errors.ts'
import type { MediaId } from './media/media.ts'
import { isDeadId } from './transfer/dead-ids.ts'
import type { Wecom } from './wecom/wecom.ts'

/** `unclear`: refused for a reason that concerns this medium and not its life. */
export type Verdict = 'alive' | 'dead' | 'unclear'

const FIRST_BYTE = { firstByte: 0, lastByte: 0 }

/** Rejects with what is not about this id: WeCom is ill, out of reach, or the signal has fired. */
export async function checkId(
  wecom: Pick<Wecom, 'download'>,
  mediaId: MediaId,
  signal: AbortSignal,
): Promise<Verdict> {
  try {
    const { body } = await wecom.download({ mediaId, range: FIRST_BYTE }, signal)
    await discard(body)
    return 'alive'
  } catch (error) {
    if (isDeadId(error)) return 'dead'
    if (isMirrorError(error) && error.remedy === 'skip') return 'unclear'
    throw error
  }
}

/** Read to its end, which keeps the connection for the next; but a server that ignores ranges sends all of it. */
async function discard(body: Readable): Promise<void> {
  let sizeBytes = 0
  try {
    for await (const chunk of body) {
      sizeBytes += chunk.length
      if (sizeBytes > 1) break
    }
  } catch {
    // That there is a medium stood in the head of the answer; what becomes of its body proves nothing more.
  }
}
