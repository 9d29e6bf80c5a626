// Answers for the form in which a hook is told: one JSON object, a contract with every program that reads it. Fields may be added;
// readers ignore what they don't know. Pure.
import type { Delivery } from '../media/delivery.ts'
import { isAlive, safeUntilMs } from '../media/lifetime.ts'

export interface Circumstances {
  readonly corpId: string
  /** The folder, absolute. */
  readonly folder: string
  /** How often it has been tried since the daemon began, this time included. */
  readonly attempt: number
  /** On the service's clock. */
  readonly nowMs: number
}

const iso = (atMs: number) => new Date(atMs).toISOString()

/** The body. An id that may be dead by now is not handed out, as everywhere: then `media_id` is null. */
export const renderBody = (delivery: Delivery, about: Circumstances): Buffer =>
  Buffer.from(`${JSON.stringify(describe(delivery, about))}\n`)

function describe(delivery: Delivery, { corpId, folder, attempt, nowMs }: Circumstances) {
  const { id, hook, happening, atMs, path, oldPath, oldMediaId, because } = delivery
  return {
    format: 'wecom-media-mirror/event',
    version: 1,
    id,
    attempt,
    hook,
    event: happening,
    at: iso(atMs),
    corp_id: corpId,
    folder,
    path: path ?? null,
    old_path: oldPath ?? null,
    ...describeId(delivery, nowMs),
    old_media_id: happening === 'lost' ? delivery.mediaId : (oldMediaId ?? null),
    ...describeMedium(delivery),
    reference: describeReference(delivery),
    because: because ?? null,
  }
}

function describeId({ happening, mediaId, medium }: Delivery, nowMs: number) {
  if (happening === 'lost' || medium === undefined || !isAlive(medium, nowMs))
    return { media_id: null, safe_until: null, safe_for_ms: 0 }
  const untilMs = safeUntilMs(medium)
  return { media_id: mediaId, safe_until: iso(untilMs), safe_for_ms: untilMs - nowMs }
}

const describeMedium = ({ medium }: Delivery) => ({
  type: medium?.kind ?? null,
  created_at: medium ? iso(medium.createdAtMs) : null,
  expires_at: medium ? iso(medium.expiresAtMs) : null,
  size: medium?.sizeBytes ?? null,
  sha256: medium?.fingerprint ?? null,
  origin: medium?.origin ?? null,
})

const describeReference = ({ referenceId, from }: Delivery) =>
  referenceId === undefined ? null : { media_id: referenceId, from: from ?? null }
