// Answers for the form of the configuration file: the one description from which the type of the file, the reading of
// it and config/schema.json derive. Not for what several keys mean together (conflicts.ts), nor for what the rest of
// the program gets (config.ts). Descriptions are what editors show.
// Long, because it is one form and reads best from top to bottom.
import { z } from 'zod'
import { MIN_BYTES } from '../media/limits.ts'
import { MEDIA_KINDS } from '../media/media.ts'
import { DEFAULTS } from './defaults.ts'
import {
  bandwidth,
  count,
  duration,
  fileMode,
  flag,
  isHttpUrl,
  list,
  listen,
  mapping,
  oneOf,
  path,
  pathTemplate,
  schedule,
  section,
  share,
  size,
  text,
} from './fields.ts'
import { hooks } from './hook-schema.ts'
import { secret } from './secret-field.ts'

const FORMATS = '`any`, or a list of formats such as `jpg`, in lower case and without a dot'

const formats = z
  .union(
    [
      z.literal('any'),
      list(text('a format such as `jpg`, in lower case and without a dot', /^[a-z0-9]{1,10}$/)).min(
        1,
        FORMATS,
      ),
    ],
    FORMATS,
  )
  .describe('Formats by content, not by name: `jpg`, `png`, `amr`, `mp4`, …; or `any`.')

const kindLimits = {
  maxSize: size(MIN_BYTES).optional().describe('The largest medium of this kind, such as `10MB`.'),
  formats: formats.optional(),
}

const limits = z.union(
  [
    oneOf(['wecom', 'enterprise-account']),
    mapping({
      image: mapping(kindLimits).optional().describe('图片'),
      voice: mapping({
        ...kindLimits,
        maxDuration: duration(1).optional().describe('The longest voice, such as `60s`.'),
      })
        .optional()
        .describe('语音'),
      video: mapping(kindLimits).optional().describe('视频'),
      file: mapping(kindLimits).optional().describe('普通文件'),
    }),
  ],
  '`wecom`, `enterprise-account`, or a mapping with `image`, `voice`, `video`, `file`',
)

const wecom = section({
  corpId: text(
    'the id of the corp, such as `ww0123456789abcdef`',
    /^[A-Za-z0-9_-]{1,64}$/,
  ).describe('The id of the corp (企业ID, 我的企业 → 企业信息).'),
  secret: secret(/^[\x21-\x7e]+$/, 'the secret of the app').describe(
    'The secret of the app (应用的 Secret): the text itself, or where it is.',
  ),
  baseUrl: text(
    'an http or https address without user, query and fragment, or `simulator`',
    /^(simulator$|https?:\/\/)/,
    (url) => url === 'simulator' || (isHttpUrl(url, { credentials: false }) && !url.includes('?')),
  )
    .prefault(DEFAULTS.wecom.baseUrl)
    .describe('Where the service is, or `simulator`: the built-in one, for trying out.'),
  proxy: text('an address such as `http://proxy:3128`', /^https?:\/\//, (url) =>
    isHttpUrl(url, { credentials: true }),
  )
    .optional()
    .describe('An HTTP proxy; by default what the usual environment variables say.'),
  limits: limits
    .prefault(DEFAULTS.wecom.limits)
    .describe('What each kind may be: a profile, or own numbers on top of the profile `wecom`.'),
  quota: section({
    perMinute: count(1, 1_000_000).prefault(DEFAULTS.wecom.quota.perMinute),
    perHour: count(1, 10_000_000).prefault(DEFAULTS.wecom.quota.perHour),
    share: share()
      .prefault(DEFAULTS.wecom.quota.share)
      .describe('The part of both windows this daemon may use; the rest is for other programs.'),
  }).describe('How often the corp may call the service (频率限制).'),
}).describe('The account: whose media, and what WeCom allows.')

const rule = mapping({
  match: text('a glob such as `voice/**`', /\S/).describe('A glob, relative to the folder.'),
  type: oneOf(MEDIA_KINDS).describe('The kind these files are uploaded as (素材类型).'),
})

const folder = section({
  path: path('the folder to mirror').describe('The folder to mirror (要镜像的目录).'),
  ignore: list(text('a glob such as `*.psd`', /\S/))
    .prefault([])
    .describe('Globs of files to leave alone, added to the built-in ones.'),
  settle: duration(0)
    .prefault(DEFAULTS.folder.settle)
    .describe('How long size and mtime must stand still before a file is uploaded.'),
  rescan: duration(1_000)
    .prefault(DEFAULTS.folder.rescan)
    .describe('How often the whole folder is looked through, whatever the watch said.'),
  onDelete: oneOf(['restore', 'forget'])
    .prefault(DEFAULTS.folder.onDelete)
    .describe('A file vanished: fetch it back from WeCom while its id lives, or forget it.'),
  downgrade: flag()
    .prefault(DEFAULTS.folder.downgrade)
    .describe('Upload as `file` what its own kind refuses, where `file` takes it.'),
  rules: list(rule).prefault([]).describe('Kinds by glob, before the look at the content.'),
}).describe('The folder on this side.')

