// Answers for the forms a single value of the file can have. Every message here is what was expected, without the word:
// explain.ts makes "expected …, got …" of it, so no message here can leak a value.
import { validate as isCronExpression } from 'node-cron'
import { z } from 'zod'
import { DURATION_PATTERN, parseDuration, renderDuration } from './duration.ts'
import { LISTEN_PATTERN, parseListen } from './listen.ts'
import { isPathTemplate, KNOWN_NAMES } from './path-template.ts'
import { PERCENT_PATTERN, parseShare } from './share.ts'
import { parseSize, renderSize, SIZE_PATTERN } from './size.ts'

/** A text in a form of ours: editors see the pattern, the program gets what `parse` makes of it. */
function parsed<T>(form: {
  expected: string
  pattern: RegExp
  parse: (text: string) => T | undefined
}) {
  const { expected, pattern, parse } = form
  return z
    .string(expected)
    .regex(pattern, expected)
    .transform((text, context) => {
      const value = parse(text)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: expected })
      return z.NEVER
    })
}

/** A text that stays as it is, if `accepts` does. */
export const text = (
  expected: string,
  pattern: RegExp,
  accepts: (text: string) => boolean = () => true,
) => parsed({ expected, pattern, parse: (value) => (accepts(value) ? value : undefined) })

/** No duration may exceed this: beyond ten years somebody meant something else. */
const MAX_DURATION_MS = 3650 * 86_400_000

/** A duration, in milliseconds from here on. */
export const duration = (minMs: number) =>
  parsed({
    expected: `a duration such as \`90s\`, \`12h\` or \`3d\`${minMs > 0 ? `, at least ${renderDuration(minMs)}` : ''}`,
    pattern: DURATION_PATTERN,
    parse(value) {
      const durationMs = parseDuration(value)
      const fits = durationMs !== undefined && durationMs >= minMs && durationMs <= MAX_DURATION_MS
      return fits ? durationMs : undefined
    },
  })

/** A size, in bytes from here on. */
export const size = (minBytes: number) =>
  parsed({
    expected: `a size such as \`10MB\` or \`512KB\`, at least ${renderSize(minBytes)}`,
    pattern: SIZE_PATTERN,
    parse(value) {
      const bytes = parseSize(value)
      return bytes !== undefined && bytes >= minBytes ? bytes : undefined
    },
  })

/** `unlimited` (undefined from here on), or what may travel in a second. */
export const bandwidth = () => {
  const expected = '`unlimited` or a size per second such as `5MB`, at least 1 KB'
  const limited = parsed({
    expected,
    pattern: SIZE_PATTERN,
    parse(value) {
      const bytes = parseSize(value)
      return bytes !== undefined && bytes >= 1024 ? bytes : undefined
    },
  })
  return z.union([z.literal('unlimited').transform(() => undefined), limited], expected)
}

/** `50%` or 0.5; 0.5 from here on. */
export const share = () => {
  const expected = 'a share above 0 and at most 1, such as `50%` or 0.5'
  const form = z.union(
    [z.string().regex(PERCENT_PATTERN, expected), z.number().gt(0, expected).max(1, expected)],
    expected,
  )
  return form.transform((value, context) => {
    const part = parseShare(value)
    if (part !== undefined) return part
    context.addIssue({ code: 'custom', message: expected })
    return z.NEVER
  })
}

/** A whole number between two bounds, both included. */
export function count(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`
  return z.int(expected).min(min, expected).max(max, expected)
}

/** True or false; `yes` and `on` are plain text in YAML 1.2. */
export const flag = () => z.boolean('`true` or `false`')

/** One of a few words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, `one of ${words.map((word) => `\`${word}\``).join(', ')}`)

/** A list; every element that is wrong is reported. */
export const list = <Element extends z.ZodType>(element: Element) => z.array(element, 'a list')

/** A mapping that knows all its keys. */
export const mapping = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, 'a mapping of keys to values')

/** Who may read a file, as for `chmod`; never more than its owner may write it. */
export const fileMode = () =>
  parsed({
    expected: '`"0600"`, `"0640"` or `"0644"`, in quotes',
    pattern: /^0(?:600|640|644)$/,
    parse: (text) => Number.parseInt(text, 8),
  })

/** A mapping that may be left out: its keys have defaults, or say themselves that they are required. */
export const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  mapping(shape).prefault({} as never)

/** A path on this machine, as written: it is made absolute later, when the place of the file is known. */
export const path = (what: string) =>
  text(
    `${what}: a path (neither \`~\` nor variables are expanded)`,
    /^[^\0]+$/,
    (value) => !/^(~|\$|file:)/.test(value),
  )

/** When to start a pass, in the words of node-cron. */
export const schedule = () =>
  text(
    'a cron expression of five fields such as `*/5 * * * *`, or six with the seconds first',
    /^\S+( +\S+){4,5}$/,
    isCronExpression,
  )

/** `host:port` or `unix:PATH`. */
export const listen = () =>
  text(
    '`host:port` such as `127.0.0.1:8787`, or `unix:` and the path of a socket',
    LISTEN_PATTERN,
    (value) => parseListen(value) !== undefined,
  )

/** Where downloads go. */
export const pathTemplate = () =>
  text(
    `a path inside the folder, no part beginning with a dot, \`{name}\` in its last part (known: ${KNOWN_NAMES})`,
    /\{name\}[^/]*$/,
    isPathTemplate,
  )

/** An http or https address; with a user and password in it only where that is usual. */
export function isHttpUrl(value: string, options: { credentials: boolean }): boolean {
  if (/\s/.test(value) || !URL.canParse(value)) return false
  const url = new URL(value)
  const named = url.username !== '' || url.password !== ''
  return /^https?:$/.test(url.protocol) && url.hash === '' && (options.credentials || !named)
}
