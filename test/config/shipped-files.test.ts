import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { valueAt } from '../../src/config/finding.ts'
import { createJsonSchema, listKeyPaths } from '../../src/config/json-schema.ts'
import { loadConfig } from '../../src/config/load.ts'
import { findMisfits } from './misfits.ts'
import { read } from './reading.ts'

const cwd = new URL('../..', import.meta.url).pathname

const load = (config: string) => loadConfig({ args: { config }, env: {}, cwd })

/** The example with every setting switched on: a `#` right before a key or list is what switches it off. */
async function readExample() {
  const text = await readFile(`${cwd}config/example.yaml`, 'utf8')
  return { text, allOn: text.replaceAll(/^( *)#(?=[a-zA-Z]+:)/gm, '$1') }
}

describe('config/example.yaml', () => {
  it('loads, and everything but the required keys is the default', async () => {
    const config = await load('config/example.yaml')
    const { file, ...example } = config
    const { file: _, ...silent } = await readAt(
      file,
      'wecom: { corpId: ww0123456789abcdef, secret: { file: /etc/wecom-media-mirror/secret } }\nfolder: { path: /srv/wecom-media }',
    )
    expect(example).toEqual(silent)
  })

  it('shows the true default of every setting', async () => {
    const { text, allOn } = await readExample()
    const { notAvailableYet, callback, http, wecom, ...shown } = read(allOn)
    const { notAvailableYet: _, callback: __, http: ___, wecom: account, ...silent } = read(text)
    expect(shown).toEqual(silent)
    expect(wecom).toEqual({ ...account, proxy: 'http://proxy:3128' })
    expect(http).toEqual({
      listen: '127.0.0.1:8787',
      token: { file: '/etc/wecom-media-mirror/http-token' },
    })
    expect(callback).toMatchObject({ listen: '0.0.0.0:8788', path: '/wecom/callback' })
    expect(notAvailableYet).toEqual(['http'])
  })

  it('shows every key there is', async () => {
    const shown: unknown = parse((await readExample()).allOn)
    // One line of `limits`, `rules` and of a secret shows its other forms, in words.
    const inside =
      /^wecom\.(secret|limits)\.|^folder\.rules\.|^(callback|http)\.(token|encodingAesKey)\./
    const missing = listKeyPaths().filter(
      (path) => !inside.test(path.join('.')) && valueAt(shown, path) === undefined,
    )
    expect(missing).toEqual([])
  })

  it('fits the schema that editors use, switched off and on', async () => {
    const { text, allOn } = await readExample()
    expect(findMisfits(createJsonSchema(), withoutNulls(parse(text)))).toEqual([])
    expect(findMisfits(createJsonSchema(), parse(allOn))).toEqual([])
  })
})

describe('config/demo.yaml', () => {
  it('lives on the simulator, by the minute', async () => {
    expect(await load('config/demo.yaml')).toMatchObject({
      wecom: { baseUrl: 'simulator', corpId: 'ww-demo', secret: { text: 'demo' } },
      folder: { path: `${cwd}demo/folder`, settleMs: 300, rescanMs: 60_000 },
      state: `${cwd}demo/state`,
      renewal: { lifetimeMs: 180_000, beforeMs: 120_000, spreadMs: 20_000 },
      log: { format: 'pretty' },
      notAvailableYet: [],
    })
  })

  it('fits the schema that editors use', async () => {
    const demo: unknown = parse(await readFile(`${cwd}config/demo.yaml`, 'utf8'))
    expect(findMisfits(createJsonSchema(), demo)).toEqual([])
  })
})

const readAt = async (file: string, text: string) => ({
  ...(await loadConfig({
    args: { config: file },
    env: {},
    cwd,
    readFile: async () => ({ bytes: Buffer.from(text), mode: 0o600 }),
  })),
})

/** A section whose settings are all switched off is empty, which the reader takes as not written. */
const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, one: unknown) => (one === null ? undefined : one)))