const renewal = section({
  lifetime: duration(1_000)
    .prefault(DEFAULTS.renewal.lifetime)
    .describe('How long WeCom keeps a medium: three days (临时素材三天有效).'),
  before: duration(1)
    .optional()
    .describe('How long before its end a medium is renewed at the latest; a third of `lifetime`.'),
  spread: duration(0)
    .optional()
    .describe('Up to this much earlier, at random, against herds; a ninth of `lifetime`.'),
  schedule: schedule()
    .prefault(DEFAULTS.renewal.schedule)
    .describe('When to look for due media, as a cron expression.'),
}).describe('Uploading again before an id dies (续期).')

const callback = mapping({
  listen: listen()
    .prefault(DEFAULTS.callback.listen)
    .describe('`host:port` or `unix:PATH`, a place of its own: WeCom must reach it, or a proxy.'),
  path: text('a path beginning with `/`', /^\/[^\s?#]*$/)
    .prefault(DEFAULTS.callback.path)
    .describe('The path of the URL given to WeCom; nothing else is answered.'),
  token: secret(/^[A-Za-z0-9]{1,32}$/, 'at most 32 letters and digits').describe(
    'Token, as in the app’s settings (接收消息 → API接收).',
  ),
  encodingAesKey: secret(/^[A-Za-z0-9]{43}$/, '43 letters and digits').describe(
    'EncodingAESKey, as in the app’s settings.',
  ),
  saveTo: pathTemplate()
    .prefault(DEFAULTS.callback.saveTo)
    .describe(
      'Where received media go, relative to the folder; as `references.inbox`, by the moment of the message.',
    ),
})

const http = mapping({
  listen: listen()
    .prefault(DEFAULTS.http.listen)
    .describe('`host:port` or `unix:PATH`; anything but this machine demands a token.'),
  token: secret(/^[\x21-\x7e]+$/, 'a token').optional(),
})

/** The form of the file. What comes out has its defaults and parsed values; paths are still as written. */
export const configFileSchema = mapping({
  wecom,
  folder,
  state: text(
    'a directory (`postgres://…` is not available yet)',
    /^[^\0]+$/,
    (value) => !/^(~|\$|[a-z]+:)/.test(value),
  )
    .optional()
    .describe('The directory of the manifest; by default $STATE_DIRECTORY, else `./state`.'),
  manifest: section({
    mode: fileMode()
      .prefault(DEFAULTS.manifest.mode)
      .describe('Who may read `manifest.json`: only the daemon, its group too, or everybody.'),
  }).describe('The document that other programs read.'),
  renewal,
  restore: section({
    schedule: schedule().prefault(DEFAULTS.restore.schedule),
  }).describe('Downloading again what is missing from the folder (恢复).'),
  audit: section({
    schedule: schedule().prefault(DEFAULTS.audit.schedule),
    sample: count(0, 10_000)
      .prefault(DEFAULTS.audit.sample)
      .describe('Ids to check each time; 0 turns it off.'),
  }).describe('Checking that ids are as alive as they should be (抽查).'),
  references: section({
    files: list(path('a reference file'))
      .prefault([])
      .describe(
        'Lists of `{media_id, path?, created_at?, from?}` (JSON, NDJSON, YAML) and manifests of other hosts; paths, or globs without `**`.',
      ),
    renew: flag()
      .prefault(DEFAULTS.references.renew)
      .describe('Whether a reference that landed is kept alive from then on.'),
    inbox: pathTemplate()
      .prefault(DEFAULTS.references.inbox)
      .describe(
        'Where references without a path land: {date}, {time}, {from}, {type}, {name}, {id}.',
      ),
  }).describe('Media ids from elsewhere whose files belong into the folder.'),
  callback: callback
    .optional()
    .describe('Media that people send to the app land in the folder (接收消息 → API接收, 回调).'),
  transfer: section({
    uploads: count(1, 100).prefault(DEFAULTS.transfer.uploads).describe('Uploads at a time.'),
    downloads: count(1, 100).prefault(DEFAULTS.transfer.downloads).describe('Downloads at a time.'),
    bandwidth: bandwidth()
      .prefault(DEFAULTS.transfer.bandwidth)
      .describe(
        '`unlimited`, or a size per second such as `5MB`, for uploads and downloads together (限速).',
      ),
  }).describe('How much at a time.'),
  http: z
    .union([z.literal(false), http], '`false`, or a mapping with `listen` and `token`')
    .prefault({})
    .describe('The local interface and the dashboard. Not available yet.'),
  on: hooks,
  log: section({
    level: oneOf(['error', 'warn', 'info', 'debug']).prefault(DEFAULTS.log.level),
    format: oneOf(['auto', 'pretty', 'json', 'journald'])
      .prefault(DEFAULTS.log.format)
      .describe('`auto`: pretty on a terminal, journald priorities under systemd, else json.'),
  }).describe('What is written about it.'),
})

/** A file that was read: every value checked and parsed, every default in its place but those that follow from others. */
export type ConfigFile = z.output<typeof configFileSchema>
