// Answers for one call from its arrival to the last byte of its answer: wait, limits, faults, the call itself, delivery.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import type { Clock } from '../support/clock.ts'
import type { Call, CallRow } from './call.ts'
import { deliver, planDelivery, releaseBody, untilAborted } from './delivery.ts'
import type { Fault, FaultBook } from './faults.ts'
import type { SimulatorSettings } from './options.ts'
import type { RateGate } from './rate-gate.ts'
import { type Reply, renderReply } from './reply.ts'

export interface ExchangeDeps {
  readonly clock: Clock
  readonly settings: () => SimulatorSettings
  readonly faults: FaultBook
  readonly gate: RateGate
  /** Who calls, as far as limits are concerned. */
  readonly corpOf: (call: Call) => string
  readonly perform: (call: Call) => Promise<Reply>
}

/** Performs whole calls; rejects when the caller hangs up or something breaks. */
export function createExchange(deps: ExchangeDeps) {
  const { clock, settings } = deps

  const pauseFor = (call: Call) => (forMs: number | undefined) =>
    forMs === undefined ? untilAborted(call.signal) : clock.sleep(forMs, call.signal)

  async function send(call: Call, response: ServerResponse, row: CallRow, answer: Answer) {
    const { reply, fault } = answer
    // Proxies buffer a request before they pass it on, so the service answers only after it has read.
    const isUnread = reply.kind === 'gateway-page' || ('unread' in reply && reply.unread)
    if (call.request.method === 'POST' && !isUnread) await readToEnd(call.request, call.signal)
    const { callerIp } = call
    const shownMs = clock.nowMs() + settings().clockSkewMs
    const { errorHeaders } = settings()
    const wire = renderReply(reply, { nowMs: shownMs, callerIp, errorHeaders })
    const delivery = planDelivery(wire, fault)
    row.status = wire.status
    row.errcode = delivery.ending === 'complete' ? wire.errcode : undefined
    const date = new Date(shownMs).toUTCString()
    await deliver(response, delivery, { date, pause: pauseFor(call), signal: call.signal })
  }

  /** The part of a fault that strikes before the call takes effect; an answer ends the matter. */
  async function strike(
    call: Call,
    fault: Fault | undefined,
  ): Promise<Reply | 'reset' | undefined> {
    if (fault?.kind === 'errcode') {
      return { kind: 'refusal', errcode: fault.errcode, errmsg: fault.errmsg }
    }
    if (fault?.kind === 'gateway-page') return fault
    if (fault?.kind === 'stall' && fault.at === 'start') await pauseFor(call)(fault.forMs)
    if (fault?.kind !== 'reset' || fault.at === 'after-store') return undefined
    if (fault.at === 'mid-body' && call.api !== 'upload') return undefined
    if (fault.at === 'mid-body') await readHalf(call.request)
    else await readToEnd(call.request, call.signal)
    return 'reset'
  }

  async function answerWith(call: Call, fault: Fault | undefined): Promise<Answer | 'reset'> {
    const struck = await strike(call, fault)
    if (struck === 'reset') return 'reset'
    if (struck) return { reply: struck, fault: undefined }
    const reply = await deps.perform(call)
    if (fault?.kind !== 'reset' || fault.at !== 'after-store') return { reply, fault }
    if (reply.kind === 'medium') releaseBody(reply)
    return 'reset'
  }

  async function pass(call: Call, response: ServerResponse, row: CallRow) {
    const { delayMs, fault } = deps.faults.pick({
      api: call.api,
      mediaId: call.query.get('media_id') ?? undefined,
    })
    if (fault) row.fault = fault.kind
    else if (delayMs > 0) row.fault = 'delay'
    if (delayMs > 0) await clock.sleep(delayMs, call.signal)
    const answer = await answerWith(call, fault)
    if (answer === 'reset') call.socket.resetAndDestroy()
    else await send(call, response, row, answer)
  }

  return async function exchange(call: Call, response: ServerResponse, row: CallRow) {
    const { latencyMs } = settings()
    if (latencyMs > 0) await clock.sleep(latencyMs, call.signal)
    const caller = `${call.api} ${deps.corpOf(call)}`
    const errcode = deps.gate.enter(caller)
    if (errcode !== undefined) {
      const reply = { kind: 'refusal', errcode } as const
      return send(call, response, row, { reply, fault: undefined })
    }
    try {
      await pass(call, response, row)
    } finally {
      deps.gate.leave(caller)
    }
  }
}

interface Answer {
  readonly reply: Reply
  readonly fault: Fault | undefined
}

async function readToEnd(request: IncomingMessage, signal: AbortSignal) {
  if (request.readableEnded) return
  request.resume()
  await finished(request, { signal })
}

async function readHalf(request: IncomingMessage) {
  const half = Number(request.headers['content-length'] ?? 0) / 2
  let seen = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    seen += chunk.length
    if (seen >= half) return
  }
}
