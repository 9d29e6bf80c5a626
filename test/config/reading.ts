import { parseConfig } from '../../src/config/load.ts'
import { renderConfigError } from '../../src/config/render-config-error.ts'
import { ConfigError, type ConfigProblem } from '../../src/errors.ts'

/** A file that is right, as lines, to which tests add. */
export const REQUIRED = `wecom: { corpId: ww1, secret: s3cr3t }
folder: { path: /srv/media }
`

type Env = Record<string, string>

/** What a text means when it is /etc/mirror/config.yaml. */
export const read = (text: string, env: Env = {}) =>
  parseConfig({ text, file: '/etc/mirror/config.yaml', shownAs: 'config.yaml' }, env)

/** The error that a text is refused with; anything else fails the test. */
export function refusal(text: string, env: Env = {}): ConfigError {
  try {
    read(text, env)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`expected to be refused: ${text}`)
}

export const problemsOf = (text: string): readonly ConfigProblem[] => refusal(text).problems

/** What a person sees on the terminal. */
export const printed = (text: string): string => renderConfigError(refusal(text))
