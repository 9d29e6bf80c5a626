// The port to WeCom: the two calls a mirror needs. Answers for their meaning, not for how they travel.
import type { Readable } from 'node:stream'
import type { MediaId, MediaKind } from '../media/media.ts'

export interface Wecom {
  /**
   * Stores one medium and answers with its new id.
   * Rejects with `WecomRefused` (the service said no) or `WecomUnreachable` (it did not say anything sensible).
   */
  upload(request: UploadRequest, signal: AbortSignal): Promise<UploadReceipt>
  /**
   * Fetches a medium, or one range of it. Resolves once the answer is known to be a medium and not an error in disguise;
   * its body then fails with `WecomUnreachable` when it ends before its announced length.
   */
  download(request: DownloadRequest, signal: AbortSignal): Promise<Download>
}

export interface UploadRequest {
  readonly kind: MediaKind
  /** The name that receivers see; raw UTF-8 on the wire, already made safe. */
  readonly wireName: string
  readonly sizeBytes: number
  /** The bytes. A function is called once for every attempt: a token refresh or a retry reads the file again. */
  readonly content: Buffer | (() => Readable)
}

export interface UploadReceipt {
  readonly mediaId: MediaId
  /** The service's `created_at`, never later than the moment just before the upload began, on the service's clock. */
  readonly createdAtMs: number
}

export interface DownloadRequest {
  readonly mediaId: MediaId
  /** By the interface that gives voices in high definition, which knows no other media (path/90391). */
  readonly isHd?: boolean
  /** Both ends inclusive, as in HTTP. Above 20 MB the service insists on ranges (830002). */
  readonly range?: { readonly firstByte: number; readonly lastByte: number }
}

export interface Download {
  readonly body: Readable
  /** As the sender chose it, `filename*` before `filename`; hostile until made safe. */
  readonly announcedName: string | undefined
  readonly contentType: string | undefined
  /** Of this answer's body; undefined when the service did not say. */
  readonly sizeBytes: number | undefined
  /** Of the whole medium, from `Content-Range` or the length of an unranged answer. */
  readonly totalBytes: number | undefined
}
