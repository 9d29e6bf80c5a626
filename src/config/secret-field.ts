// Answers for the form of a secret in the file: the text itself, or one place where it is. Not for reading it (secret.ts).
import { z } from 'zod'
import type { SecretSource } from './config.ts'
import { mapping, path, text } from './fields.ts'

const PLACES = 'exactly one of `file`, `env` and `credential`'

const place = mapping({
  file: path('the file that holds the secret')
    .optional()
    .describe('A file whose only line is the secret.'),
  env: text('the name of an environment variable', /^[A-Za-z_][A-Za-z0-9_]*$/)
    .optional()
    .describe('The name of an environment variable.'),
  credential: text('the name of a systemd credential', /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/)
    .optional()
    .describe('The name of a credential that systemd hands over (LoadCredential=).'),
}).transform(({ file, env, credential }, context): SecretSource => {
  const places = [
    ...(file === undefined ? [] : [{ file }]),
    ...(env === undefined ? [] : [{ env }]),
    ...(credential === undefined ? [] : [{ credential }]),
  ]
  const [only] = places
  if (only !== undefined && places.length === 1) return only
  context.addIssue({ code: 'custom', message: PLACES })
  return z.NEVER
})

/** A secret: text that fits the pattern, or a place. What was found instead is never part of a message. */
export function secret(pattern: RegExp, what: string) {
  const plain = text(`${what}, as text`, pattern).transform(
    (value): SecretSource => ({ text: value }),
  )
  return z.union(
    [plain, place],
    `${what}, as text or as \`{ file: … }\`, \`{ env: … }\` or \`{ credential: … }\``,
  )
}

/** Where the file holds secrets, `[]` standing for any place in a list: nothing at or below these keys is ever repeated in a message. */
export const SECRET_KEYS = [
  'wecom.secret',
  'callback.token',
  'callback.encodingAesKey',
  'http.token',
  'on[].post',
  'on[].token',
  'on[].secret',
] as const

/** A key as it stands in that list. */
export const withoutPlaces = (key: string): string => key.replaceAll(/\[\d+\]/g, '[]')
