// Wraps the port: no call leaves while the circuit is open, and what comes of each, after every retry, is told to the circuit
// and to the concurrency. The outermost wrapper: it changes neither calls nor answers.
import { finished, type Readable } from 'node:stream'
import { isMirrorError } from '../errors.ts'
import type { Outcome } from './ailment.ts'
import type { Circuit } from './circuit.ts'
import type { Concurrency, Direction } from './concurrency.ts'
import type { Wecom } from './wecom.ts'

export function createObservedWecom(deps: {
  readonly wecom: Wecom
  readonly circuit: Pick<Circuit, 'enter'>
  readonly concurrency: Pick<Concurrency, 'enter'>
}): Wecom {
  const { wecom } = deps

  /** The way to tell what comes of the call that leaves now. */
  function enter(direction: Direction): (outcome: Outcome) => void {
    const tellCircuit = deps.circuit.enter()
    const tellConcurrency = deps.concurrency.enter(direction)
    return (outcome) => {
      // The circuit last: whoever it wakes asks at once how many may go.
      tellConcurrency(outcome)
      tellCircuit(outcome)
    }
  }

  return Object.freeze({
    async upload(request, signal) {
      const tell = enter('uploads')
      try {
        const receipt = await wecom.upload(request, signal)
        tell('well')
        return receipt
      } catch (error) {
        tell(asOutcome(error))
        throw error
      }
    },
    async download(request, signal) {
      const tell = enter('downloads')
      try {
        const download = await wecom.download(request, signal)
        hearToItsEnd(download.body, signal, tell)
        return download
      } catch (error) {
        tell(asOutcome(error))
        throw error
      }
    },
  } satisfies Wecom)
}

/** A good head proves little: lines that break break in the body. Listens to the end and takes no byte of it. */
function hearToItsEnd(body: Readable, signal: AbortSignal, tell: (outcome: Outcome) => void) {
  finished(body, { writable: false }, (error) => {
    // Whoever had enough dropped it: as far as it was wanted, it came.
    const isDropped = error && !isMirrorError(error) && !signal.aborted
    tell(error && !isDropped ? asOutcome(error) : 'well')
  })
}

/** A bug or a call that we gave up ourselves says nothing about the service. */
const asOutcome = (error: unknown): Outcome => (isMirrorError(error) ? error : 'nothing')
