// Wraps the port: a call whose token was refused is made once more, since there is another token by then. It lies outside the
// quota, where the repetition waits for its own turn and is counted like every call; the token itself is the wire's business.
import { WecomRefused } from '../errors.ts'
import { asPassing } from './http-wecom.ts'
import type { Wecom } from './wecom.ts'

/** When the new token is refused too, time has to cure it: the retry waits seconds, the circuit minutes. */
export function createFreshTokenWecom(wecom: Wecom): Wecom {
  return Object.freeze({
    upload: (request, signal) => attempt(() => wecom.upload(request, signal)),
    download: (request, signal) => attempt(() => wecom.download(request, signal)),
  } satisfies Wecom)
}

const attempt = <Result>(call: () => Promise<Result>): Promise<Result> =>
  call().catch((error: unknown) => {
    if (!isTokenRefused(error)) throw error
    return call().catch((again: unknown) => {
      throw isTokenRefused(again) ? asPassing(again) : again
    })
  })

const isTokenRefused = (error: unknown): error is WecomRefused =>
  error instanceof WecomRefused && error.remedy === 'refresh-token'
