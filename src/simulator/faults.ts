// Answers for trouble on demand: which calls it befalls, and in what order rules are asked. Not for doing it.
import { z } from 'zod'

/** What can be called; faults, limits and the log of calls tell these apart. */
const APIS = ['gettoken', 'upload', 'get', 'get-jssdk'] as const
export type Api = (typeof APIS)[number]

const faultSchema = z.discriminatedUnion('kind', [
  /** Refused with this number; a text given replaces the live form as a whole. */
  z.strictObject({ kind: z.literal('errcode'), errcode: z.int(), errmsg: z.string().optional() }),
  /** A proxy's HTML instead of the service's JSON; the call does not reach the service. */
  z.strictObject({ kind: z.literal('gateway-page'), status: z.int().min(400).max(599) }),
  /** The call is performed, but only half of a JSON answer comes, as if that were all. */
  z.strictObject({ kind: z.literal('half-json') }),
  /** The call is performed, but the answer has no body. */
  z.strictObject({ kind: z.literal('empty') }),
  /**
   * The connection is reset: before the call takes effect, after it has, or in the middle of a body
   * (of the request at an upload, of the answer elsewhere).
   */
  z.strictObject({
    kind: z.literal('reset'),
    at: z.enum(['before-store', 'after-store', 'mid-body']),
  }),
  /** Silence, for so long or for ever, then the usual answer; `mid-body` means after half of the answer. */
  z.strictObject({
    kind: z.literal('stall'),
    forMs: z.int().nonnegative().optional(),
    at: z.enum(['start', 'mid-body']).default('start'),
  }),
  /** The usual answer, so much later. */
  z.strictObject({ kind: z.literal('delay'), ms: z.int().nonnegative() }),
  /**
   * More than zero: so many bytes more are announced than come before the connection ends.
   * Less than zero: so many are cut off the end, and the length announced agrees.
   */
  z.strictObject({
    kind: z.literal('wrong-length'),
    byBytes: z
      .int()
      .refine((bytes) => bytes !== 0, 'must not be 0')
      .default(10),
  }),
])

const whenSchema = z.strictObject({
  api: z.enum(APIS).optional(),
  /** Only for downloads of this medium. */
  mediaId: z.string().optional(),
  /** The first matching call it befalls, counted from 1; alone it means that one only. */
  nth: z.int().positive().optional(),
  /** How many calls it befalls at most. */
  times: z.int().positive().optional(),
  /** Befalls this share of the matching calls, drawn by `seed`. */
  rate: z.number().min(0).max(1).optional(),
  seed: z.int().optional(),
})

export const faultRuleSchema = z.strictObject({ when: whenSchema.default({}), fault: faultSchema })

/** A rule as one writes it. */
export type FaultRule = z.input<typeof faultRuleSchema>
/** The trouble itself, defaults filled in. */
export type Fault = z.output<typeof faultSchema>
type When = z.output<typeof whenSchema>

interface Trouble {
  /** Of all delays that apply. */
  readonly delayMs: number
  /** Of the first other rule that applies. */
  readonly fault: Exclude<Fault, { kind: 'delay' }> | undefined
}

export interface FaultBook {
  add(rule: FaultRule): { readonly id: number; remove(): void }
  remove(id: number): boolean
  clear(): void
  /** What befalls this call; counts it in every rule that it matches. */
  pick(call: { api: Api; mediaId: string | undefined }): Trouble
}

const MOST_RULES = 1_000

export function createFaultBook(): FaultBook {
  const rules = new Map<number, { fault: Fault; befalls: ReturnType<typeof createCondition> }>()
  let lastId = 0
  return {
    add(written) {
      const { when, fault } = faultRuleSchema.parse(written)
      if (rules.size >= MOST_RULES) throw new RangeError(`cannot add a fault: ${MOST_RULES} exist`)
      const id = ++lastId
      rules.set(id, { fault, befalls: createCondition(when) })
      return { id, remove: () => void rules.delete(id) }
    },
    remove: (id) => rules.delete(id),
    clear: () => rules.clear(),
    pick(call) {
      let delayMs = 0
      let first: Trouble['fault']
      for (const { fault, befalls } of rules.values()) {
        // A rule is asked only when its fault would show, so that `times` counts what was seen.
        if (fault.kind !== 'delay' && first) continue
        if (!befalls(call)) continue
        if (fault.kind === 'delay') delayMs += fault.ms
        else first = fault
      }
      return { delayMs, fault: first }
    },
  }
}

function createCondition(when: When) {
  const from = when.nth ?? 1
  const times = when.times ?? (when.nth === undefined ? Number.POSITIVE_INFINITY : 1)
  const random = createRandom(when.seed ?? 1)
  let matched = 0
  let befallen = 0
  return (call: { api: Api; mediaId: string | undefined }): boolean => {
    if (when.api !== undefined && when.api !== call.api) return false
    if (when.mediaId !== undefined && when.mediaId !== call.mediaId) return false
    matched += 1
    if (matched < from || befallen >= times) return false
    if (when.rate !== undefined && random() >= when.rate) return false
    befallen += 1
    return true
  }
}

/** The same numbers in [0, 1) for the same seed, for ever: the generator known as mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
