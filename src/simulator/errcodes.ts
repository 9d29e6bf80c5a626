// Answers for how the service says no: its numbers, and the form of its messages.
// Written from what was recorded of the service, and apart from the table our own client reads answers by.
import { randomBytes } from 'node:crypto'

const TEXTS: Readonly<Record<number, string>> = {
  [-1]: 'system error',
  40001: 'invalid credential',
  40004: 'invalid media type',
  40005: 'invalid type',
  40006: 'invalid file size',
  40007: 'invalid media_id',
  40009: 'invalid image size',
  40011: 'invalid video size',
  40013: 'invalid corpid',
  40014: 'invalid access_token',
  40035: 'invalid parameter',
  40058: 'invalid Request Parameter',
  40063: 'some parameters are empty',
  40091: 'invalid secret',
  40123: 'invalid image content',
  40206: 'request body too large',
  41001: 'access_token missing',
  41002: 'corpid missing',
  41004: 'corpsecret missing',
  41006: 'media_id missing',
  42001: 'access_token expired',
  44001: 'empty media data',
  45001: 'media size out of limit',
  45007: 'playtime out of limit',
  45009: 'api freq out of limit',
  45031: 'secret not safe, please reset',
  45033: 'api concurrent out of limit',
  48002: 'api forbidden',
  48004: 'authorization invalid',
  48006: 'api forbidden for inactive agent',
  50003: 'agent disabled',
  50006: 'system agent disabled',
  60011: 'no privilege to access/modify contact/party/agent',
  60020: 'not allow to access from your ip',
  60031: 'agent forbidden to call api',
  81013: 'user & party & tag all invalid',
  90308: 'ip not in sub-admin ip white list',
  93000: 'invalid webhook url',
  93004: 'robot stopped',
  301002: 'not allow operate another agent with this accesstoken',
  301007: 'corp disbanded',
  301016: 'invalid voice file',
  301017: 'voice file must be amr',
  301019: 'file md5 not match',
  301042: 'ip not in white list',
  830001: 'invalid url',
  830002: 'media too large or range too large',
  830003: 'download failed',
}

export interface Refusal {
  readonly errcode: number
  readonly errmsg: string
}

/** The text that belongs to a number. */
export const errcodeText = (errcode: number): string => TEXTS[errcode] ?? 'unknown error'

/** The middle part of a hint has been seen with one or two digits. */
const HINT_RANGE = 100

/** The live form: text, a hint for the support, the address the call came from, and where to read on. */
export function composeErrmsg(refusal: Refusal, nowMs: number, callerIp: string): string {
  const draw = randomBytes(17)
  const seconds = Math.floor(nowMs / 1000)
  const hint = `${seconds}_${draw.readUInt8(0) % HINT_RANGE}_${draw.toString('hex', 1)}`
  const page = `https://open.work.weixin.qq.com/devtool/query?e=${refusal.errcode}`
  return `${refusal.errmsg}, hint: [${hint}], from ip: ${callerIp}, more info at ${page}`
}
