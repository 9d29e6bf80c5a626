// Wraps the port: tells the circuit what came of each call, after every retry. The outermost wrapper; changes nothing.
import { isMirrorError } from '../errors.ts'
import type { Circuit } from './circuit.ts'
import type { Wecom } from './wecom.ts'

export function createObservedWecom(deps: {
  readonly wecom: Wecom
  readonly circuit: Pick<Circuit, 'observe'>
}): Wecom {
  const { wecom, circuit } = deps

  async function observe<Result>(call: Promise<Result>): Promise<Result> {
    try {
      const result = await call
      circuit.observe('well')
      return result
    } catch (error) {
      if (isMirrorError(error)) circuit.observe(error)
      throw error
    }
  }

  return Object.freeze({
    upload: (request, signal) => observe(wecom.upload(request, signal)),
    download: (request, signal) => observe(wecom.download(request, signal)),
  } satisfies Wecom)
}
