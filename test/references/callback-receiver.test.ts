// One call of WeCom's from query and body to its status: whose it is, what it brings, and that it is durable first.
import { describe, expect, it } from 'vitest'
import { ManifestUnwritable } from '../../src/errors.ts'
import { createAcceptance } from '../../src/references/acceptance.ts'
import { createCallbackCounts } from '../../src/references/callback-counts.ts'
import { createCallbackCrypto } from '../../src/references/callback-crypto.ts'
import { createCallbackReceiver } from '../../src/references/callback-receiver.ts'
import { createRefusals } from '../../src/references/callback-refusals.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { aMediaId, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { AES_KEY, aMessage, CORP_ID, seal, TOKEN } from './sealed.ts'

function setUp() {
  const manifest = createMemoryManifest()
  const clock = createFakeClock(NOW_MS)
  const told: MirrorEvent[] = []
  const emit = (event: MirrorEvent) => void told.push(event)
  const counts = createCallbackCounts()
  const receiver = createCallbackReceiver({
    crypto: createCallbackCrypto({ token: TOKEN, encodingAesKey: AES_KEY }),
    corpId: CORP_ID,
    acceptance: createAcceptance({ manifest, clock, emit, requestLanding: () => {} }),
    clock,
    counts,
    refusals: createRefusals({ counts, clock, emit }),
  })
  return {
    manifest,
    clock,
    told,
    counts: counts.read,
    verify: receiver.verify,
    async send(message: string, wish: Parameters<typeof seal>[1] = {}) {
      const { query, body } = seal(message, wish)
      return receiver.receive(query, body)
    },
    receive: receiver.receive,
    count: async () => (await manifest.count()).references,
  }
}

describe('the check of the address', () => {
  it('is answered with what was encrypted, and nothing else', () => {
    const { verify, counts } = setUp()
    const { query, encrypted } = seal('1616140317555161061')
    const answer = { status: 200, body: '1616140317555161061' }
    expect(verify(`${query}&echostr=${encodeURIComponent(encrypted)}`)).toEqual(answer)
    expect(counts().verified).toBe(1)
  })

  it('takes a bare + for the + that it is', () => {
    const { verify } = setUp()
    let sealed = seal('an echo')
    while (!sealed.encrypted.includes('+')) sealed = seal('an echo')
    const bare = sealed.encrypted.replaceAll('=', '%3D').replaceAll('/', '%2F')
    expect(verify(`${sealed.query}&echostr=${bare}`)).toEqual({ status: 200, body: 'an echo' })
  })

  it.each([
    ['', 400],
    ['echostr=abc', 400],
    ['echostr=%', 400],
    ['msg_signature=00&timestamp=1&nonce=2&echostr=abc', 403],
  ])('refuses %j with %i', (query, status) => {
    expect(setUp().verify(query)).toEqual({ status })
  })
})

