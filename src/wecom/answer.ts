// Answers for reading what WeCom says in JSON: what is a yes, what is a no, and what is not WeCom at all.
import { z } from 'zod'
import { type Remedy, WecomRefused } from '../errors.ts'
import { findErrcode, parseFromIp } from './errcode.ts'
import type { Answer } from './http-exchange.ts'
import { createForeignAnswerError } from './unreachable.ts'

/** What is being done, in words: "upload `a.jpg`". And what must never be repeated in a message. */
export interface Call {
  readonly what: string
  readonly secrets: readonly string[]
  /** Its body holds a medium, which may be too large for what stands in between. */
  readonly sendsFile?: boolean
}

const MAX_JSON_BYTES = 64 * 1024
const MAX_ERRMSG_CHARS = 400

/** Numbers come as numbers or as strings, depending on the call and on the installation. */
export const wireNumber = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d{1,18}$/)
    .transform(Number),
])

// 企业号 answers had no errcode, and a good answer may have an empty errmsg.
const statusSchema = z.looseObject({
  errcode: wireNumber.optional().default(0),
  errmsg: z.string().nullish(),
})

/** The JSON of a good answer, or the error it stands for. The body is read to its end, at most 64 KB of it. */
export async function readAnswer<Schema extends z.ZodType>(
  answer: Answer,
  schema: Schema,
  call: Call,
): Promise<z.output<Schema>> {
  const bytes = await readBounded(answer, call)
  const json = parseJson(bytes)
  if (json === undefined) {
    throw createForeign(answer, bytes.length === 0 ? 'an empty body' : 'not JSON', call)
  }
  const refusal = findRefusal(json, call)
  if (refusal) throw refusal
  if (answer.status !== 200) throw createForeign(answer, 'no errcode', call)
  const parsed = schema.safeParse(json)
  if (!parsed.success) throw createForeign(answer, 'JSON without what was asked for', call)
  return parsed.data
}

/** Whether it can be what the service says of a call, be it a yes or a no. */
export const isStatus = (json: unknown): boolean => statusSchema.safeParse(json).success

/** The refusal in a JSON body, if it is one. */
export function findRefusal(json: unknown, call: Call): WecomRefused | undefined {
  const status = statusSchema.safeParse(json)
  if (!status.success || status.data.errcode === 0) return undefined
  return createRefusal(status.data.errcode, status.data.errmsg ?? '', call)
}

/** A "no", sorted by the table; `better` is what the call knows better. */
export function createRefusal(
  errcode: number,
  rawErrmsg: string,
  call: Call,
  better?: { readonly remedy: Remedy; readonly hint: string },
): WecomRefused {
  const row = { ...findErrcode(errcode), ...better }
  const errmsg = cleanErrmsg(rawErrmsg, call.secrets)
  const fromIp = parseFromIp(errmsg)
  const said = errmsg === '' ? '' : `: ${errmsg}`
  return new WecomRefused(
    `cannot ${call.what}: ${row.meaning} (errcode ${errcode}${said})`,
    { errcode, errmsg, remedy: row.remedy, fromIp, mayGoAsFile: row.tryAsFile === true },
    { hint: fromIp && row.remedy === 'stop' ? `${row.hint}; WeCom saw ${fromIp}` : row.hint },
  )
}

/** Waits for the reading, then notes the answer's `Date`: only if WeCom gave it, be it a yes or a no; not a gateway's. */
export async function noteDate<Result>(
  answer: Answer,
  sawDate: (dateHeader: string | undefined) => void,
  reading: Promise<Result>,
): Promise<Result> {
  try {
    const result = await reading
    sawDate(answer.headers.date)
    return result
  } catch (error) {
    if (error instanceof WecomRefused) sawDate(answer.headers.date)
    throw error
  }
}

/** The whole body, as long as it can be an answer in JSON. */
export async function readBounded(answer: Answer, call: Call): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of answer.body) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > MAX_JSON_BYTES)
      throw createForeign(answer, 'longer than any answer of WeCom', call)
  }
  return Buffer.concat(chunks)
}

/** JSON, or undefined for anything else. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

const createForeign = (answer: Answer, what: string, { sendsFile = false }: Call) =>
  createForeignAnswerError(answer.target, { status: answer.status, what, sendsFile })

function cleanErrmsg(errmsg: string, secrets: readonly string[]): string {
  let clean = errmsg
  for (const secret of secrets) {
    const inQuery = new URLSearchParams({ '': secret }).toString().slice(1)
    for (const form of [secret, encodeURIComponent(secret), inQuery]) {
      clean = clean.replaceAll(form, '***')
    }
  }
  return clean.replace(/\p{Cc}+/gu, ' ').slice(0, MAX_ERRMSG_CHARS)
}
