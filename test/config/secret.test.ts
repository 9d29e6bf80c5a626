import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SecretSource } from '../../src/config/config.ts'
import { resolveSecret } from '../../src/config/secret.ts'
import { ConfigError } from '../../src/errors.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

/** What a source gives, with the warnings on the way. */
async function resolve(source: SecretSource, env: Record<string, string> = {}) {
  const warnings: string[] = []
  const warn = (message: string) => void warnings.push(message)
  const secret = await resolveSecret({ key: 'wecom.secret', source }, { env, warn })
  return { secret, warnings }
}

const refusalOf = (source: SecretSource, env: Record<string, string> = {}): Promise<ConfigError> =>
  resolve(source, env).then(
    () => Promise.reject(new Error('expected to be refused')),
    (error: unknown) => (error instanceof ConfigError ? error : Promise.reject(error)),
  )

/** A file with this content that only its owner can read. */
async function aFile(content: string | Buffer, mode = 0o600): Promise<string> {
  const path = join(await createTempFolder(), 'secret')
  await writeFile(path, content)
  await chmod(path, mode)
  return path
}

describe('a secret', () => {
  it('is the text itself', async () => {
    expect(await resolve({ text: 's3cr3t' })).toEqual({ secret: 's3cr3t', warnings: [] })
  })

  it.each(['s3cr3t', 's3cr3t\n', 's3cr3t\r\n'])(
    'is the only line of a file: %j',
    async (content) => {
      const file = await aFile(content)
      expect(await resolve({ file })).toEqual({ secret: 's3cr3t', warnings: [] })
    },
  )

  it('is in an environment variable', async () => {
    expect(await resolve({ env: 'X' }, { X: 's3cr3t' })).toEqual({ secret: 's3cr3t', warnings: [] })
  })

  it('is a credential of systemd, whose mode says nothing about who can read it', async () => {
    const folder = await createTempFolder()
    await writeFile(join(folder, 'wecom-secret'), 's3cr3t\n', { mode: 0o440 })
    expect(
      await resolve({ credential: 'wecom-secret' }, { CREDENTIALS_DIRECTORY: folder }),
    ).toEqual({
      secret: 's3cr3t',
      warnings: [],
    })
  })

  it.each([0o640, 0o604, 0o644])('in a file of mode %o is taken, with a warning', async (mode) => {
    const file = await aFile('s3cr3t', mode)
    expect(await resolve({ file })).toEqual({
      secret: 's3cr3t',
      warnings: [
        `\`wecom.secret\`: others on this machine can read \`${file}\`: run \`chmod 600\` on it`,
      ],
    })
  })
})

describe('without a secret', () => {
  it.each<[source: SecretSource, env: Record<string, string>, message: string, hint: RegExp]>([
    [
      { env: 'X' },
      {},
      'the environment variable `X`: it is not set',
      /^set it where the daemon is started/,
    ],
    [{ env: 'X' }, { X: '' }, 'the environment variable `X`: it is empty', /put the secret there/],
    [
      { file: '/no/such' },
      {},
      'the file `/no/such`: there is no such file',
      /write the secret to `\/no\/such`/,
    ],
    [{ file: '/' }, {}, 'the file `/`: it is a directory', /write the secret/],
    [{ file: '/dev/null' }, {}, 'the file `/dev/null`: it is empty', /put the secret there/],
    [
      { file: '/dev/zero' },
      {},
      'the file `/dev/zero`: it is too large for a secret',
      /name its file/,
    ],
    [
      { credential: 'c' },
      {},
      'the credential `c`: $CREDENTIALS_DIRECTORY is not set',
      /LoadCredential=c:/,
    ],
    [
      { credential: 'c' },
      { CREDENTIALS_DIRECTORY: '/no' },
      'the credential `c`: there is no such file',
      /`\/no\/c`/,
    ],
  ])('%j with %j says why, and what to do', async (source, env, message, hint) => {
    const error = await refusalOf(source, env)
    expect(error.message).toBe(`cannot read \`wecom.secret\` from ${message}`)
    expect(error.hint).toMatch(hint)
    expect(error.problems).toEqual([{ key: 'wecom.secret', message: error.message }])
  })

  it.each(['c4n4ry\nc4n4ry', 'c4n4ry ', '\ufeffc4n4ry\u00a0', 'c4n4ry\n\n', 'c4n4ry\0'])(
    'a file that holds %j is refused, and not repeated',
    async (content) => {
      const error = await refusalOf({ file: await aFile(content) })
      expect(error.message).toMatch(
        /it holds a blank, a second line or a letter that no secret has$/,
      )
      expect(`${error.stack}${error.hint}${JSON.stringify(error)}`).not.toContain('c4n4ry')
    },
  )

  it('a file that this user may not read is refused', async () => {
    const denied = Object.assign(new Error('denied'), { code: 'EACCES' })
    const deps = { env: {}, warn: () => {}, readFile: () => Promise.reject(denied) }
    const wanted = { key: 'http.token', source: { file: '/x' } }
    await expect(resolveSecret(wanted, deps)).rejects.toThrow(
      'cannot read `http.token` from the file `/x`: no permission to read it',
    )
  })
})
