// Opening what WeCom closed: against the example of its documentation, and against a package of WeCom's own, both ways.
import { createHash, randomBytes } from 'node:crypto'
import * as official from '@wecom/crypto'
import { expect, it } from 'vitest'
import { createCallbackCrypto } from '../../src/references/callback-crypto.ts'
import { encryptMessage, signMessage } from '../../src/simulator/callback-seal.ts'
import { AES_KEY, TOKEN } from './sealed.ts'

/** As in path/90968 of WeCom's documentation. */
const EXAMPLE =
  'RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=='
const SEAL = {
  signature: '477715d11cdb4164915debcba66cb864d751f3e6',
  timestamp: '1409659813',
  nonce: '1372623149',
}
const ROUNDS = 3000

const crypto = createCallbackCrypto({ token: TOKEN, encodingAesKey: AES_KEY })

it('opens the example of the documentation, whose padding is longer than a block', () => {
  expect(crypto.isSigned(EXAMPLE, SEAL)).toBe(true)
  const opened = crypto.decrypt(EXAMPLE)
  expect(opened?.receiveId).toBe('wx5823bf96d3bd56c7')
  expect(opened?.message).toContain('<MsgId>4561255354251345929</MsgId>')
  expect(opened?.message).toContain('<Content><![CDATA[hello]]></Content>')
})

it.each([
  ['another token', createCallbackCrypto({ token: 'QDG6eL', encodingAesKey: AES_KEY }), SEAL],
  ['another second', crypto, { ...SEAL, timestamp: '1409659814' }],
  ['another nonce', crypto, { ...SEAL, nonce: '1' }],
  ['a shorter signature', crypto, { ...SEAL, signature: SEAL.signature.slice(0, -2) }],
  ['no signature', crypto, { ...SEAL, signature: '' }],
  ['a signature that is no hex', crypto, { ...SEAL, signature: 'z'.repeat(40) }],
])('does not take %s for WeCom’s', (_, other, seal) => {
  expect(other.isSigned(EXAMPLE, seal)).toBe(false)
})

it('does not take another text for WeCom’s', () => {
  expect(crypto.isSigned(`S${EXAMPLE.slice(1)}`, SEAL)).toBe(false)
})

it('opens thousands of messages of WeCom’s own package, and the package ours, under any key', () => {
  const paddings = new Set<number>()
  const wrong: unknown[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [key, token] = [aKey(), randomBytes(1 + (round % 16)).toString('hex')]
    const message = aText(round % 200)
    const receiveId = `ww${aText(round % 20)}`
    const ours = createCallbackCrypto({ token, encodingAesKey: key })

    const theirs = official.encrypt(key, message, receiveId)
    const opened = ours.decrypt(theirs)
    const [timestamp, nonce] = [String(1_400_000_000 + round), String(round * 7919)]
    const signature = official.getSignature(token, timestamp, nonce, theirs)
    const isSigned = ours.isSigned(theirs, { signature, timestamp, nonce })

    const closed = encryptMessage(key, message, receiveId)
    const reopened = official.decrypt(key, closed)
    const query = signMessage(token, closed, round * 1000)
    const [at, once] = [query.get('timestamp') ?? '', query.get('nonce') ?? '']
    const isTheirs = official.getSignature(token, at, once, closed) === query.get('msg_signature')

    const isSame =
      [opened?.message, reopened.message].every((text) => text === message) &&
      [opened?.receiveId, reopened.id].every((id) => id === receiveId)
    if (!isSigned || !isTheirs || !isSame) wrong.push({ key, token, message, receiveId })
    paddings.add(32 - ((20 + Buffer.byteLength(message + receiveId)) % 32))
  }
  expect(wrong).toEqual([])
  // Each length of padding was met, also those that Node's own would have refused.
  expect(paddings.size).toBe(32)
})

it('opens nothing that another key closed, that is cut or that is noise, and never throws', () => {
  const closed = encryptMessage(AES_KEY, 'a message', 'ww-test')
  let opened = 0
  for (let round = 0; round < ROUNDS; round++) {
    const other = createCallbackCrypto({ token: TOKEN, encodingAesKey: aKey() })
    if (other.decrypt(closed)?.receiveId === 'ww-test') opened++
    const noise = randomBytes(16 * (round % 8)).toString('base64')
    if (crypto.decrypt(noise)?.receiveId === 'ww-test') opened++
    if (crypto.decrypt(closed.slice(0, round % (closed.length - 4)))?.receiveId === 'ww-test')
      opened++
  }
  expect(opened).toBe(0)
  for (const text of ['', '!', 'AAAA', '=', '中文'.repeat(40)])
    expect(crypto.decrypt(text)).toBeUndefined()
})

/** 43 letters and digits, as WeCom draws them; the last carries only four bits that count. */
const aKey = () =>
  `${createHash('sha256').update(randomBytes(8)).digest('base64').replaceAll(/[+/=]/g, 'x').slice(0, 42)}A`

function aText(length: number): string {
  const letters = ['a', '<', '&', '中', 'é', '😀', ' ', '\n']
  return Array.from({ length }, (_, at) => letters[(at * 31 + length * 7) % letters.length]).join(
    '',
  )
}
