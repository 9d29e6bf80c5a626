// Answers for the step from the file's form to `Config`: values that follow from others, profiles, absolute paths.
// Nothing can fail here: what could is refused by schema.ts and conflicts.ts.
import { dirname, resolve } from 'node:path'
import {
  ENTERPRISE_ACCOUNT_LIMITS,
  type KindLimits,
  type Limits,
  WECOM_LIMITS,
} from '../media/limits.ts'
import type { Config, HookConfig, SecretSource } from './config.ts'
import { BEFORE_PART, SPREAD_PART } from './defaults.ts'
import { nameHook } from './hook-name.ts'
import { parseListen } from './listen.ts'
import type { ConfigFile } from './schema.ts'

interface Place {
  /** The file, absolute. */
  readonly file: string
  /** Where the state is when the file does not say; absolute. */
  readonly defaultState: string
  readonly notAvailableYet: readonly string[]
}

/** The settings of a file that was found to be right. */
export function createConfig(read: ConfigFile, place: Place): Config {
  const absolute = (path: string) => resolve(dirname(place.file), path)
  const { wecom, folder, renewal, audit, references, callback, transfer, http } = read
  return {
    file: place.file,
    wecom: {
      corpId: wecom.corpId,
      secret: locate(wecom.secret, absolute),
      baseUrl: wecom.baseUrl.replace(/\/+$/, ''),
      proxy: wecom.proxy,
      limits: createLimits(wecom.limits),
      quota: wecom.quota,
    },
    folder: {
      path: absolute(folder.path),
      ignore: folder.ignore,
      settleMs: folder.settle,
      rescanMs: folder.rescan,
      onDelete: folder.onDelete,
      downgrade: folder.downgrade,
      rules: folder.rules.map(({ match, type }) => ({ match, kind: type })),
    },
    state: read.state === undefined ? place.defaultState : absolute(read.state),
    manifest: read.manifest,
    renewal: {
      lifetimeMs: renewal.lifetime,
      beforeMs: renewal.before ?? Math.round(renewal.lifetime * BEFORE_PART),
      spreadMs: renewal.spread ?? Math.round(renewal.lifetime * SPREAD_PART),
      schedule: renewal.schedule,
    },
    restore: read.restore,
    audit: { schedule: audit.schedule, sampleCount: audit.sample },
    references: { ...references, files: references.files.map(absolute) },
    callback: callback && {
      ...callback,
      listen: locateSocket(callback.listen, absolute),
      token: locate(callback.token, absolute),
      encodingAesKey: locate(callback.encodingAesKey, absolute),
    },
    transfer: {
      uploads: transfer.uploads,
      downloads: transfer.downloads,
      bandwidthBytesPerSecond: transfer.bandwidth,
    },
    http: http && {
      listen: locateSocket(http.listen, absolute),
      token: http.token && locate(http.token, absolute),
    },
    on: read.on.map((hook) => createHook(hook, absolute)),
    log: read.log,
    notAvailableYet: place.notAvailableYet,
  }
}

type Absolute = (path: string) => string

const locate = (source: SecretSource, absolute: Absolute): SecretSource =>
  'file' in source ? { file: absolute(source.file) } : source

function locateSocket(listen: string, absolute: Absolute): string {
  const address = parseListen(listen)
  return address?.kind === 'unix' ? `unix:${absolute(address.path)}` : listen
}

type WrittenHook = ConfigFile['on'][number]

function createHook(hook: WrittenHook, absolute: Absolute): HookConfig {
  const { event, match, timeout, giveUpAfter, concurrency } = hook
  return {
    // An address without a host has none; it is refused when it is read.
    name: nameHook(hook) ?? 'post',
    happenings: typeof event === 'string' ? [event] : event,
    match,
    target: createTarget(hook, absolute),
    timeoutMs: timeout,
    giveUpAfterMs: giveUpAfter,
    concurrency,
  }
}

function createTarget(
  { run = [], post, token, secret }: WrittenHook,
  absolute: Absolute,
): HookConfig['target'] {
  const place = (source: SecretSource | undefined) => source && locate(source, absolute)
  if (post !== undefined)
    return {
      kind: 'post',
      url: locate(post, absolute),
      token: place(token),
      secret: place(secret),
    }
  const [file = '', ...args] = run
  // As a shell has it: a name alone is looked for on the PATH, anything else is a path.
  return { kind: 'run', run: [file.includes('/') ? absolute(file) : file, ...args] }
}

/** A profile, or the profile `wecom` with what the file says instead. */
function createLimits(limits: ConfigFile['wecom']['limits']): Limits {
  if (limits === 'wecom') return WECOM_LIMITS
  if (limits === 'enterprise-account') return ENTERPRISE_ACCOUNT_LIMITS
  return {
    image: createKindLimits(WECOM_LIMITS.image, limits.image),
    voice: createKindLimits(WECOM_LIMITS.voice, limits.voice),
    video: createKindLimits(WECOM_LIMITS.video, limits.video),
    file: createKindLimits(WECOM_LIMITS.file, limits.file),
  }
}

interface WrittenLimits {
  readonly maxSize?: number | undefined
  readonly formats?: readonly string[] | 'any' | undefined
  readonly maxDuration?: number | undefined
}

function createKindLimits(profile: KindLimits, written: WrittenLimits = {}): KindLimits {
  const maxDurationMs = written.maxDuration ?? profile.maxDurationMs
  return {
    maxBytes: written.maxSize ?? profile.maxBytes,
    formats: written.formats ?? profile.formats,
    ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
  }
}
