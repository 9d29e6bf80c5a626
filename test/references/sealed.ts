// Messages as WeCom closes them, by the simulator's own hand.
import { encryptMessage, signMessage } from '../../src/simulator/callback-seal.ts'
import { NOW_MS } from '../helpers/builders.ts'

export const TOKEN = 'QDG6eK'
export const AES_KEY = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C'
export const CORP_ID = 'ww-test'

interface Wish {
  token?: string
  key?: string
  corpId?: string
  signedAtMs?: number
}

/** The query and the encrypted part of a call. */
export function seal(message: string, wish: Wish = {}) {
  const { token = TOKEN, key = AES_KEY, corpId = CORP_ID, signedAtMs = NOW_MS } = wish
  const encrypted = encryptMessage(key, message, corpId)
  const query = signMessage(token, encrypted, signedAtMs).toString()
  return { query, encrypted, body: `<xml><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>` }
}

/** A picture from a person, with other fields where they are given. */
export function aMessage(fields: Readonly<Record<string, string | number>> = {}): string {
  const all = {
    ToUserName: CORP_ID,
    FromUserName: 'zhangsan',
    CreateTime: Math.floor(NOW_MS / 1000) - 2,
    MsgType: 'image',
    MediaId: 'media-1',
    MsgId: '9223372036854775807',
    ...fields,
  }
  const elements = Object.entries(all).map(
    ([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`,
  )
  return `<xml>${elements.join('\n')}</xml>`
}
