// Answers for reading a secret from where the configuration says it is, once, at start. No message here ever holds one.
import { join } from 'node:path'
import { ConfigError } from '../errors.ts'
import type { SecretSource } from './config.ts'
import { explainReadError, type ReadSmallFile, readSmallFile } from './small-file.ts'

const MAX_BYTES = 4096

export interface SecretDeps {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile?: ReadSmallFile
  /** Told when others on this machine could read the file of the secret. */
  readonly warn: (message: string) => void
}

interface Wanted {
  /** As in the file, such as `wecom.secret`: what messages call it. */
  readonly key: string
  readonly source: SecretSource
}

/** The secret itself; rejects with a `ConfigError` that names the key and says what to do. */
export async function resolveSecret(wanted: Wanted, deps: SecretDeps): Promise<string> {
  const secret = await readSecret(wanted, deps)
  if (secret === '') throw refuse(wanted, 'it is empty', 'put the secret there')
  // Printable ASCII without blanks: what every secret of WeCom is, and what a stray line or a wrong file is not.
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    const why = 'it holds a blank, a second line or a letter that no secret has'
    throw refuse(wanted, why, 'leave nothing there but the secret, on one line')
  }
  return secret
}

async function readSecret(wanted: Wanted, deps: SecretDeps): Promise<string> {
  const { source } = wanted
  if ('text' in source) return source.text
  if ('env' in source) {
    const secret = deps.env[source.env]
    if (secret !== undefined) return secret
    throw refuse(
      wanted,
      'it is not set',
      `set it where the daemon is started, or use \`{ file: … }\``,
    )
  }
  if ('file' in source) return readSecretFile(wanted, source.file, deps)
  const directory = deps.env.CREDENTIALS_DIRECTORY
  if (directory) return readSecretFile(wanted, join(directory, source.credential), deps)
  throw refuse(
    wanted,
    '$CREDENTIALS_DIRECTORY is not set',
    `add \`LoadCredential=${source.credential}:/path/of/the/secret\` to the unit; without systemd use \`{ file: … }\``,
  )
}

async function readSecretFile(wanted: Wanted, path: string, deps: SecretDeps): Promise<string> {
  const { bytes, mode } = await (deps.readFile ?? readSmallFile)(path, MAX_BYTES).catch(
    (error: unknown) => {
      const hint = `write the secret to \`${path}\`, readable for the user of the daemon`
      throw refuse(wanted, explainReadError(error), hint, error)
    },
  )
  if (bytes.length > MAX_BYTES)
    throw refuse(wanted, 'it is too large for a secret', 'name its file')
  // systemd's credentials show the mask of an access list as the group's bits; only their reader can open them.
  if ('file' in wanted.source && (mode & 0o044) !== 0) {
    deps.warn(
      `\`${wanted.key}\`: others on this machine can read \`${path}\`: run \`chmod 600\` on it`,
    )
  }
  return new TextDecoder().decode(bytes).replace(/\r?\n$/, '')
}

function refuse(wanted: Wanted, why: string, hint: string, cause?: unknown): ConfigError {
  const message = `cannot read \`${wanted.key}\` from ${renderSource(wanted.source)}: ${why}`
  return new ConfigError(message, [{ key: wanted.key, message }], { hint, cause })
}

/** Where a secret is, for people. */
export function renderSource(source: SecretSource): string {
  if ('file' in source) return `the file \`${source.file}\``
  if ('env' in source) return `the environment variable \`${source.env}\``
  if ('credential' in source) return `the credential \`${source.credential}\``
  return 'the configuration'
}
