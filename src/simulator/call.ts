// Answers for what a call is, once it has arrived: where it goes, who makes it, and the log row that is kept of it.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Api } from './faults.ts'

/** One call on its way through the simulator. */
export interface Call {
  readonly api: Api
  readonly request: IncomingMessage
  readonly socket: IncomingMessage['socket']
  readonly query: URLSearchParams
  readonly callerIp: string
  /** Aborted when the caller hangs up or the simulator stops. */
  readonly signal: AbortSignal
}

const PATHS: Readonly<Record<string, Api>> = {
  '/cgi-bin/gettoken': 'gettoken',
  '/cgi-bin/media/upload': 'upload',
  '/cgi-bin/media/get': 'get',
  '/cgi-bin/media/get/jssdk': 'get-jssdk',
}

/** What a path calls, or undefined for one that the service does not know. */
export const apiAt = (path: string): Api | undefined =>
  Object.hasOwn(PATHS, path) ? PATHS[path] : undefined

/** IPv4 as people write it, also when the socket speaks IPv6. */
export const callerIpOf = (request: IncomingMessage): string =>
  (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')

/** What is noted of a call. Secrets and tokens travel in the query, so no query is kept, only what is harmless of it. */
export interface CallRow {
  readonly api: Api | 'unknown'
  readonly method: string
  readonly atMs: number
  readonly callerIp: string
  readonly headers: IncomingHttpHeaders
  /** The `type` of an upload. */
  readonly type?: string | undefined
  /** The `media_id` of a download. */
  readonly mediaId?: string | undefined
  /** The kind of the fault that befell it. */
  fault?: string
  /** Of the answer; missing while there is none, or when the caller never got one. */
  status?: number
  errcode?: number | undefined
  endedAtMs?: number
}

export interface CallLog {
  add(row: CallRow): CallRow
  /** The last ten thousand, in the order they arrived. */
  rows(): readonly CallRow[]
  /** Of all calls since the start. */
  counts(): Readonly<Record<Api | 'unknown', number>>
  clear(): void
}

const MOST_ROWS = 10_000

export function createCallLog(): CallLog {
  const none = () => ({ gettoken: 0, upload: 0, get: 0, 'get-jssdk': 0, unknown: 0 })
  let rows: CallRow[] = []
  let counts = none()
  return {
    add(row) {
      counts[row.api] += 1
      // Cut in halves, so that a full log does not cost a copy at every call.
      if (rows.length >= 2 * MOST_ROWS) rows = rows.slice(-MOST_ROWS)
      rows.push(row)
      return row
    },
    rows: () => rows.slice(-MOST_ROWS).map((row) => ({ ...row })),
    counts: () => ({ ...counts }),
    clear() {
      rows = []
      counts = none()
    },
  }
}
