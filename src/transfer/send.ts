// Answers for sending the bytes of one file to WeCom, and for what that gains: as its kind, or as a plain file where WeCom refuses the kind.
import { FileUnreadable, WecomRefused } from '../errors.ts'
import type { KindPolicy } from '../media/kind.ts'
import { planLife, type RenewalPolicy } from '../media/lifetime.ts'
import type { ManifestEntry, MediaId, MediaPath } from '../media/media.ts'
import type { Wecom } from '../wecom/wecom.ts'
import { fingerprintPassing } from './fingerprint.ts'
import type { Medium } from './medium.ts'
import { wireName } from './safe-name.ts'

/** What one upload gained, for every path that has the same bytes. */
export interface Gain {
  readonly mediaId: MediaId
  readonly kind: ManifestEntry['kind']
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly renewAtMs: number | undefined
  /** Of an id that is kept: what was landed is had back by the call that brought it. */
  readonly isHd?: true
}

/** Rejects with `FileUnreadable` when the bytes sent are not those that were read before, else with what WeCom said. */
export function createSend(deps: {
  readonly wecom: Pick<Wecom, 'upload'>
  readonly kindPolicy: KindPolicy
  readonly renewal: RenewalPolicy
  readonly random: () => number
}) {
  async function send(path: MediaPath, medium: Medium, signal: AbortSignal): Promise<Gain> {
    try {
      return await sendAs(medium.kind, path, medium, signal)
    } catch (error) {
      const downgrade = error instanceof WecomRefused && error.mayGoAsFile && medium.kind !== 'file'
      const fits = medium.sizeBytes <= deps.kindPolicy.limits.file.maxBytes
      if (!downgrade || !deps.kindPolicy.downgrade || !fits) throw error
      return sendAs('file', path, medium, signal)
    }
  }

  async function sendAs(
    kind: Gain['kind'],
    path: MediaPath,
    medium: Medium,
    signal: AbortSignal,
  ): Promise<Gain> {
    const sent =
      typeof medium.content === 'function' ? fingerprintPassing(medium.content) : undefined
    const request = {
      kind,
      wireName: wireName(path),
      sizeBytes: medium.sizeBytes,
      content: sent?.open ?? medium.content,
    }
    const receipt = await deps.wecom.upload(request, signal)
    if (sent && sent.fingerprint() !== medium.fingerprint)
      throw new FileUnreadable(
        `cannot upload \`${path}\`: its bytes changed while they were sent`,
        {
          hint: 'Nothing to do if this passes; the file is sent again once it stands still.',
        },
      )
    return {
      mediaId: receipt.mediaId,
      kind,
      ...planLife(receipt.createdAtMs, deps.renewal, deps.random()),
    }
  }

  return send
}
