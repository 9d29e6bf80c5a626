// Answers for what WeCom signs and encrypts its messages with: whether one is WeCom's, and what it says. Only opens; nothing here
// writes one. The padding is to 32 bytes where Node knows blocks of 16, so it is taken off by hand.
import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'

/** What came beside a message, in the query of its address. */
export interface Seal {
  readonly signature: string
  readonly timestamp: string
  readonly nonce: string
}

export interface CallbackCrypto {
  isSigned(encrypted: string, seal: Seal): boolean
  /** Undefined for what this key did not encrypt. */
  decrypt(encrypted: string): Opened | undefined
}

export interface Opened {
  readonly message: string
  /** For whom it is: the corp, to a corp's own app. */
  readonly receiveId: string
}

const PADDING_BLOCK_BYTES = 32
const RANDOM_BYTES = 16
const LENGTH_BYTES = 4
const IV_BYTES = 16

/** `encodingAesKey` has 43 letters and digits: 32 bytes in base64, without the last sign. */
export function createCallbackCrypto(secrets: {
  readonly token: string
  readonly encodingAesKey: string
}): CallbackCrypto {
  const key = Buffer.from(`${secrets.encodingAesKey}=`, 'base64')

  function decrypt(encrypted: string): Opened | undefined {
    const sealed = Buffer.from(encrypted, 'base64')
    if (sealed.length === 0 || sealed.length % IV_BYTES !== 0) return undefined
    const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, IV_BYTES))
    decipher.setAutoPadding(false)
    return readPlain(Buffer.concat([decipher.update(sealed), decipher.final()]))
  }

  return {
    isSigned(encrypted, { signature, timestamp, nonce }) {
      const signed = [secrets.token, timestamp, nonce, encrypted].sort().join('')
      const expected = createHash('sha1').update(signed).digest()
      const given = Buffer.from(signature, 'hex')
      return given.length === expected.length && timingSafeEqual(given, expected)
    },
    decrypt,
  }
}

/** 16 random bytes, the length of the message in four, the message, for whom it is, padding. */
function readPlain(plain: Buffer): Opened | undefined {
  const padding = plain.at(-1) ?? 0
  if (padding < 1 || padding > PADDING_BLOCK_BYTES) return undefined
  const content = plain.subarray(RANDOM_BYTES, Math.max(RANDOM_BYTES, plain.length - padding))
  if (content.length < LENGTH_BYTES) return undefined
  const end = LENGTH_BYTES + content.readUInt32BE(0)
  if (end > content.length) return undefined
  return {
    message: content.toString('utf8', LENGTH_BYTES, end),
    receiveId: content.toString('utf8', end),
  }
}
