import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { renderConfigError } from '../../src/config/render-config-error.ts'
import { ConfigError } from '../../src/errors.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { REQUIRED } from './reading.ts'

interface Asked {
  args?: { config?: string }
  env?: Record<string, string>
  cwd: string
}

const load = ({ args = {}, env = {}, cwd }: Asked) => loadConfig({ args, env, cwd })

const refusalOf = async (asked: Asked): Promise<ConfigError> =>
  load(asked).then(
    () => Promise.reject(new Error('expected to be refused')),
    (error: unknown) => (error instanceof ConfigError ? error : Promise.reject(error)),
  )

/** `loadConfig` on a machine where only these files exist, or fail to be read. */
const loadFrom = (files: Record<string, string | Error>) =>
  loadConfig({
    args: {},
    env: {},
    cwd: '/home/me',
    async readFile(path) {
      const file = files[path]
      if (file instanceof Error) throw file
      if (file === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' })
      return { bytes: Buffer.from(file), mode: 0o600 }
    },
  })

describe('the file that is taken', () => {
  it('is the one that -c names, relative to where the command was given', async () => {
    const cwd = await createTempFolder()
    await writeFile(join(cwd, 'a.yaml'), REQUIRED)
    await writeFile(join(cwd, 'config.yaml'), 'broken: [')
    const config = await load({
      cwd,
      args: { config: 'a.yaml' },
      env: { WECOM_MEDIA_MIRROR_CONFIG: 'b.yaml' },
    })
    expect(config.file).toBe(join(cwd, 'a.yaml'))
  })

  it('else the one that the environment names, an empty name being none', async () => {
    const cwd = await createTempFolder()
    await writeFile(join(cwd, 'b.yaml'), REQUIRED)
    await writeFile(join(cwd, 'config.yaml'), REQUIRED)
    const named = await load({ cwd, env: { WECOM_MEDIA_MIRROR_CONFIG: 'b.yaml' } })
    expect(named.file).toBe(join(cwd, 'b.yaml'))
    const unnamed = await load({ cwd, env: { WECOM_MEDIA_MIRROR_CONFIG: '' } })
    expect(unnamed.file).toBe(join(cwd, 'config.yaml'))
  })

  it('else ./config.yaml, else the one below /etc', async () => {
    const etc = '/etc/wecom-media-mirror/config.yaml'
    expect((await loadFrom({ '/home/me/config.yaml': REQUIRED, [etc]: REQUIRED })).file).toBe(
      '/home/me/config.yaml',
    )
    expect((await loadFrom({ [etc]: REQUIRED })).file).toBe(etc)
  })

  it('is never another one because the first cannot be read', async () => {
    const denied = Object.assign(new Error('denied'), { code: 'EACCES' })
    const files = {
      '/home/me/config.yaml': denied,
      '/etc/wecom-media-mirror/config.yaml': REQUIRED,
    }
    await expect(loadFrom(files)).rejects.toThrow(
      'cannot read the configuration `config.yaml`: no permission to read it',
    )
  })
})

describe('without a usable file', () => {
  it('the error lists where it looked, and says what to do', async () => {
    await expect(loadFrom({})).rejects.toMatchObject({
      code: 'CONFIG',
      message:
        'cannot find a configuration: looked for `/home/me/config.yaml` and `/etc/wecom-media-mirror/config.yaml`',
      hint: expect.stringMatching(/config\/example.yaml.*-c FILE.*\$WECOM_MEDIA_MIRROR_CONFIG/),
    })
  })

  it.each([
    [{ args: { config: 'no.yaml' } }, '-c'],
    [{ env: { WECOM_MEDIA_MIRROR_CONFIG: 'no.yaml' } }, '$WECOM_MEDIA_MIRROR_CONFIG'],
  ])('a named file that is not there is an error: %j', async (asked, source) => {
    const cwd = await createTempFolder()
    await writeFile(join(cwd, 'config.yaml'), REQUIRED)
    const error = await refusalOf({ ...asked, cwd })
    expect(error.message).toBe(`cannot find the configuration \`no.yaml\`, which ${source} names`)
    expect(error.hint).toContain(join(cwd, 'no.yaml'))
  })

  it.each<[what: string, make: (path: string) => Promise<unknown>, message: RegExp]>([
    ['a directory', (path) => mkdir(path), /it is a directory$/],
    ['10 MB', (path) => writeFile(path, '#'.repeat(10 * 2 ** 20)), /it is larger than 1 MB$/],
    [
      'UTF-16',
      (path) => writeFile(path, Buffer.from(`\ufeff${REQUIRED}`, 'utf16le')),
      /it is not UTF-8 text$/,
    ],
    [
      'GBK',
      (path) => writeFile(path, Buffer.from([0x61, 0x3a, 0x20, 0xd6, 0xd0])),
      /it is not UTF-8 text$/,
    ],
    ['a link to itself', (path) => symlink(path, path), /its symbolic links go round in circles$/],
    ['empty', (path) => writeFile(path, ''), /1 problem$/],
  ])('%s is refused in plain words', async (_, make, message) => {
    const cwd = await createTempFolder()
    await make(join(cwd, 'config.yaml'))
    expect((await refusalOf({ cwd })).message).toMatch(message)
  })

  it('a device that never ends is not read to its end', async () => {
    const error = await refusalOf({ cwd: '/', args: { config: '/dev/zero' } })
    expect(error.message).toBe('cannot use the configuration `/dev/zero`: it is larger than 1 MB')
  })
})

it('takes what Windows writes: a byte order mark and carriage returns, places staying right', async () => {
  const cwd = await createTempFolder()
  const path = join(cwd, 'config.yaml')
  await writeFile(path, `\ufeff${REQUIRED}`.replaceAll('\n', '\r\n'))
  expect((await load({ cwd })).wecom.corpId).toBe('ww1')
  await writeFile(path, `\ufefflgo: 1\r\n${REQUIRED}http: 1\r\n`.replaceAll('\n', '\r\n'))
  expect((await refusalOf({ cwd })).problems).toMatchObject([
    { line: 1, column: 1, key: 'lgo' },
    { key: 'http', column: 7 },
  ])
})

describe('on the terminal', () => {
  it('every problem is a line such as compilers write, and the count comes last', async () => {
    const cwd = await createTempFolder()
    await writeFile(join(cwd, 'my.yaml'), `${REQUIRED}log: 1\n`)
    const error = await refusalOf({ cwd, args: { config: './my.yaml' } })
    expect(renderConfigError(error)).toBe(
      './my.yaml:3:6: `log`: expected a mapping of keys to values, got the number 1\n' +
        'cannot use the configuration `./my.yaml`: 1 problem',
    )
  })

  it('an error without places is its message and its hint', () => {
    const error = new ConfigError('cannot x', [{ key: 'a', message: 'cannot x' }], { hint: 'do y' })
    expect(renderConfigError(error)).toBe('cannot x\nhint: do y')
  })

  it('no more than fifty problems are listed', () => {
    const problems = Array.from({ length: 60 }, (_, index) => ({ line: index + 1, message: 'm' }))
    const lines = renderConfigError(new ConfigError('60 problems', problems)).split('\n')
    expect(lines.slice(49)).toEqual(['50: m', '… and 10 more', '60 problems'])
  })
})
