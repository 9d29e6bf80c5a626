// Answers for what an errcode means, what the program does about it and what a person can do. One table, long because
// the service's is. Decisions follow `errcode` alone, never `errmsg`. Rows and meanings: path/90313 (全局错误码), as seen by these calls.
//
// Rows about a parameter that differs from file to file (type, name, size, media_id) are the file's fault: `skip`.
// Rows about what is the same in every call (credentials, address, permission, the shape of the URL) are `stop`:
// calling again changes nothing, and wrong secrets get the whole address blocked for an hour.
import type { Remedy } from '../errors.ts'

export interface ErrcodeRow {
  readonly meaning: string
  readonly remedy: Remedy
  /** What exactly a person can do, and where. */
  readonly hint?: string
  /** The kind refuses these bytes; kind `file`, which takes any format, may take them, up to 20 MB. */
  readonly tryAsFile?: true
}

const APP_PAGE = 'admin console work.weixin.qq.com → 应用管理 (App Management) → the app'
const CORP_PAGE = 'admin console work.weixin.qq.com → 我的企业 (My Company) → 企业信息'
const OUR_FAULT = 'the file is not to blame; report this errcode to the authors of this program'
const ASK_GATEWAY = 'a gateway on the way changes the request; check `wecom.baseUrl`'

const COPY_SECRET = `copy the Secret again (${APP_PAGE} → Secret) into \`wecom.secret\`; check that the app is enabled`
const COPY_CORP_ID = `copy the corp ID (${CORP_PAGE} → 企业ID) into \`wecom.corpId\``
const TRUST_ADDRESS = `add the address to the app's trusted addresses (${APP_PAGE} → 企业可信IP); it takes effect within a minute`
const ENABLE_APP = `enable the app (${APP_PAGE} → 启用)`
const GRANT_APP = `give the app the permission it lacks (${APP_PAGE} → 权限)`

const fileFault = (meaning: string, hint?: string): ErrcodeRow => ({
  meaning,
  remedy: 'skip',
  ...(hint === undefined ? {} : { hint }),
})
const kindFault = (meaning: string, hint?: string): ErrcodeRow => ({
  ...fileFault(meaning, hint),
  tryAsFile: true,
})
const needsAdmin = (meaning: string, hint: string): ErrcodeRow => ({
  meaning,
  remedy: 'stop',
  hint,
})

