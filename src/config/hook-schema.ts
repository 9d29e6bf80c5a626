// Answers for the form of `on:` in the file: which programs are told of what, and how.
import { z } from 'zod'
import { HAPPENINGS } from '../media/delivery.ts'
import { DEFAULTS } from './defaults.ts'
import { count, duration, list, mapping, oneOf, text } from './fields.ts'
import { secret } from './secret-field.ts'

/** Each may keep thousands of deliveries waiting. */
const MOST_HOOKS = 10
const happening = oneOf(HAPPENINGS)
const EVENTS = `one of ${HAPPENINGS.map((word) => `\`${word}\``).join(', ')}, or a list of them`
const WORD = 'a word of the command'

const hook = mapping({
  name: text('a name of letters, digits, `.`, `_` and `-`', /^[\w.-]{1,64}$/)
    .optional()
    .describe('What it is called in `status` and in the log; by default after what it does.'),
  event: z
    .union([happening, list(happening).min(1, 'at least one event')], EVENTS)
    .describe('What it is told of: a medium landed, got its first id, another id, or is lost.'),
  match: text('a glob such as `posters/**`', /\S/)
    .optional()
    .describe('Which paths, as a glob relative to the folder; by default all.'),
  run: list(text(WORD, /^[^\0]*$/))
    .min(1, 'a command and its arguments')
    .optional()
    .describe('A command and its arguments, without a shell; the JSON is on its standard input.'),
  post: secret(/^https?:\/\/[\x21-\x7e]+$/, 'an http or https address')
    .optional()
    .describe('Where the JSON is posted to (webhook 地址). Kept like a secret: it may hold a key.'),
  token: secret(/^[\x21-\x7e]+$/, 'a token')
    .optional()
    .describe('Sent with `post` as `Authorization: Bearer …`.'),
  secret: secret(/^[\x21-\x7e]+$/, 'a secret')
    .optional()
    .describe('Signs what is posted: `X-Signature-256` is the HMAC-SHA256 of the body (签名密钥).'),
  timeout: duration(100)
    .prefault(DEFAULTS.on.timeout)
    .describe('A command is killed after that long, a request given up; then it is tried again.'),
  giveUpAfter: duration(1_000)
    .prefault(DEFAULTS.on.giveUpAfter)
    .describe('What is older and still cannot be told is given up, and reported.'),
  concurrency: count(1, 16)
    .prefault(DEFAULTS.on.concurrency)
    .describe('So many at once, for different paths; those of one path always in their order.'),
})

export const hooks = list(hook)
  .max(MOST_HOOKS, `at most ${MOST_HOOKS} hooks`)
  .prefault([])
  .describe('Programs that are told when a medium landed, got an id, or is lost (事件钩子).')