describe('a message with a medium', () => {
  it('is a reference before it is acknowledged', async () => {
    const { send, manifest, counts } = setUp()
    expect(await send(aMessage())).toEqual({ status: 200 })
    expect(await manifest.findReference(aMediaId('media-1'))).toEqual({
      mediaId: 'media-1',
      kind: 'image',
      from: 'zhangsan',
      createdAtMs: NOW_MS - 2000,
      messageId: '9223372036854775807',
      acceptedAtMs: NOW_MS,
      state: 'accepted',
    })
    expect(counts()).toMatchObject({ accepted: 1, duplicates: 0, lastAcceptedAtMs: NOW_MS })
  })

  it('may come in JSON, outside and inside', async () => {
    const { receive, manifest } = setUp()
    const inner =
      '{"FromUserName":"lisi","CreateTime":1409659813,"MsgType":"voice","MediaId":"m2","MsgId":9223372036854775807}'
    const { query, encrypted } = seal(inner)
    const body = JSON.stringify({ tousername: CORP_ID, encrypt: encrypted, agentid: '1' })
    expect(await receive(query, body)).toEqual({ status: 200 })
    expect(await manifest.findReference(aMediaId('m2'))).toMatchObject({
      kind: 'voice',
      messageId: '9223372036854775807',
      createdAtMs: 1_409_659_813_000,
    })
  })

  it('is acknowledged again when it is repeated, and taken in once, in whatever order they come', async () => {
    const { send, count, counts } = setUp()
    const messages = [3, 1, 2, 1, 3, 2, 1].map((n) => aMessage({ MediaId: `m${n}`, MsgId: n }))
    const answers = await Promise.all(messages.map((message) => send(message)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect([await count(), counts().accepted, counts().duplicates]).toEqual([3, 3, 4])
  })

  it('is not acknowledged when it cannot be made durable, so that WeCom repeats it', async () => {
    const { send, manifest, count, counts, told } = setUp()
    const { commit } = manifest
    manifest.commit = () => Promise.reject(new ManifestUnwritable('the disk is full'))
    expect(await send(aMessage())).toEqual({ status: 503 })
    manifest.commit = commit
    expect([await count(), counts().refused]).toEqual([0, { 'not-durable': 1 }])
    expect(told).toMatchObject([{ kind: 'callback-refused', hint: /disk/ }])
    expect(await send(aMessage())).toEqual({ status: 200 })
  })

  it('ends the program when it fails for a reason nobody foresaw', async () => {
    const { send, manifest } = setUp()
    manifest.commit = () => Promise.reject(new Error('a bug'))
    await expect(send(aMessage())).rejects.toThrow('a bug')
  })
})

it('acknowledges and counts what is no medium', async () => {
  const { send, count, counts } = setUp()
  for (const MsgType of ['text', 'event', 'text', 'location', 'news'])
    expect(await send(aMessage({ MsgType }))).toEqual({ status: 200 })
  expect(await count()).toBe(0)
  expect(counts().ignored).toEqual({ text: 2, event: 1, location: 1, news: 1 })
})

describe('what is refused, without a word to its sender', () => {
  it.each([
    ['signature', { token: 'another' }],
    ['decryption', { key: 'B'.repeat(43) }],
    ['receive-id', { corpId: 'ww-other' }],
    ['timestamp', { signedAtMs: NOW_MS - HOUR_MS - 1000 }],
    ['timestamp', { signedAtMs: NOW_MS + HOUR_MS + 1000 }],
  ])('%s', async (because, wish) => {
    const { send, count, counts, told } = setUp()
    expect(await send(aMessage(), wish)).toEqual({ status: 403 })
    expect([await count(), counts().refused]).toEqual([0, { [because]: 1 }])
    expect(told).toMatchObject([{ kind: 'callback-refused', count: 1 }])
    expect(JSON.stringify(told)).not.toMatch(/QDG6eK|jWmYm7/)
  })

  it('a clock that is within the hour is right enough', async () => {
    const { send } = setUp()
    for (const byMs of [-HOUR_MS + 1000, HOUR_MS - 1000])
      expect(await send(aMessage(), { signedAtMs: NOW_MS + byMs })).toEqual({ status: 200 })
  })

  it('a message of yesterday that somebody kept', async () => {
    const { clock, receive, manifest } = setUp()
    const { query, body } = seal(aMessage())
    await clock.advance(24 * HOUR_MS)
    expect(await receive(query, body)).toEqual({ status: 403 })
    expect(await manifest.findReference(aMediaId('media-1'))).toBeUndefined()
  })

  it.each([
    ['an empty body', ''],
    ['no envelope', '<xml><A>1</A></xml>'],
    ['broken XML', '<xml><Encrypt>'],
    ['broken JSON', '{"encrypt":'],
    ['a bomb', '<!DOCTYPE x [<!ENTITY e "e">]><xml><Encrypt>&e;</Encrypt></xml>'],
  ])('%s is answered with 400', async (_, body) => {
    const { receive, counts } = setUp()
    expect(await receive(seal('').query, body)).toEqual({ status: 400 })
    expect(counts().refused).toEqual({ malformed: 1 })
  })

  it.each([
    ['a bomb', '<!DOCTYPE x [<!ENTITY e "e">]><xml><MsgType>&e;</MsgType></xml>'],
    ['nothing', ''],
    ['a medium without an id', aMessage({ MediaId: '' })],
  ])('%s inside a true envelope as well', async (_, message) => {
    const { send } = setUp()
    expect(await send(message)).toEqual({ status: 400 })
  })

  it('is told once, and after ten minutes with its number', async () => {
    const { send, clock, told } = setUp()
    for (let n = 0; n < 50; n++) await send(aMessage(), { token: 'another' })
    expect(told).toHaveLength(1)
    await clock.advance(11 * 60_000)
    await send(aMessage(), { token: 'another' })
    expect(told).toMatchObject([{ count: 1 }, { count: 50 }])
  })
})
