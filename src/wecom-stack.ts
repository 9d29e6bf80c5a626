// Answers for the order in which the wrappers of the WeCom port lie on each other, from the wire outwards.
import { join } from 'node:path'
import type { Config } from './config/config.ts'
import { resolveSecret } from './config/secret.ts'
import type { Rate } from './media/rate.ts'
import { createSimulator } from './simulator/simulator.ts'
import { type Clock, systemClock } from './support/clock.ts'
import type { Emit } from './support/events.ts'
import { allowedRate, withSlots } from './wecom/allowed-rate.ts'
import { createBandwidth } from './wecom/bandwidth.ts'
import { createCircuit } from './wecom/circuit.ts'
import { createConcurrency } from './wecom/concurrency.ts'
import { createFreshTokenWecom } from './wecom/fresh-token-wecom.ts'
import { createHttpExchange } from './wecom/http-exchange.ts'
import { createTokenFetch } from './wecom/http-token.ts'
import { createHttpWecom } from './wecom/http-wecom.ts'
import { type CallBook, createLimitedWecom } from './wecom/limited-wecom.ts'
import { createObservedWecom } from './wecom/observed-wecom.ts'
import { createPacedWecom } from './wecom/paced-wecom.ts'
import { createRetryingWecom } from './wecom/retrying-wecom.ts'
import { createServiceClock, type KnownServiceTime } from './wecom/service-clock.ts'
import { createTimedWecom } from './wecom/timed-wecom.ts'
import { createTokenSource } from './wecom/token.ts'
import type { Wecom } from './wecom/wecom.ts'

export interface WecomStackDeps {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Sockets know only real time, whatever clock the decisions are given; what the silence of a line is measured by. */
  readonly lineClock?: Pick<Clock, 'after'> | undefined
  readonly random: () => number
  readonly emit: Emit
  readonly onBug: (error: unknown) => void
  /** What `serviceClock.known()` said when the program last ran. */
  readonly known?: KnownServiceTime | undefined
  /** Where calls are written down for the next run. */
  readonly book?: CallBook | undefined
}

/** The port to WeCom, from the wire outwards: quota, a second call with a new token, retries, and the circuit that sees what came of it all. */
export async function createWecomStack(
  config: Config,
  deps: WecomStackDeps,
  /** What is to be given back at the end, in the order of its making. */
  closers: (() => Promise<void> | void)[],
) {
  const { clock, random, emit } = deps
  const warn = (message: string) => emit({ kind: 'warned', message, hint: undefined })
  const { corpId } = config.wecom
  const secret = await resolveSecret(
    { key: 'wecom.secret', source: config.wecom.secret },
    { env: deps.env, warn },
  )
  // The simulator is in this process: no proxy can lead there.
  const { baseUrl, proxy } =
    config.wecom.baseUrl === 'simulator'
      ? { baseUrl: await startSimulator(config, deps, closers), proxy: undefined }
      : config.wecom
  const serviceClock = createServiceClock({ clock, emit, known: deps.known })
  const circuit = createCircuit({ clock, random, emit })
  const concurrency = createConcurrency({ clock, most: config.transfer, emit })
  const exchange = createHttpExchange({
    baseUrl,
    clock: deps.lineClock ?? systemClock,
    proxy,
    environment: deps.env,
  })
  const fetchToken = createTokenFetch({ exchange, corpId, secret, clock, serviceClock })
  const tokens = createTokenSource({ clock, fetchToken, emit })
  const wire = createHttpWecom({ exchange, tokens, serviceClock })
  const timed = createTimedWecom({ wecom: paceWecom(wire, config), clock })
  const limited = createLimitedWecom({
    wecom: timed,
    clock,
    quota: config.wecom.quota,
    book: deps.book,
  })
  const retrying = createRetryingWecom({
    wecom: createFreshTokenWecom(limited),
    clock,
    random,
    mayRepeat: () => circuit.state().kind === 'closed',
  })
  const observed = createObservedWecom({ wecom: retrying, circuit, concurrency })
  const allowed = allowedRate({
    quota: config.wecom.quota,
    bandwidthBytesPerSecond: config.transfer.bandwidthBytesPerSecond,
  })
  /** What may be used and can be, as things stand. */
  const rate = (): Rate => withSlots(allowed, timed.uploadTime(), concurrency.slots().uploads)
  closers.push(() => exchange.close())
  closers.push(() => limited.stop())
  closers.push(() => circuit.stop())
  return { wecom: observed, circuit, concurrency, serviceClock, rate, waitMs: limited.waitMs }
}

/** Without a limit nothing lies in between. Like sockets, it knows only real time. */
function paceWecom(wecom: Wecom, { transfer }: Config): Wecom {
  const { bandwidthBytesPerSecond: bytesPerSecond } = transfer
  if (bytesPerSecond === undefined) return wecom
  return createPacedWecom({
    wecom,
    bandwidth: createBandwidth({ clock: systemClock, bytesPerSecond }),
  })
}

async function startSimulator(
  config: Config,
  { clock, onBug }: WecomStackDeps,
  closers: (() => Promise<void> | void)[],
): Promise<string> {
  const simulator = createSimulator({
    clock,
    report: onBug,
    directory: join(config.state, 'simulator'),
    mediaLifetimeMs: config.renewal.lifetimeMs,
  })
  const { baseUrl } = await simulator.start()
  closers.push(() => simulator.stop())
  return baseUrl
}