const ROWS: ReadonlyMap<number, ErrcodeRow> = new Map<number, ErrcodeRow>([
  [-1, { meaning: 'the service is busy', remedy: 'retry' }],

  // Credentials. 40001 is a bad secret here, not a bad token as on the Official Account platform: fetching a token again
  // on it is how addresses get blocked.
  [40001, needsAdmin('the secret is wrong, was reset, or its app is disabled', COPY_SECRET)],
  [40013, needsAdmin('the corp ID is wrong', COPY_CORP_ID)],
  [41002, needsAdmin('the corp ID is missing', COPY_CORP_ID)],
  [40091, needsAdmin('the secret belongs to another corp', COPY_SECRET)],
  [41004, needsAdmin('the secret is missing', COPY_SECRET)],
  [
    45031,
    needsAdmin(
      'the secret is no longer safe enough',
      `reset the Secret (${APP_PAGE} → Secret) and put the new one into \`wecom.secret\``,
    ),
  ],

  // The token. Which of the two an expired token gets differs from caller to caller.
  [40014, { meaning: 'the token is not valid', remedy: 'refresh-token' }],
  [42001, { meaning: 'the token has expired', remedy: 'refresh-token' }],
  [41001, needsAdmin('the token did not arrive', ASK_GATEWAY)],

  // The address and the app.
  [60020, needsAdmin('the address that the call came from is not trusted', TRUST_ADDRESS)],
  [301042, needsAdmin('the address that the call came from is not trusted', TRUST_ADDRESS)],
  [90308, needsAdmin('the address that the call came from is not trusted', TRUST_ADDRESS)],
  [48002, needsAdmin('the app lacks permission for this call', GRANT_APP)],
  [48004, needsAdmin('the authorisation is invalid or was cancelled', GRANT_APP)],
  [
    48006,
    needsAdmin(
      'the permission was withdrawn because the app was unused for long',
      `an administrator must enable the app again (${APP_PAGE} → 重新启用)`,
    ),
  ],
  [50003, needsAdmin('the app is disabled', ENABLE_APP)],
  [50006, needsAdmin('the system app is disabled', ENABLE_APP)],
  [
    60011,
    needsAdmin(
      'the app may not see this member or department',
      `widen the app's scope (${APP_PAGE} → 可见范围)`,
    ),
  ],
  [60031, needsAdmin('the app is forbidden to call this interface', GRANT_APP)],
  [
    301002,
    needsAdmin(
      'the token belongs to another app',
      `use the Secret of one app only (${APP_PAGE} → Secret)`,
    ),
  ],
  [
    301007,
    needsAdmin('the corp was dissolved or banned', 'ask 企业微信 support (work.weixin.qq.com)'),
  ],
  [81013, needsAdmin('every receiver is invalid', OUR_FAULT)],
  [93000, needsAdmin('the robot key is invalid or the robot was removed', OUR_FAULT)],
  [93004, needsAdmin('the robot is stopped', OUR_FAULT)],

  // The shape of the request, the same in every call.
  [43001, needsAdmin('the call must be a GET', ASK_GATEWAY)],
  [43002, needsAdmin('the call must be a POST', ASK_GATEWAY)],
  [43003, needsAdmin('the call must use HTTPS', 'write `wecom.baseUrl` with https://')],

  // Rate. The answer never says which window was hit.
  [
    45009,
    {
      meaning: 'too many calls',
      remedy: 'slow-down',
      hint: 'lower `wecom.quota.share` if other programs of the corp call WeCom too; an address blocked for many wrong secrets is freed after an hour, or at open.work.weixin.qq.com/wwopen/devtool/checkCorpSpamBlock',
    },
  ],
  [
    45033,
    {
      meaning: 'too many calls at once',
      remedy: 'slow-down',
      hint: 'lower `transfer.uploads` and `transfer.downloads`',
    },
  ],

  // The medium.
  [40004, kindFault('this kind does not take this format')],
  [40005, kindFault('this kind does not take this file')],
  [40006, fileFault('the size is not acceptable', 'media must be larger than 5 bytes')],
  [
    40007,
    fileFault(
      'the media_id is dead, foreign or of another kind',
      'a media_id lives three days and only within its corp; whoever holds the file must upload it again',
    ),
  ],
  [40009, kindFault('the image is too large')],
  [40010, kindFault('the voice is too large')],
  [40011, kindFault('the video is too large')],
  [40123, kindFault('the image is damaged or not an image', 'open and save the image again')],
  [40035, fileFault('a parameter is not acceptable', OUR_FAULT)],
  [40058, fileFault('a parameter is not acceptable', OUR_FAULT)],
  [40063, fileFault('a parameter is empty', OUR_FAULT)],
  [40206, fileFault('the request is too large')],
  [41005, fileFault('the media arrived empty', ASK_GATEWAY)],
  [41006, fileFault('the media_id is missing', OUR_FAULT)],
  [44001, fileFault('the media arrived empty', ASK_GATEWAY)],
  [
    45001,
    kindFault(
      'the medium is too large',
      'this installation accepts less than configured: lower `wecom.limits`',
    ),
  ],
  [45007, kindFault('the voice is longer than 60 s')],
  [301016, kindFault('the voice is not acceptable')],
  [301017, kindFault('voice must be AMR')],
  [301019, fileFault('the md5 does not match', OUR_FAULT)],
  [830001, fileFault('the address to upload from is bad', OUR_FAULT)],
  [830002, fileFault('the medium is too large to download without ranges', OUR_FAULT)],
  [830003, fileFault('the address to upload from did not deliver', OUR_FAULT)],
  [50001, needsAdmin('the redirect domain is not trusted', OUR_FAULT)],
])

/** For the errcodes that nobody foresaw. */
export const lookUpHint = (errcode: number): string =>
  `look the code up: https://open.work.weixin.qq.com/devtool/query?e=${errcode}`

/**
 * The row of an errcode. One that is not in the table is retried, and not skipped: it may concern the whole corp, and
 * skipping would write off every file of the folder, one after the other, until each of them changes. A few calls
 * more are the price; the circuit bounds them.
 */
export function findErrcode(errcode: number): ErrcodeRow {
  return (
    ROWS.get(errcode) ?? {
      meaning: 'an errcode this program does not know',
      remedy: 'retry',
      hint: lookUpHint(errcode),
    }
  )
}

/** The address that WeCom saw, out of "…, from ip: 203.0.113.7, more info at …": for the operator's eyes only. */
export function parseFromIp(errmsg: string): string | undefined {
  return /\bfrom ip: *([0-9a-fA-F.:]{3,45}?)(?=[,\s]|$)/.exec(errmsg)?.[1]
}
