// Any JSON in WeCom's place: what comes of a call is a sound receipt, or a failure that the program foresees, and nothing else.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WecomRefused, WecomUnreachable } from '../../src/errors.ts'
import { parseMediaId } from '../../src/media/media.ts'
import { aMediaId } from '../helpers/builders.ts'
import { aMedium } from '../helpers/memory-wecom.ts'
import { createClient, patient } from './client.ts'
import { createLoopback } from './loopback.ts'

/** Answers to everything with what `say` gives, or to everything but the token. */
async function setUp() {
  let text = ''
  let spoils = 'medium'
  const { baseUrl } = await createLoopback(({ url }, response) => {
    const isToken = url.pathname.endsWith('gettoken')
    response.writeHead(200, { 'Content-Type': 'application/json; charset=UTF-8' })
    response.end(isToken && spoils === 'medium' ? '{"access_token":"t","expires_in":7200}' : text)
  })
  return {
    async ask(answer: string, what: 'medium' | 'token' = 'medium') {
      text = answer
      spoils = what
      const { wecom } = createClient({ baseUrl })
      const upload = wecom.upload(aMedium(), patient)
      const download = wecom
        .download({ mediaId: aMediaId('M') }, patient)
        .then(({ body }) => body.toArray())
      return Promise.allSettled([upload, download])
    },
  }
}

function expectForeseen([upload, download]: Awaited<
  ReturnType<Awaited<ReturnType<typeof setUp>>['ask']>
>) {
  if (upload.status === 'fulfilled') {
    const { mediaId, createdAtMs } = upload.value as { mediaId: string; createdAtMs: number }
    expect(parseMediaId(mediaId)).toBe(mediaId)
    expect(createdAtMs).toBeGreaterThan(0)
    expect(createdAtMs).toBeLessThan(Date.now() + 60_000)
  }
  for (const outcome of [upload, download])
    if (outcome.status === 'rejected') {
      const isForeseen =
        outcome.reason instanceof WecomRefused || outcome.reason instanceof WecomUnreachable
      if (!isForeseen) throw outcome.reason
      expect(outcome.reason.message).not.toMatch(/\p{Cc}/u)
      expect(outcome.reason.message.length).toBeLessThan(1000)
    }
  // Nobody's prototype was written to.
  for (const key of ['errcode', 'media_id', 'access_token'])
    expect(Reflect.get({}, key)).toBeUndefined()
}

test.each([
  ['arrays as deep as fit', `${'['.repeat(32_000)}${']'.repeat(32_000)}`],
  ['objects as deep as fit', `${'{"media_id":'.repeat(4000)}1${'}'.repeat(4000)}`],
  [
    'a deep value beside a good answer',
    `{"media_id":"M","x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
  ],
  ['a prototype', '{"__proto__":{"errcode":40007,"media_id":"M","access_token":"t"}}'],
  ['a constructor', '{"constructor":{"prototype":{"errcode":1}},"toString":1,"media_id":"M"}'],
  ['the same key twice', '{"media_id":"A","media_id":"B","errcode":40007,"errcode":0}'],
  ['numbers as texts', '{"errcode":"0","media_id":"M","created_at":"1713345678"}'],
  ['numbers that are none', '{"errcode":"0x10","media_id":"M","created_at":"1e9"}'],
  ['a number beyond all', '{"errcode":1e999,"media_id":"M","created_at":1e999}'],
  [
    'a time long past and one far ahead',
    '{"media_id":"M","created_at":-1,"create_at":99999999999999}',
  ],
  ['an id that is no text', '{"media_id":{"a":1}}'],
  ['an id with what may be in none', '{"media_id":"../../etc/passwd\\u0000\\n"}'],
  ['an endless id', `{"media_id":"${'M'.repeat(60_000)}"}`],
  ['an endless text', `{"errcode":1,"errmsg":"${'\\u0007\\u202e'.repeat(5_000)}"}`],
  ['a text that is none', '{"errcode":1,"errmsg":{"toString":1}}'],
  ['nothing but white space', ' \n\t'],
  ['two answers', '{"errcode":0}{"errcode":1}'],
  ['a byte order mark', '\ufeff{"media_id":"M"}'],
  ['null', 'null'],
  ['a bare number', '-1'],
  ['half a character', '{"media_id":"\ud800"}'],
  ['more than any answer', `{"media_id":"M","x":"${'y'.repeat(70_000)}"}`],
])('%s', async (_, answer) => {
  const { ask } = await setUp()
  expectForeseen(await ask(answer))
  expectForeseen(await ask(answer, 'token'))
})

/** Answers that are nearly right. */
const value = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    1,
    -1,
    40007,
    42001,
    '0',
    '40014',
    'M',
    '',
    null,
    [],
    {},
    true,
    1.5,
    'x'.repeat(600),
  ),
  fc.jsonValue({ maxDepth: 2 }),
)
const key = fc.constantFrom(
  'errcode',
  'errmsg',
  'media_id',
  'created_at',
  'access_token',
  'expires_in',
  '__proto__',
  'x',
)
const nearlyRight = fc
  .array(fc.tuple(key, value), { maxLength: 6 })
  // By hand, so that a key may stand twice.
  .map(
    (pairs) => `{${pairs.map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`)}}`,
  )

test('whatever JSON, or bytes, and whichever call it answers', async () => {
  const { ask } = await setUp()
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 6, arbitrary: nearlyRight }, fc.json(), fc.string({ unit: 'binary' })),
      fc.constantFrom('medium', 'token'),
      async (answer, what) => expectForeseen(await ask(answer, what as 'medium')),
    ),
    { numRuns: 150 },
  )
})
