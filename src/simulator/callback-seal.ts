// Answers for signing and encrypting messages as WeCom does. Only closes them; how they are opened is the receiver's part, and written
// apart from this, so that the two cannot be wrong in the same way.
import { createCipheriv, createHash, randomBytes } from 'node:crypto'

const BLOCK_BYTES = 32

export interface CallbackSecrets {
  readonly token: string
  readonly encodingAesKey: string
}

/** Encrypted for one receiver: base64 of random bytes, the length, the message, for whom it is, padding to 32 bytes. */
export function encryptMessage(key: string, message: string, receiveId: string): string {
  const aesKey = Buffer.from(`${key}=`, 'base64')
  const text = Buffer.from(message)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const content = Buffer.concat([randomBytes(16), length, text, Buffer.from(receiveId)])
  const padding = BLOCK_BYTES - (content.length % BLOCK_BYTES)
  const cipher = createCipheriv('aes-256-cbc', aesKey, aesKey.subarray(0, 16))
  cipher.setAutoPadding(false)
  const parts = [cipher.update(content), cipher.update(Buffer.alloc(padding, padding))]
  return Buffer.concat([...parts, cipher.final()]).toString('base64')
}

/** The query that goes with it: signature, second and nonce. */
export function signMessage(token: string, encrypted: string, nowMs: number): URLSearchParams {
  const timestamp = String(Math.floor(nowMs / 1000))
  const nonce = String(randomBytes(5).readUInt32BE(0))
  const text = [token, timestamp, nonce, encrypted].sort().join('')
  const signature = createHash('sha1').update(text).digest('hex')
  return new URLSearchParams({ msg_signature: signature, timestamp, nonce })
}
