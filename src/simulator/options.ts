// Answers for what can be set about the built-in WeCom, and for the defaults, which are what is documented of the real one.
import { z } from 'zod'
import { ENTERPRISE_ACCOUNT_LIMITS, type Limits, WECOM_LIMITS } from '../media/limits.ts'

const MB = 2 ** 20
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const count = z.int().nonnegative()
const limit = z.int().positive()

const kindLimits = z.strictObject({
  maxBytes: limit,
  formats: z.union([z.literal('any'), z.array(z.string())]),
  maxDurationMs: limit.optional(),
})

const limits = z
  .union([
    z.enum(['wecom', 'enterprise-account']),
    z.strictObject({ image: kindLimits, voice: kindLimits, video: kindLimits, file: kindLimits }),
  ])
  .default('wecom')
  .transform((chosen): Limits => {
    if (chosen === 'wecom') return WECOM_LIMITS
    return chosen === 'enterprise-account' ? ENTERPRISE_ACCOUNT_LIMITS : (chosen as Limits)
  })

const rate = z.strictObject({
  /** Calls of one corp to one API; the block that follows lasts a minute (45009). */
  perMinute: limit.default(10_000),
  /** The same by the hour; the block lasts an hour (45009). */
  perHour: limit.default(150_000),
  /** Calls of one corp to one API at the same time (45033). Unpublished; seen at 400 and more. */
  concurrent: limit.default(400),
})

const wrongSecrets = z.strictObject({
  /** After so many within an hour the caller's whole address is blocked (45009). "Many", says the page; this is our guess. */
  count: limit.default(20),
  blockMs: limit.default(HOUR_MS),
})

const credential = z.strictObject({ corpId: z.string().min(1), secret: z.string().min(1) })

const schema = z.strictObject({
  /** Who may have a token: anyone who names a corp and a secret, or these. */
  credentials: z.union([z.literal('any'), z.array(credential)]).default('any'),
  /** How long a medium lives. */
  mediaLifetimeMs: limit.default(3 * DAY_MS),
  /** How long a token lives; told in seconds as `expires_in`. */
  tokenLifetimeMs: limit.default(2 * HOUR_MS),
  /** What gettoken gives while a token is alive: that one, or a new one that kills it (as on the Official Account). */
  repeatedToken: z.enum(['same', 'new']).default('same'),
  /** What a token that was once good is answered with. */
  expiredTokenErrcode: z.union([z.literal(40014), z.literal(42001)]).default(42001),
  /** What each kind may be. */
  limits,
  rate: rate.prefault({}),
  wrongSecrets: wrongSecrets.prefault({}),
  /** Whether an upload may come without a Content-Length, or is refused with HTTP 412. */
  chunkedUpload: z.enum(['accept', 'refuse']).default('accept'),
  /** Larger request bodies are refused unread (40206). */
  maxBodyBytes: limit.default(64 * MB),
  /** How a download announces its name; all four have been seen. */
  dispositionForm: z
    .enum(['star-and-raw', 'plain', 'empty-base', 'missing'])
    .default('star-and-raw'),
  /** The undocumented `Error-Code` and `Error-Msg` headers; a gateway in between may drop them. */
  errorHeaders: z.boolean().default(true),
  /** Addresses that may use their tokens; others get 60020. Without a list, all may. */
  trustedIps: z.array(z.string()).optional(),
  /** Media larger than this must be fetched in ranges, and no range may be longer (830002). */
  rangeRequiredAboveBytes: limit.default(20 * MB),
  /** Waited before every answer. */
  latencyMs: count.default(0),
  /** How far the service's clock is ahead of the one it was given: `Date` and `created_at` tell this time. */
  clockSkewMs: z.int().default(0),
  /** Whether `/_simulator/…` is served: the controls for programs in another process. */
  controls: z.boolean().default(false),
})

/** What the built-in WeCom can be told, in plain values; everything has a default. */
export type SimulatorOptions = z.input<typeof schema>

/** The same with every default filled in. */
export type SimulatorSettings = Readonly<z.output<typeof schema>>

/** The settings from plain values, as they come from a command line or a file; every mistake in one message. */
export function parseSimulatorOptions(plain: unknown): SimulatorSettings {
  const parsed = schema.safeParse(plain)
  if (parsed.success) return parsed.data
  throw new TypeError(`cannot set up the simulator:\n${z.prettifyError(parsed.error)}`)
}
