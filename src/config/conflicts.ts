// Answers for what no single value shows: settings that cannot hold together. Reads the file as written, so that a
// mistake elsewhere hides none of these; a value that is wrong in itself is left to the schema.
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { BEFORE_PART, DEFAULTS, SPREAD_PART } from './defaults.ts'
import { parseDuration, renderDuration } from './duration.ts'
import { type Finding, isObject, type KeyPath, renderKey, valueAt } from './finding.ts'
import { isPrivate, parseListen } from './listen.ts'
import { SECRET_KEYS } from './secret-field.ts'

export interface Written {
  /** The mapping that the file holds. */
  readonly value: unknown
  /** The file, absolute. */
  readonly file: string
  /** Where the state is when the file does not say; absolute. */
  readonly defaultState: string
}

/** Every impossible combination. */
export const findConflicts = (written: Written): Finding[] =>
  [
    renewsTooEarly(written),
    outlivesTheService(written),
    stateInFolder(written),
    configInFolder(written),
    ...secretsInFolder(written),
    openWithoutToken(written),
    sameAddress(written),
  ].filter((finding) => finding !== undefined)

/** What would be due the moment it is uploaded would be uploaded for ever. */
function renewsTooEarly({ value }: Written): Finding | undefined {
  const lifetimeMs = durationAt(value, ['renewal', 'lifetime'], DEFAULT_LIFETIME_MS)
  if (lifetimeMs === undefined) return undefined
  const beforeMs = durationAt(value, ['renewal', 'before'], lifetimeMs * BEFORE_PART)
  const spreadMs = durationAt(value, ['renewal', 'spread'], lifetimeMs * SPREAD_PART)
  if (beforeMs === undefined || spreadMs === undefined) return undefined
  if (beforeMs + spreadMs < lifetimeMs) return undefined
  const isBeforeWritten = valueAt(value, ['renewal', 'before']) !== undefined
  const sum = `${renderDuration(beforeMs)} + ${renderDuration(spreadMs)}`
  return finding(
    ['renewal', isBeforeWritten ? 'before' : 'spread'],
    `\`renewal.before\` + \`renewal.spread\` (${sum}) must be less than \`renewal.lifetime\` (${renderDuration(lifetimeMs)}), or media would be due as soon as they are uploaded`,
  )
}

const DEFAULT_LIFETIME_MS = parseDuration(DEFAULTS.renewal.lifetime) ?? 0

/** The service itself keeps media for three days; counting on more means handing out dead ids. */
function outlivesTheService({ value }: Written): Finding | undefined {
  const baseUrl = textAt(value, ['wecom', 'baseUrl']) ?? DEFAULTS.wecom.baseUrl
  const isTheService = URL.canParse(baseUrl) && new URL(baseUrl).hostname === 'qyapi.weixin.qq.com'
  const lifetimeMs = durationAt(value, ['renewal', 'lifetime'], DEFAULT_LIFETIME_MS)
  if (!isTheService || lifetimeMs === undefined || lifetimeMs <= DEFAULT_LIFETIME_MS)
    return undefined
  return finding(
    ['renewal', 'lifetime'],
    `\`renewal.lifetime\` (${renderDuration(lifetimeMs)}) cannot exceed 3d: WeCom deletes every medium three days after its upload`,
  )
}

function stateInFolder(written: Written): Finding | undefined {
  const state = textAt(written.value, ['state'])
  const statePath = state === undefined ? written.defaultState : fromFile(written, state)
  if (!isInFolder(written, statePath)) return undefined
  const byDefault = state === undefined ? ', by default,' : ''
  return finding(
    state === undefined ? ['folder', 'path'] : ['state'],
    `\`state\` (\`${statePath}\`${byDefault}) must not lie inside \`folder.path\`, or the manifest itself would be uploaded`,
    'state',
  )
}

function configInFolder(written: Written): Finding | undefined {
  if (!isUploaded(written, written.file)) return undefined
  return finding(
    ['folder', 'path'],
    '`folder.path` must not hold this configuration file, or it would be uploaded: move one of them',
  )
}

function secretsInFolder(written: Written): Finding[] {
  return SECRET_KEYS.flatMap((key) => {
    const path = [...key.split('.'), 'file']
    const file = textAt(written.value, path)
    if (file === undefined || !isUploaded(written, fromFile(written, file))) return []
    return [
      finding(
        path,
        `\`${renderKey(path)}\` must not lie inside \`folder.path\`, or the secret would be uploaded: move the file`,
      ),
    ]
  })
}

function openWithoutToken({ value }: Written): Finding | undefined {
  const listen = textAt(value, ['http', 'listen'])
  const address = parseListen(listen ?? DEFAULTS.http.listen)
  if (address === undefined || isPrivate(address)) return undefined
  if (valueAt(value, ['http', 'token']) !== undefined) return undefined
  return finding(
    ['http', 'listen'],
    '`http.listen` is open to other machines, which demands `http.token`: add one, or listen on 127.0.0.1 or a socket',
  )
}

function sameAddress({ value }: Written): Finding | undefined {
  if (!isObject(valueAt(value, ['callback'])) || valueAt(value, ['http']) === false)
    return undefined
  const callback = textAt(value, ['callback', 'listen']) ?? DEFAULTS.callback.listen
  const http = textAt(value, ['http', 'listen']) ?? DEFAULTS.http.listen
  if (callback !== http) return undefined
  return finding(
    ['callback', 'listen'],
    '`callback.listen` and `http.listen` cannot be the same address: change one port',
  )
}

const finding = (path: KeyPath, message: string, key = renderKey(path)): Finding => ({
  path,
  key,
  message,
})

function textAt(value: unknown, path: KeyPath): string | undefined {
  const found = valueAt(value, path)
  return typeof found === 'string' ? found : undefined
}

/** Undefined when something is written that is no duration. */
function durationAt(value: unknown, path: KeyPath, fallbackMs: number): number | undefined {
  const found = valueAt(value, path)
  if (found === undefined) return fallbackMs
  return typeof found === 'string' ? parseDuration(found) : undefined
}

const fromFile = ({ file }: Written, path: string) => resolve(dirname(file), path)

const isInFolder = (written: Written, path: string) => wayInFolder(written, path) !== undefined

/** What lies below a dot directory is in the folder, but ignored. */
const isUploaded = (written: Written, path: string): boolean =>
  wayInFolder(written, path)
    ?.split(sep)
    .every((part) => !part.startsWith('.')) ?? false

function wayInFolder(written: Written, path: string): string | undefined {
  const folder = textAt(written.value, ['folder', 'path'])
  if (folder === undefined) return undefined
  const way = relative(fromFile(written, folder), path)
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : way
}
